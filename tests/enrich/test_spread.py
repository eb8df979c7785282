"""Completions on an engine: the same store as in one process, shares of what is limited, nothing asked twice."""

import pytest

from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.enrich.audit import Auditor
from metier.enrich.completion import Extractive, Generative
from metier.enrich.grounds import gather_all
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.enrich.prompt import PromptFile
from metier.enrich.run import Plan, run
from metier.enrich.spread import _share, spread
from metier.errors import BudgetError
from metier.store import CompletionStore, Database, Spending
from metier.testing.endpoint import MockEndpoint
from metier.testing.worlds import small_town

GROUNDS = list(gather_all(small_town(people=24), "temporal"))
PROMPT = "skills-only"


@pytest.fixture
def place(tmp_path):
    """A database file and its store."""
    opened = Database.open(str(tmp_path / "metier.db"))
    yield str(tmp_path / "metier.db"), CompletionStore(opened)
    opened.close()


def planned(store, config) -> Plan:
    completer = Generative(PromptFile.read(PROMPT), OpenAIModel(config, spent=store.spent_on(config.model)))
    return Plan.make(completer, "town", GROUNDS, store)


def contents(plan, store):
    return {made.person: (made.state, made.content, made.audit) for made in store.read(list(plan.grounds))}


@pytest.mark.parametrize(("engine", "workers"), [("local", 2), ("dask", 2)])
def test_workers_fill_the_one_store(place, tmp_path, engine, workers, request):
    if engine == "dask":
        request.getfixturevalue("distributed")
    database, store = place
    with MockEndpoint() as endpoint, open_engine(engine, workers=workers) as running:
        config = LanguageModelConfig(base_url=endpoint.url, model="m")
        options = {"database": database, "prompt": PROMPT, "config": config, "concurrency": 2}
        tally, stopped = spread(planned(store, config), store, running, tmp_path / "cells", **options)
        assert (tally.finished, tally.here, stopped) == (24, 24, None)
        assert tally.requests == len(endpoint.calls) == 24
        assert tally.tokens == sum(one.input_tokens + one.output_tokens for one in endpoint.calls)
        again, _ = spread(planned(store, config), store, running, tmp_path / "cells", **options)
        assert (again.finished, again.here, again.requests, len(endpoint.calls)) == (24, 0, 0, 24)
        other = Database.open(str(tmp_path / "other.db"))
        alone = planned(CompletionStore(other), config)
        run(alone, CompletionStore(other), Auditor())
        assert contents(alone, CompletionStore(other)) == contents(planned(store, config), store)
        other.close()
    assert not (tmp_path / "cells").exists()


def test_without_a_model(place, tmp_path):
    database, store = place
    plan = Plan.make(Extractive(), "town", GROUNDS, store)
    with open_engine("local", workers=2) as running:
        tally, _ = spread(
            plan, store, running, tmp_path / "cells", database=database, prompt="profile", config=None, concurrency=1
        )
    assert (tally.states["done"], tally.requests) == (24, 0)


def test_a_budget_is_shared_out_and_kept(place, tmp_path):
    database, store = place
    with MockEndpoint() as endpoint, open_engine("local", workers=2) as running:
        config = LanguageModelConfig(base_url=endpoint.url, model="m", budget_tokens=9_000)
        options = {"database": database, "prompt": PROMPT, "config": config, "concurrency": 2}
        for _ in range(2):
            tally, stopped = spread(planned(store, config), store, running, tmp_path / "cells", **options)
            assert isinstance(stopped, BudgetError)
        assert 0 < tally.finished < 24
        assert sum(one.input_tokens + one.output_tokens for one in endpoint.calls) <= 9_000


def test_shares():
    config = LanguageModelConfig(
        base_url="http://127.0.0.1:1",
        model="m",
        budget_tokens=1000,
        budget_cost=4,
        input_price=1,
        requests_per_minute=60,
    )
    shared = _share(config, Spending(100, 100, 1.0, 5), 2)
    assert (shared["budget_tokens"], shared["budget_cost"], shared["requests_per_minute"]) == (400, 1.5, 30)
    gone = _share(config, Spending(2000, 0, 9.0, 5), 2)
    assert gone["budget_tokens"] == 1
    assert 0 < gone["budget_cost"] < 1e-9
    assert "api_key" not in shared


def test_the_command_takes_an_engine(tmp_path, metier):
    Workspace(tmp_path).save("town", small_town(people=20), {})
    ran = metier("enrich", "town", "--workers", "2", "--home", tmp_path)
    assert ran.code == 0, ran.err
    assert "20" in ran.out
    assert metier("enrich", "town", "--compare", "--workers", "2", "--home", tmp_path).code == 2

"""`metier enrich` killed without warning, again and again: nothing finished is lost, hardly anything is paid twice."""

import multiprocessing
import random
import re
import time

import pytest
import typer

from metier.cli.enrich import enrich
from metier.data.splits import folds
from metier.data.workspace import Workspace
from metier.enrich.completion import Generative
from metier.enrich.grounds import gather
from metier.enrich.prompt import PromptFile
from metier.enrich.run import Plan
from metier.store import CompletionStore, Database
from metier.testing.endpoint import MockEndpoint
from metier.testing.language_models import FakeLanguageModel
from metier.testing.worlds import small_town

CONCURRENCY = 4
LOADED = ["metier.cli.llm", "metier.enrich.lock", "metier.enrich.texts", "openai", "sklearn.feature_extraction.text"]
"""Imported once, by the server that every run is forked from: the kills are to hit runs, not imports."""


def command(arguments: list[str]) -> None:
    """`metier enrich`, in a process of its own."""
    app = typer.Typer()
    app.command()(enrich)
    app(arguments)


def slow_and_true(request, _schema):
    """A past job as it is written, after the time a small model needs."""
    time.sleep(0.03)
    label, title = re.search(r'^\[(H1)\] history: "(.*)"$', request["messages"][-1]["content"], re.MULTILINE).groups()
    held = {"title": title, "employer": None, "years": None, "quote": title, "cites": [label]}
    return {"headline": None, "summary": [], "skills": [], "experience": [held], "education": []}


def campaign(home, url: str, endpoint: MockEndpoint, kills: int, people: int, chance: random.Random) -> int:
    """Kill the command `kills` times, let it end once, check the books; how many requests were repeated."""
    town = small_town(people=people)
    Workspace(home).save("town", town, {})
    config = home / "model.toml"
    config.write_text(f'base_url = "{endpoint.url}"\nmodel = "mock"\nmax_tokens = 500\nconcurrency = {CONCURRENCY}\n')
    arguments = ["town", "--protocol", "temporal", "--prompt", "simple", "--model-config", str(config)]
    arguments += ["--database", url, "--home", str(home), "--json"]
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(LOADED)
    store = CompletionStore(Database.open(url))
    completer = Generative(PromptFile.read("simple"), FakeLanguageModel(name="mock", parameters=PARAMETERS))
    plan = Plan.make(completer, "town", gather(next(folds(town, "temporal"))), store)
    keys = list(plan.grounds)
    finished: dict[str, int] = {}  # key -> rows of the ledger when it was first seen finished
    for _ in range(kills):
        begin, wanted = len(endpoint.calls), chance.randrange(0, 12)
        process = server.Process(target=command, args=(arguments,))
        process.start()
        deadline = time.monotonic() + 120
        while len(endpoint.calls) < begin + wanted:
            assert process.is_alive(), "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.06))
        process.kill()
        process.join()
        states = store.states(keys)
        assert set(finished) <= set(states), "a finished completion was lost"
        for row in store.ledger(list(set(states) - set(finished))):
            finished[row["completion"]] = finished.get(row["completion"], 0) + 1
    assert len(finished) < people, "the command was meant to be killed in the middle"
    last = server.Process(target=command, args=(arguments,))
    last.start()
    last.join()
    assert last.exitcode == 0
    assert list(store.states(keys).values()) == ["done"] * people

    rows = store.ledger(keys)
    written, seen = {row["id"]: row for row in rows}, [call.id for call in endpoint.calls]
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(written), "a request went out that is not in the ledger"
    assert {written[one]["state"] for one in set(written) - set(seen)} <= {"sent"}  # killed just before sending
    per_key = {key: sum(row["completion"] == key for row in rows) for key in keys}
    assert all(per_key[key] == count for key, count in finished.items()), "a finished completion was asked again"
    assert sum(row["state"] == "answered" for row in rows) >= people
    return len(seen) - people


PARAMETERS = {"temperature": 0.0, "seed": 0, "max_tokens": 500}


def test_killed_three_times(tmp_path):
    with MockEndpoint(answer=slow_and_true) as endpoint:
        repeated = campaign(tmp_path, f"sqlite:///{tmp_path / 'metier.db'}", endpoint, 3, 45, random.Random(1))
    assert 0 <= repeated <= 3 * CONCURRENCY


@pytest.mark.slow
def test_killed_fifty_times(tmp_path, capsys):
    with MockEndpoint(answer=slow_and_true) as endpoint:
        url = f"sqlite:///{tmp_path / 'metier.db'}"
        repeated = campaign(tmp_path, url, endpoint, 50, 600, random.Random(2))
    with capsys.disabled():
        print(f"\n50 kills, 600 people: {repeated} requests repeated of at most {50 * CONCURRENCY}")
    assert 0 <= repeated <= 50 * CONCURRENCY

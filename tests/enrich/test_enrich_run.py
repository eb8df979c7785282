"""Runs: end states, resuming, what is counted, what stops one; with fakes, in this process."""

import json
import re
import threading
import traceback
from dataclasses import replace

import polars as pl
import pytest

from metier.data.splits import folds
from metier.data.workspace import Workspace
from metier.enrich.audit import Auditor
from metier.enrich.comparison import Sample, compare, nearness
from metier.enrich.completion import Extractive, Generative, key_of
from metier.enrich.grounds import gather, gather_all
from metier.enrich.lock import only_run
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.enrich.prompt import PromptFile
from metier.enrich.resume import Resume, Statement
from metier.enrich.run import Plan, run
from metier.enrich.texts import (
    TEXTS,
    completed_texts,
    resume_of,
    texts_name,
    texts_of,
    with_completed_texts,
    write_texts,
)
from metier.errors import BudgetError, MetierError, ModelAnswerError, UsageError
from metier.features.text import StaticEmbedder
from metier.store import CompletionStore, Database
from metier.testing.endpoint import MockEndpoint
from metier.testing.language_models import FakeLanguageModel
from metier.testing.worlds import small_town

AUDITOR, EXTRACTIVE = Auditor(), Extractive()


@pytest.fixture
def store(tmp_path):
    database = Database.open(tmp_path / "metier.db")
    yield CompletionStore(database)
    database.close()


@pytest.fixture(scope="module")
def town():
    return small_town(people=40)


@pytest.fixture(scope="module")
def people(town):
    return list(gather(next(folds(town, "temporal"))))


def facts(text: str) -> dict[str, str]:
    """label -> text of a prompt's data."""
    return {label: json.loads(said) for label, said in re.findall(r"^\[(\w+)\] \w+: (.*)$", text, re.MULTILINE)}


def honest_and_inventive(prompt, _schema):
    """A résumé of one true job and one invented skill."""
    title = facts(prompt.user)["H1"]
    return {
        "headline": None,
        "summary": [],
        "skills": [{"name": "juggling", "quote": "", "cites": ["H1"]}],
        "experience": [{"title": title, "employer": None, "years": None, "quote": title, "cites": ["H1"]}],
        "education": [],
    }


def generative(answer=honest_and_inventive, **settings) -> Generative:
    return Generative(PromptFile.read("simple"), FakeLanguageModel(answer, **settings))


def test_without_a_model_everybody_is_done_and_nothing_is_called(store, people):
    plan = Plan.make(EXTRACTIVE, "town", people, store)
    tally = run(plan, store, AUDITOR)
    assert (tally.total, tally.finished, tally.here, tally.requests) == (40, 40, 40, 0)
    assert tally.states == {"done": 40}
    assert not tally.unsupported
    assert store.ledger(list(plan.grounds)) == []
    texts = texts_of(plan, store)
    assert texts["person"].to_list() == [one.person for one in people]
    assert all(f"Experience: {one.texts()['H1']}" in text for one, text in zip(people, texts["text"], strict=True))


def test_a_second_run_asks_nothing(store, people):
    completer = generative(price=0.001)
    first = run(Plan.make(completer, "town", people, store), store, AUDITOR, concurrency=4)
    assert (first.here, first.requests) == (40, 40)
    assert first.cost == pytest.approx(Plan.make(completer, "town", people, store).spent(store).cost)
    again = run(Plan.make(completer, "town", people, store), store, AUDITOR)
    assert (again.here, again.requests, again.finished) == (0, 0, 40)
    assert (again.items, again.audit_rate) == (first.items, first.audit_rate) == (80, 0.5), "what was kept counts"


def test_inventions_are_counted_and_dropped_or_kept(store, people):
    plan = Plan.make(generative(), "town", people, store)
    tally = run(plan, store, AUDITOR, concurrency=2)
    assert tally.audit_rate == 0.5
    assert tally.unsupported == {"skill": 40}
    assert "juggling" not in "".join(texts_of(plan, store)["text"])
    assert all("juggling" in text for text in texts_of(plan, store, unsupported="keep")["text"])


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("no JSON", "needs-review"),
        (lambda prompt, schema: honest_and_inventive(prompt, schema) | {"experience": []}, "needs-review"),
    ],
)
def test_an_unusable_answer_needs_review_and_is_asked_again_only_with_retry(store, people, answer, state):
    bad = generative((lambda prompt, schema: answer) if isinstance(answer, str) else answer)
    plan = Plan.make(bad, "town", people[:5], store)
    assert run(plan, store, AUDITOR).states == {state: 5}
    assert run(Plan.make(bad, "town", people[:5], store), store, AUDITOR).here == 0
    good = Plan.make(generative(), "town", people[:5], store)
    assert run(good, store, AUDITOR).here == 0
    tally = run(good, store, AUDITOR, retry=True)
    assert (tally.here, tally.states) == (5, {"done": 5})


def test_no_answer_is_a_failure_with_a_reason_and_a_row_in_the_ledger(store, people):
    config = LanguageModelConfig(base_url="http://127.0.0.1:1/v1", model="m", attempts=1)
    plan = Plan.make(Generative(PromptFile.read("simple"), OpenAIModel(config)), "town", people[:1], store)
    assert run(plan, store, AUDITOR).states == {"failed": 1}
    [made] = store.read(list(plan.grounds))
    assert "connection" in made.reason
    assert [row["state"] for row in store.ledger(list(plan.grounds))] == ["failed"]
    assert texts_of(plan, store)["state"].to_list() == ["failed"]


def test_a_spent_budget_stops_the_run_and_keeps_what_is_done(store, people):
    with MockEndpoint() as endpoint:
        config = LanguageModelConfig(base_url=endpoint.url, model="m", budget_tokens=14_000, concurrency=3)
        plan = Plan.make(Generative(PromptFile.read("simple"), OpenAIModel(config)), "town", people, store)
        with pytest.raises(BudgetError):
            run(plan, store, AUDITOR, concurrency=3)
    states = store.states(list(plan.grounds))
    assert 0 < len(states) < 40
    rows = store.ledger(list(plan.grounds))
    assert sorted(row["id"] for row in rows) == sorted(seen.id for seen in endpoint.calls)
    assert {row["state"] for row in rows} == {"answered"}


def test_an_unforeseen_error_stops_every_worker(store, people):
    asked = []

    def breaks(prompt, schema):
        asked.append(prompt)
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        run(Plan.make(generative(breaks), "town", people, store), store, AUDITOR, concurrency=3)
    assert len(asked) <= 3


def test_several_are_under_way_at_once(store, people):
    gate = threading.Barrier(4, timeout=30)

    def waits(prompt, schema):
        gate.wait()
        return honest_and_inventive(prompt, schema)

    tally = run(Plan.make(generative(waits), "town", people, store), store, AUDITOR, concurrency=4)
    assert tally.states == {"done": 40}


def test_nothing_is_asked_about_a_person_of_whom_nothing_is_known(store, people):
    unknown = [one.only(()) for one in people[:1]]
    model = FakeLanguageModel(lambda *_: pytest.fail("asked"))
    tally = run(Plan.make(Generative(PromptFile.read("simple"), model), "town", unknown, store), store, AUDITOR)
    assert (tally.states, tally.requests) == ({"done": 1}, 0)


def test_a_key_changes_with_the_person_the_facts_shown_the_prompt_the_model_its_settings_and_the_cutoff(people, town):
    one = people[0]
    simple = generative()
    keys = {
        key_of(simple, one, "town"),
        key_of(simple, one, "other"),
        key_of(simple, people[1], "town"),
        key_of(simple, one.only({"history"}), "town"),
        key_of(Generative(PromptFile.read("interactive"), FakeLanguageModel()), one, "town"),
        key_of(generative(name="other"), one, "town"),
        key_of(generative(parameters={"seed": 1}), one, "town"),
        key_of(simple, next(one for one in gather_all(town, "leave-last-out")), "town"),
    }
    assert len(keys) == 8
    assert key_of(simple, one.only({"profile", "text", "history"}), "town") in keys  # jobs are not shown by simple


def test_texts_of_one_protocol_are_not_found_under_another(store, town):
    completer = generative()
    run(Plan.make(completer, "town", gather_all(town, "temporal"), store), store, AUDITOR)
    found = completed_texts(town, "temporal", completer, store, dataset="town")
    assert found["state"].unique().to_list() == ["done"]
    for protocol, inner in (("leave-last-out", False), ("temporal", True)):
        missing = completed_texts(town, protocol, completer, store, dataset="town", inner=inner)
        assert missing["state"].unique().to_list() == ["missing"]
        assert missing["text"].unique().to_list() == [""]


def test_texts_are_written_under_a_safe_name(store, town, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.save("town", town, {})
    texts = completed_texts(town, "temporal", EXTRACTIVE, store, dataset="town")
    path = write_texts(workspace, "town", "simple-../org/model:7b-temporal", texts)
    assert path.parent == tmp_path / "datasets" / "town" / "completions"
    assert path.name == "simple-..-org-model-7b-temporal.parquet"


def test_one_run_a_dataset(tmp_path, town):
    workspace = Workspace(tmp_path)
    workspace.save("town", town, {})
    second = only_run(workspace, "town")
    with only_run(workspace, "town"), pytest.raises(UsageError, match="at work on 'town'"):
        second.__enter__()
    with only_run(workspace, "town"):
        pass


def test_comparison_shows_lengths_audit_cost_and_nearness(store, town):
    sample = Sample.draw(town, "temporal", 10)
    assert len(sample.grounds) == 10
    assert sample == Sample.draw(town.replace(people=town.people.reverse()), "temporal", 10)
    plans = [Plan.make(one, "town", sample.grounds, store) for one in (EXTRACTIVE, generative(price=0.001))]
    for plan in plans:
        run(plan, store, AUDITOR)
    extractive, written = compare(plans, sample, store, StaticEmbedder())
    assert (extractive.audit_rate, extractive.cost, extractive.tokens) == (0.0, 0.0, 0)
    assert (written.audit_rate, written.done) == (0.5, 10)
    assert written.cost == pytest.approx(written.tokens * 0.001)
    assert extractive.words > written.words > 0
    assert written.own_jobs > written.others_jobs  # the texts name the trade, and people apply by trade


def test_the_sample_is_compared_with_jobs_that_are_history_and_that_it_was_not_shown(town):
    outer = next(folds(town, "temporal"))
    known = {
        (one["person"], one["title"] + ": " + one["text"])
        for one in outer.train.interactions.join(outer.train.jobs, left_on="job", right_on="id").to_dicts()
    }
    sample = Sample.draw(town, "temporal", 100)
    pairs = {(person, job) for person, jobs in sample.later_jobs.items() for job in jobs}
    assert pairs
    assert pairs <= known


def test_nearness_of_a_text_and_its_own_words_is_one():
    own, others = nearness(["welder", "nurse"], [["welder", "pilot"], ["nurse"]], StaticEmbedder())
    assert own == pytest.approx(1.0, abs=1e-3)
    assert others < 0.9
    assert nearness([], [], StaticEmbedder()) == (None, None)


def test_a_refusal_is_told_apart_from_silence(store, people):
    def refuses(prompt, schema):
        raise ModelAnswerError("fake: it refuses to answer")

    plan = Plan.make(generative(refuses), "town", people[:1], store)
    assert run(plan, store, AUDITOR).states == {"needs-review": 1}
    [made] = store.read(list(plan.grounds))
    assert made.reason == "fake: it refuses to answer"


def completed(people: dict[str, str]) -> pl.DataFrame:
    empty = {"skills": [], "items": 0, "unsupported": 0, "cutoff": "c"}
    rows = [
        {"person": one, "state": "done" if text else "failed", "text": text} | empty for one, text in people.items()
    ]
    return pl.DataFrame(rows, schema=TEXTS)


def test_a_dataset_gets_the_completed_texts_or_those_of_others_of_the_window(town):
    ids = town.people["id"].to_list()
    two = town.replace(people=town.people.with_columns(window=pl.Series([1] * 30 + [2] * 9 + [3], dtype=pl.Int16)))
    texts = completed({one: "" if one == ids[3] else f"made for {one}" for one in reversed(ids)})
    own = dict(two.people.select("id", "text").iter_rows())

    def text_of(**how) -> dict[str, str | None]:
        return dict(with_completed_texts(two, texts, **how).people.select("id", "text").iter_rows())

    assert text_of() == {one: None if one == ids[3] else f"made for {one}" for one in ids}
    assert text_of(add=True) == {one: own[one] + ("" if one == ids[3] else f"\nmade for {one}") for one in ids}
    shuffled = text_of(shuffled=True)
    assert (shuffled[ids[3]], shuffled[ids[39]]) == (None, None)  # the last one is alone in the window
    window = dict(two.people.select("id", "window").iter_rows())
    given = {one: text.removeprefix("made for ") for one, text in shuffled.items() if text}
    assert len(set(given.values())) == len(given) == 38
    assert all(one != other and window[one] == window[other] for one, other in given.items())
    assert shuffled == text_of(shuffled=True) != text_of(shuffled=True, seed=1)


def test_a_stored_completion_of_another_schema_is_told_without_its_content(store, people):
    plan = Plan.make(EXTRACTIVE, "town", people[:1], store)
    run(plan, store, AUDITOR)
    [made] = store.read(list(plan.grounds))
    bad = replace(made, content={"headline": {"canary": "secret"}})
    with pytest.raises(MetierError, match="does not fit this version") as caught:
        resume_of(bad)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_placeholder_is_no_word_of_a_resume():
    said = [Statement(text=text, cites=()) for text in ("[name 1] writes to [email 2] about [topic 1].", "[phone 1]")]
    assert Resume(headline=said[1], summary=(said[0],)).text() == "writes to about [topic 1]."


def test_no_two_prompts_or_models_share_a_file():
    def name(completer, **more):
        return texts_name(completer, "temporal", **({"inner": False, "unsupported": "drop"} | more))

    settings = [{"seed": 1}, {"seed": 2}]
    names = {name(generative(name=model, parameters=one)) for model in ("a/b", "a-b") for one in settings}
    names |= {name(EXTRACTIVE), name(EXTRACTIVE, inner=True), name(EXTRACTIVE, unsupported="keep")}
    names |= {name(Generative(PromptFile.read("simple").model_copy(update={"digest": "0"}), FakeLanguageModel()))}
    assert len(names) == 8
    assert all(re.match(r"(profile|simple)-1-[0-9a-f]+-.*temporal", one) for one in names)

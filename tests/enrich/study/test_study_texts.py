"""Text conditions: nothing later is in them, controls are what they claim, completions are matched."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from metier.data import Tables
from metier.data.workspace import Workspace
from metier.enrich.study.board import Board
from metier.enrich.study.conduct import Completions
from metier.enrich.study.fields import field_conditions
from metier.enrich.study.inferring import inferred_resumes
from metier.enrich.study.texts import CONDITIONS, FoldTexts, another_person, random_words, taught
from metier.enrich.texts import TEXTS, write_texts
from metier.errors import UsageError
from metier.evaluate.evaluation import prepare
from metier.testing.worlds import small_town

LATER = "Zyxwvut Quartermaster of pipe welding"


@pytest.fixture(scope="module")
def town() -> Tables:
    return small_town()


def with_later(town: Tables) -> Tables:
    """Everybody gets, after the cut-off, a past job and an application that no text may know."""
    cutoff = town.windows["cutoff"][0] if len(town.windows) else town.interactions["time"].max()
    assert isinstance(cutoff, datetime)
    people, after = town.people["id"], cutoff + timedelta(hours=1)
    job = town.jobs.head(1).with_columns(id=pl.lit("late"), title=pl.lit(LATER), text=pl.lit(LATER))
    history = pl.DataFrame({"person": people, "sequence": 99, "title": LATER, "text": LATER, "time": after})
    pairs = pl.DataFrame({"person": people, "job": "late", "time": after, "weight": 1.0, "split": None})
    return town.replace(
        jobs=pl.concat([town.jobs, job]),
        history=pl.concat([town.history, history.cast(dict(town.history.schema))], how="diagonal"),
        interactions=pl.concat([town.interactions, pairs.cast(dict(town.interactions.schema))], how="diagonal"),
    )


def texts_of(tables: Tables) -> dict[str, list[str]]:
    (stage,) = prepare(tables, "temporal")
    made = FoldTexts(stage)
    return {condition: made.of(condition, 0) for condition in CONDITIONS}


def test_nothing_after_the_cut_off_reaches_a_text(town):
    planted = with_later(town)
    assert planted.history["title"].str.contains("Zyxwvut").any()
    before, after = texts_of(town), texts_of(planted)
    for condition in CONDITIONS:
        assert not any("zyxwvut" in text.casefold() for text in after[condition]), condition
        assert before[condition] == after[condition], condition


def test_a_later_job_would_be_read_if_it_were_earlier(town):
    """The plant of the test above reaches texts as soon as it lies before the cut-off."""
    planted = with_later(town)
    early = planted.replace(
        history=planted.history.with_columns(pl.col("time") - pl.duration(days=30)),
        interactions=planted.interactions.with_columns(pl.col("time") - pl.duration(days=2)),
        jobs=planted.jobs.with_columns(pl.col("start", "end") - pl.duration(days=30)),
    )
    found = texts_of(early)
    assert any("zyxwvut" in text.casefold() for text in found["raw"])
    assert any("Looking for:" in text and LATER in text for text in found["interactive"])


def test_interactive_tells_jobs_applied_to_and_simple_does_not(town):
    (stage,) = prepare(town, "temporal")
    for wishes in (False, True):
        for resume, grounds in inferred_resumes(stage.fold, wishes=wishes):
            labels = {line.label for line in grounds.lines}
            applied = {line.label for line in grounds.lines if line.kind == "job"}
            for _, item in resume.items():
                assert set(item.cites) <= labels
                assert wishes or not set(item.cites) & applied
            assert ("Looking for:" in resume.text()) == (wishes and bool(applied))


def test_inferred_skills_are_audited_as_unsupported(town):
    board = Board("town", town, "temporal")
    simple = board.audit("simple")
    assert simple is not None
    assert simple.people == len(town.people)
    assert simple.source == "rules"
    assert 0 <= simple.unsupported <= simple.items
    assert board.audit("raw") is None


def test_everybody_gets_the_text_of_somebody_else_with_about_as_many_applications():
    history = np.array([0] * 30 + [1] * 20 + [3] * 9 + [7] + [12] * 2)
    others = another_person(history, np.random.default_rng(3))
    assert (others != np.arange(len(history))).all()
    bucket = np.searchsorted((0, 1, 2, 5, 10), history, side="right")
    same = bucket[others] == bucket
    assert same[history != 7].all()
    assert not same[history == 7].any()  # the only one of the bucket gets anybody
    assert sorted(others[:30]) == list(range(30))
    assert another_person(np.array([4]), np.random.default_rng(0)).tolist() == [-1]


def test_random_words_are_as_many_and_from_everybody():
    texts = ["a b c", "", "d e"]
    drawn = random_words(texts, np.random.default_rng(0))
    assert [len(text.split()) for text in drawn] == [3, 0, 2]
    assert set(" ".join(drawn).split()) <= set("abcde")
    assert random_words(texts * 20, np.random.default_rng(0)) != texts * 20


def test_texts_to_learn_from_know_the_older_half(town):
    """b applied three times, out of order: the oldest stays. Of c's two, without times, the first of the file does."""
    days = [("a", "1", 4), ("b", "3", 9), ("b", "1", 2), ("b", "2", 5), ("c", "2", None), ("c", "1", None)]
    columns = {
        "person": [person for person, *_ in days],
        "job": [job for _, job, _ in days],
        "time": [None if day is None else datetime(2026, 1, day, tzinfo=UTC) for *_, day in days],
    }
    pairs = pl.DataFrame(columns).with_columns(weight=1.0, split=None).cast(dict(town.interactions.schema))
    (stage,) = prepare(town, "temporal")
    fold = replace(stage.fold, train=stage.fold.train.replace(interactions=pairs))
    kept = taught(fold).train.interactions
    assert kept.select("person", "job").rows() == [("b", "1"), ("c", "2")]


def test_models_learn_from_other_texts_than_they_are_asked_with(town):
    """Only where texts tell applications; what is learned stays whole."""
    board = Board("town", town, "temporal")
    (plain,) = prepare(town, "temporal")
    for condition, same in (("raw", True), ("raw-shuffled", True), ("simple", True), ("interactive", False)):
        (stage,) = board.stages(condition, 0)
        people = stage.data.users.numbers(stage.judged["person"])
        assert ([stage.data.user_texts[row] for row in people] == stage.query.texts) == same, condition
        assert (stage.data.matrix != plain.data.matrix).nnz == 0


def test_raw_text_is_shuffled_as_raw_text(town):
    (stage,) = prepare(town, "temporal")
    made = FoldTexts(stage)
    assert set(made.of("raw-shuffled", 0)) <= set(made.of("raw", 0))
    assert made.of("raw-shuffled", 0) != made.of("raw", 0)


def test_a_file_of_completions_is_read(town, tmp_path):
    rows = [("p1", "done", "said by a model", ["welding"], 4, 1, "2026-01-01T00:00:00")]
    frame = pl.DataFrame(rows, schema=TEXTS, orient="row")
    workspace = Workspace(tmp_path)
    workspace.save("town", town, {})
    path = write_texts(workspace, "town", "mine", frame)
    made = Completions.read([f"interactive={path}"])
    assert made.frames["interactive"].equals(frame)
    assert made.digest("shuffled") == made.digest("interactive") != ""
    assert made.digest("raw-shuffled") == made.digest("simple") == ""
    other = write_texts(workspace, "town", "other", frame.with_columns(person=pl.lit("p2")))
    both = Completions.read([f"interactive={path}", f"interactive={other}"])
    assert both.frames["interactive"]["person"].to_list() == ["p1", "p2"]
    assert both.digest("interactive") != made.digest("interactive")
    frame.drop("cutoff").write_parquet(tmp_path / "lacking.parquet")
    with pytest.raises(UsageError, match="is no file of completions"):
        Completions.read([f"interactive={tmp_path / 'lacking.parquet'}"])


def test_completions_take_the_place_of_rules(town):
    (stage,) = prepare(town, "temporal")
    assert stage.fold.cutoff is not None
    people = stage.fold.train.people["id"]
    rows = pl.DataFrame(
        {"person": people, "state": "done", "text": "said by a model: " + people, "items": 4, "unsupported": 1}
    ).with_columns(skills=pl.lit([], pl.List(pl.String)), cutoff=pl.lit(stage.fold.cutoff.isoformat()))
    frame = rows.select([pl.col(name).cast(dtype) for name, dtype in TEXTS.items()])
    texts = FoldTexts(stage, {"interactive": frame[1:]})
    assert texts.of("interactive", 0)[:2] == ["", f"said by a model: {people[1]}"]
    assert texts.of("simple", 0) == FoldTexts(stage).of("simple", 0)
    assert all(text in ("", *frame["text"]) for text in texts.of("shuffled", 0))
    assert texts.audit("interactive", 1) == (4 * (len(people) - 1), len(people) - 1, 1)
    elsewhere = FoldTexts(stage, {"interactive": frame.with_columns(cutoff=pl.lit("2001-01-01T00:00:00"))})
    with pytest.raises(UsageError, match="hold nobody"):
        elsewhere.of("interactive", 0)


def test_an_unknown_condition_is_an_error(town):
    board = Board("town", town, "temporal")
    with pytest.raises(UsageError, match="no text condition 'poem'; there are none, raw"):
        board.stages("poem", 0)


def test_field_conditions_show_what_they_say(town):
    board = Board("town", town, "temporal")
    conditions = field_conditions(board.fields)
    assert {"everything", "ids alone", "only person.text", "without job", "only job.state"} <= set(conditions)

    def seen(condition: str) -> set[str]:
        (stage,) = board.stages(condition, 0)
        data = stage.data
        assert stage.query.features is not None
        assert stage.query.features.shape[1] == data.user_features.matrix.shape[1]
        found = {f"person.{name}" for name in data.user_features.field_names}
        found |= {f"job.{name}" for name in data.item_features.field_names}
        return (
            found
            | ({"person.text"} if any(data.user_texts) else set())
            | ({"job.text"} if any(data.item_texts) else set())
        )

    everything = {name for name in board.fields if "." in name}
    assert seen("everything") == everything
    assert seen("ids alone") == set()
    assert seen("only job.state") == {"job.state"}
    assert seen("without person.text") == everything - {"person.text"}
    assert seen("without job") == {name for name in everything if name.startswith("person.")}

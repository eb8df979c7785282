"""Inferred skills: planted evidence comes out, ranked and cited; nothing after the cut; the same every time."""

import json
from datetime import datetime

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from metier.cli.skills import skills
from metier.data import Tables
from metier.data.workspace import Workspace
from metier.enrich.inferred_skills import Trust, inferred_skills, known_before, with_inferred_skills
from metier.enrich.taxonomy import own_taxonomy
from metier.errors import DataRejectedError, UnknownIdError, UsageError
from metier.features.assemble import assemble, person_texts
from metier.sources.market.generate import generate, world_of
from metier.sources.market.knobs import MarketKnobs


def day(number: int) -> datetime:
    return datetime(2026, 1, number)


def tables() -> Tables:
    """ann names a skill and cooked, ben cooked and applied, cat is unknown, dan only applied."""
    return Tables.build(
        pl.DataFrame({"id": ["ann", "ben", "cat", "dan"], "text": ["I know knife skills.", None, None, " "]}),
        pl.DataFrame({"id": ["1", "2"], "title": ["Owner", "DBA"], "text": ["With Salesforce.", "Oracle"]}),
        pl.DataFrame({"person": ["ben", "dan", "ben"], "job": ["1", "2", "1"], "time": [day(5), day(6), day(7)]}),
        pl.DataFrame(
            {
                "person": ["ann", "ben", "ben"],
                "sequence": [1, 1, 2],
                "title": ["Line Cook", "Line Cook", "Welder"],
                "text": ["ServSafe", None, None],
                "time": [None, day(1), day(28)],
            }
        ),
    )


def of(frame: pl.DataFrame, person: str) -> dict[str, tuple[float, str]]:
    (row,) = frame.filter(person=person).to_dicts()
    return dict(zip(row["skills"], zip(row["weights"], row["evidence"], strict=True), strict=True))


def test_planted_evidence_is_ranked_and_cited():
    found = inferred_skills(tables(), own_taxonomy())
    assert found["person"].to_list() == ["ann", "ben", "cat", "dan"]
    ann = of(found, "ann")
    assert list(ann)[:2] == ["knife skills", "ServSafe"]
    assert ann["knife skills"] == (pytest.approx(1 - 0.1 * 0.6), "profile; past job: Line Cook")
    assert ann["ServSafe"] == (pytest.approx(1 - 0.2 * 0.6), "past job: Line Cook")
    assert ann["grill station"] == (pytest.approx(0.4), "past job: Line Cook")
    assert of(found, "ben")["Salesforce"] == (pytest.approx(0.15), "job 1")
    assert of(found, "dan")["SQL"] == (pytest.approx(0.1), "job 2")
    assert of(found, "dan")["Oracle"] == (pytest.approx(1 - 0.85 * 0.9), "job 2")
    assert of(found, "cat") == {}


def test_evidence_can_be_mistrusted_and_lists_cut():
    assert of(inferred_skills(tables(), own_taxonomy(), trust=Trust(wish=0, wish_occupation=0)), "dan") == {}
    assert len(of(inferred_skills(tables(), own_taxonomy(), most=3), "ann")) == 3
    assert set(of(inferred_skills(tables(), own_taxonomy(), least=0.5), "ann")) == {"knife skills", "ServSafe"}
    with pytest.raises(UsageError, match="most is 0"):
        inferred_skills(tables(), own_taxonomy(), most=0)


def test_row_order_does_not_matter():
    shuffled = tables()
    shuffled = shuffled.replace(history=shuffled.history.reverse(), interactions=shuffled.interactions.reverse())
    assert inferred_skills(shuffled, own_taxonomy()).equals(inferred_skills(tables(), own_taxonomy()))


def test_only_the_past_is_known_before():
    past = known_before(tables())
    assert past.interactions.is_empty()
    assert past.history["title"].to_list() == ["Line Cook", "Line Cook"]  # not the job of the 28th


@pytest.mark.parametrize("windows", [True, False])
def test_who_applies_late_or_never_keeps_no_job_after_the_cut_off(windows):
    """eva first applies after the cut-off, fay never; each holds one past job from before it and one from after."""
    known = Tables.build(
        pl.DataFrame({"id": ["ann", "eva", "fay"], "window": [1, 1, 1]}),
        pl.DataFrame({"id": ["1", "2"], "window": [1, 1]}),
        pl.DataFrame({"person": ["ann", "eva"], "job": ["1", "2"], "time": [day(1), day(31)]}),
        pl.DataFrame(
            {
                "person": ["eva", "eva", "fay", "fay"],
                "sequence": [1, 2, 1, 2],
                "title": ["Welder", "Line Cook", "Welder", "Line Cook"],
                "time": [day(28), day(2), day(28), day(2)],
            }
        ),
    )
    cut = {"window": [1], "start": [day(1)], "cutoff": [day(21)], "end": [day(31)]}
    known = known.replace(windows=known.windows.clear())
    if windows:
        known = known.replace(windows=pl.DataFrame(cut, schema=known.windows.schema))
    assert known_before(known).history["title"].to_list() == ["Line Cook", "Line Cook"]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_column_skills_of_ones_own_stays(as_text):
    own = tables()
    own = own.replace(people=own.people.with_columns(skills=pl.lit("judo")))
    enriched = with_inferred_skills(own, inferred_skills(known_before(own), own_taxonomy()), as_text=as_text)
    added = [] if as_text else ["inferred_skills"]
    assert enriched.people.columns == [*own.people.columns, *added]
    assert enriched.people["skills"].to_list() == ["judo"] * 4
    if as_text:
        assert enriched.people["text"][0].startswith("knife skills, ServSafe")


def test_models_read_the_column():
    inferred = inferred_skills(known_before(tables()), own_taxonomy())
    enriched = with_inferred_skills(tables(), inferred)
    assert enriched.people["inferred_skills"].dtype == pl.List(pl.String)
    features = assemble(enriched).dataset.user_features
    assert any("knife skills" in name for name in features.names)
    assert with_inferred_skills(enriched, inferred).people.equals(enriched.people)
    told = person_texts(with_inferred_skills(tables(), inferred, as_text=True))
    assert told[0].startswith("knife skills, ServSafe")
    assert told[2:] == ["", ""]


def test_the_market_tells_its_people_apart():
    """Skills inferred from past jobs are true more often than the most common ones."""
    market = generate(MarketKnobs(people=200), seed=1)
    names = [spelled[0] for spelled in world_of(market.truth.knobs).skills]
    true = {
        person: {name for number, name in enumerate(names) if bits[number // 64] >> (number % 64) & 1}
        for person, bits in market.truth.people.select("id", "skills").iter_rows()
    }
    held = pl.Series([name for skills in true.values() for name in skills]).value_counts(name="n")
    common = set(held.sort("n", "", descending=True)[""].head(10))
    found = inferred_skills(known_before(market.tables), own_taxonomy(), most=10)
    told = {person: skills for person, skills in found.select("person", "skills").iter_rows() if skills}
    right = sum(len(true[person] & set(skills)) for person, skills in told.items()) / sum(map(len, told.values()))
    baseline = sum(len(true[person] & common) for person in told) / (10 * len(told))
    assert len(told) > 150
    assert right > 0.35 > 2 * baseline


def command(*arguments: object):
    app = typer.Typer()
    app.command("skills")(skills)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_keeps_a_dataset(tmp_path):
    Workspace(tmp_path).save("tiny", tables(), {"source": "test"})
    ran = command("tiny", "--home", tmp_path, "--as", "told", "--person", "ann", "--json")
    first = json.loads(ran.stdout)["skills"][0]
    assert first == {
        "skills": "knife skills",
        "weights": pytest.approx(0.94),
        "evidence": "profile; past job: Line Cook",
    }
    kept = Workspace(tmp_path).load("told")
    assert kept.people["inferred_skills"].list.len().to_list()[2:] == [0, 0]
    assert json.loads(command("tiny", "--home", tmp_path, "--json").stdout)["with skills"] == 2
    assert isinstance(command("tiny", "--home", tmp_path, "--person", "eve").exception, UnknownIdError)


@pytest.mark.parametrize("more", [[], ["--as-text"]])
def test_skills_in_the_place_of_completed_texts_are_no_completed_texts(tmp_path, more):
    Workspace(tmp_path).save("tiny", tables(), {"completed": {"from": "t"}, "completed_for": "given", "source": "test"})
    command("tiny", "--home", tmp_path, "--as", "told", *more)
    kept = set(Workspace(tmp_path).about("told"))
    assert kept >= {"source", "inferred_skills"}
    assert bool(kept & {"completed", "completed_for"}) == (not more)


def test_the_command_refuses_what_it_would_ignore_or_write_over(tmp_path, monkeypatch):
    Workspace(tmp_path).save("tiny", tables(), {"source": "test"})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").write_text("Line cook.")
    for wrong, said in (
        (["tiny", "--as", "tiny"], "write over"),
        (["tiny", "--exact"], "--exact means nothing"),
        (["tiny", "--as-text"], "--as NAME"),
        (["./tiny", "--person", "ann"], "--person means nothing"),
        (["./tiny", "--taxonomy", ","], "there: own"),
        (["nosuch.pdf"], "no file nosuch.pdf"),
        ([tmp_path], "the path of a résumé"),
    ):
        error = command(*wrong, "--home", tmp_path).exception
        assert isinstance(error, UsageError)
        assert said in str(error)
    assert "with skills" in command("tiny", "--home", tmp_path, "--json").stdout
    assert "matches" in command("./tiny", "--home", tmp_path, "--json").stdout


def test_the_command_shows_spans(tmp_path):
    (tmp_path / "cv.txt").write_text("Line cook. I write unit tests.")
    matches = json.loads(command(tmp_path / "cv.txt", "--json").stdout)["matches"]
    assert [(one["kind"], one["text"], one["how"]) for one in matches] == [
        ("occupation", "Line cook", "exact"),
        ("skill", "write unit tests", "embedding"),
    ]
    assert "Line cook" in command(tmp_path / "cv.txt", "--exact").stdout
    (tmp_path / "cv.pdf").write_bytes(b"\xff\xfe\x00")
    assert isinstance(command(tmp_path / "cv.pdf").exception, DataRejectedError)

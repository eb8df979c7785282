"""`metier recommend`: the right jobs, in every format, for people known and new."""

import io
import json
from dataclasses import replace

import docx
import numpy as np
import polars as pl
import pytest

from metier.bundle import Bundle, load
from metier.cli.recommend import _descending
from metier.data.workspace import Workspace

PEOPLE = ["p3", "p1", "p8"]


@pytest.fixture(scope="module", autouse=True)
def bundles(town_home):
    from metier.cli.app import run

    for name in ("popularity", "item-knn", "content", "place"):
        run(["train", "town", "--model", name, "--as", name, "--home", str(town_home), "--json"])


def as_json(ran):
    assert ran.code == 0, ran.err
    return {entry["person"]: entry["jobs"] for entry in json.loads(ran.out)["recommendations"]}


def test_every_format_says_the_same(metier, tmp_path):
    asked = ["recommend", "popularity", "--users", ",".join(PEOPLE), "-k", "4"]
    found = as_json(metier(*asked, "--json"))
    assert list(found) == PEOPLE
    assert found == as_json(metier(*asked, "--format", "json"))
    csv = pl.read_csv(io.StringIO(metier(*asked, "--format", "csv").out))
    pairs = [(person, job["job"]) for person, jobs in found.items() for job in jobs]
    assert list(csv.select("person", "job").iter_rows()) == pairs
    assert metier(*asked, "--format", "trec", "--out", tmp_path / "run.txt").out == ""
    lines = [line.split(" ") for line in (tmp_path / "run.txt").read_text().splitlines()]
    assert [(line[0], line[2]) for line in lines] == pairs
    assert {(line[1], line[5], len(line)) for line in lines} == {("Q0", "metier", 6)}
    assert [int(line[3]) for line in lines] == [1, 2, 3, 4] * 3
    table = metier(*asked).out
    assert all(job in table for _, job in pairs)


def test_a_run_survives_sorting_by_score(metier):
    """Popularity is full of ties; a tool that sorts by score must find our order again."""
    out = metier("recommend", "popularity", "--users", "p1", "--format", "trec").out
    scores = np.array([line.split(" ")[4] for line in out.splitlines()], dtype=np.float32)
    assert len(scores) == 25
    assert (np.diff(scores) < 0).all()


def test_descending_moves_only_ties():
    scores = np.array([[3, 3, 3, 1], [2, 1, np.nan, np.nan], [0, 0, -1, -1]], np.float32)
    apart = _descending(scores)
    assert (np.diff(apart[0]) < 0).all()
    assert (np.diff(apart[2]) < 0).all()
    np.testing.assert_array_equal(apart[1], scores[1])
    np.testing.assert_allclose(apart, scores, rtol=1e-6, atol=1e-40)


def test_seen_jobs_never_come_back(metier, town_home):
    pairs = Workspace(town_home).load("town").interactions
    people = pairs["person"].unique().to_list()
    found = as_json(metier("recommend", "item-knn", "--users", ",".join(people), "--json"))
    seen = set(pairs.select("person", "job").iter_rows())
    assert len(found) > 100
    assert not [1 for person, jobs in found.items() for job in jobs if (person, job["job"]) in seen]


def test_ids_from_a_file(metier, tmp_path):
    (tmp_path / "ids.txt").write_text("\ufeffp3\n\n  p1\r\np3\n")
    assert list(as_json(metier("recommend", "popularity", "--users", tmp_path / "ids.txt", "--json"))) == ["p3", "p1"]


def test_unknown_people(metier):
    asked = ["recommend", "popularity", "--users", "p1,nobody,nothing", "--format", "csv"]
    ran = metier(*asked)
    assert ran.code == 2
    assert "'nobody', 'nothing'" in ran.err
    assert "--skip-unknown" in ran.err
    ran = metier(*asked, "--skip-unknown")
    assert ran.code == 0
    assert "skipped 2 unknown people" in ran.err
    assert set(pl.read_csv(io.StringIO(ran.out))["person"]) == {"p1"}
    assert metier("recommend", "popularity", "--users", "nobody", "--skip-unknown").code == 2


def test_people_the_model_cannot_rank_are_counted(metier):
    ran = metier("recommend", "item-knn", "--users", "p1,p119", "--format", "csv")
    assert ran.code == 0
    assert "1 of 2 people got no recommendation" in ran.err


def test_new_person_is_matched_by_words(metier, tmp_path):
    (tmp_path / "cv.txt").write_text("I have been a welder for ten years; welder, welder.")
    jobs = as_json(metier("recommend", "content", "--resume", tmp_path / "cv.txt", "-k", "5", "--json"))["new"]
    assert {job["title"] for job in jobs} == {"Welder wanted"}


def test_new_person_may_send_a_word_document(metier, tmp_path):
    document = docx.Document()
    document.add_paragraph("I have been a welder for ten years; welder, welder.")
    document.save(str(tmp_path / "cv.docx"))
    jobs = as_json(metier("recommend", "content", "--resume", tmp_path / "cv.docx", "-k", "5", "--json"))["new"]
    assert {job["title"] for job in jobs} == {"Welder wanted"}


def test_new_person_is_matched_by_place(metier, tmp_path):
    (tmp_path / "cv.txt").write_text("anything")
    asked = ["recommend", "place", "--resume", tmp_path / "cv.txt", "-k", "3", "--json"]
    ran = metier(*asked, "--city", "OH-1", "--state", "OH", "--country", "US")
    assert ran.err == ""
    assert {job["city"] for job in as_json(ran)["new"]} == {"OH-1"}
    assert "city 'Atlantis' is left out" in metier(*asked, "--city", "Atlantis").err
    assert "cure: give --state and --country, too" in metier(*asked, "--city", "OH-1").err
    assert "cure: spell it as there" in metier(*asked, "--country", "Atlantis").err


def test_the_place_of_the_resume_is_used_where_no_option_gives_one(metier, tmp_path):
    """The town has no Columbus, so the state is what is known."""
    (tmp_path / "cv.txt").write_text(
        "Ann Lee\nColumbus, OH 43004\nann@example.org\n\nExperience\nWelder, Acme, 2015 - 2019\n"
    )
    asked = ["recommend", "place", "--resume", tmp_path / "cv.txt", "-k", "3", "--json"]
    ran = metier(*asked)
    assert "the place that the résumé states is used" in ran.err
    assert "Columbus" not in ran.err
    assert {job["state"] for job in as_json(ran)["new"]} == {"OH"}
    assert metier(*asked, "--state", "TX", "--country", "US").err == ""


def test_a_model_that_ignores_the_place_says_so(metier, tmp_path):
    (tmp_path / "cv.txt").write_text("welder")
    asked = ["--resume", tmp_path / "cv.txt", "--state", "TX", "--country", "US", "--json"]
    ran = metier("recommend", "content", *asked)
    assert ran.err == (
        "metier: model 'content' ignores the place: without it these are the same; `place` and `fm` use it\n"
    )
    assert as_json(ran) == as_json(metier("recommend", "content", *asked[:2], "--json"))
    assert metier("recommend", "place", *asked).err == ""


def test_a_model_whose_scores_follow_the_place_does_not_ignore_it(metier, tmp_path, monkeypatch):
    """Though the jobs and their order are the same."""
    plain = Bundle.recommend

    def following(bundle, query, k):
        found = plain(bundle, query, k)
        return replace(found, scores=found.scores + query.features.sum())

    monkeypatch.setattr(Bundle, "recommend", following)
    (tmp_path / "cv.txt").write_text("welder")
    assert metier("recommend", "content", "--resume", tmp_path / "cv.txt", "--state", "TX", "--country", "US").err == ""


def test_a_model_that_cannot_rank_new_people_says_so(metier, tmp_path, monkeypatch):
    (tmp_path / "cv.txt").write_text("anything")
    bundle = load(Workspace.open().model("popularity"))
    monkeypatch.setattr(type(bundle.model), "scores_new_users", False)
    ran = metier("recommend", "popularity", "--resume", tmp_path / "cv.txt")
    assert ran.code == 2
    assert "cannot rank for a new person; cure" in ran.err


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [(b"", 3, "cure"), (b"%PDF-1.7 \xff\xfe\x00", 3, "cure"), (None, 2, "no file")],
)
def test_resume_that_cannot_be_read(metier, tmp_path, content, code, said):
    if content is not None:
        (tmp_path / "cv").write_bytes(content)
    ran = metier("recommend", "content", "--resume", tmp_path / "cv")
    assert ran.code == code
    assert said in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["popularity"], "--users"),
        (["popularity", "--users", "p1", "--resume", "x"], "one of the three"),
        (["nonsense", "--users", "p1"], "no bundle 'nonsense'"),
        (["popularity", "--users", " , "], "names nobody"),
        (["popularity", "--users", "p1", "-k", "0"], "-k"),
        (["popularity", "--users", "p1", "--out", "run.txt"], "--format"),
    ],
)
def test_wrong_use(metier, arguments, said):
    ran = metier("recommend", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_altered_bundle_is_refused(metier, town_home):
    metier("train", "town", "--model", "random", "--as", "altered")
    path = Workspace(town_home).model("altered") / "config.json"
    path.write_text(path.read_text() + " ")
    ran = metier("recommend", "altered", "--users", "p1", "--json")
    assert ran.code == 1
    assert json.loads(ran.err)["error"]["type"] == "BundleError"


def test_trec_refuses_ids_with_spaces(metier, town_home):
    town = Workspace(town_home).load("town")
    rename = pl.col("person").replace("p1", "p 1")
    spaced = town.replace(
        people=town.people.with_columns(pl.col("id").replace("p1", "p 1")),
        interactions=town.interactions.with_columns(rename),
        history=town.history.with_columns(rename),
    )
    Workspace(town_home).save("spaced", spaced, {})
    try:
        metier("train", "spaced", "--model", "popularity", "--as", "spaced")
        ran = metier("recommend", "spaced", "--users", "p 1", "--format", "trec")
        assert ran.code == 2
        assert "'p 1' has a space" in ran.err
    finally:
        for file in Workspace(town_home).dataset("spaced").iterdir():
            file.unlink()
        Workspace(town_home).dataset("spaced").rmdir()


def test_a_place_alone_describes_a_new_person(metier):
    jobs = as_json(metier("recommend", "place", "--state", "TX", "--country", "US", "-k", "3", "--json"))["new"]
    assert {job["state"] for job in jobs} == {"TX"}


def test_an_unwritable_file_is_named_with_a_cure(metier, tmp_path):
    ran = metier("recommend", "popularity", "--users", "p1", "--format", "csv", "--out", tmp_path / "no" / "x.csv")
    assert ran.code == 1
    assert str(tmp_path / "no" / "x.csv") in ran.err
    assert "cure" in ran.err
    assert "Errno" not in ran.err


def test_a_model_that_cannot_read_says_which_can(metier, tmp_path):
    (tmp_path / "cv.txt").write_text("nurse")
    ran = metier("recommend", "item-knn", "--resume", tmp_path / "cv.txt")
    assert ran.code == 0
    assert "`content` and `fm` read a résumé" in ran.err

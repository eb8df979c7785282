"""The audit finds a scorer that minds names, and finds nothing where a scorer does not."""

import tomllib
from importlib.resources import files

import numpy as np
import polars as pl
import pytest

from metier.cli.app import run
from metier.data.workspace import Workspace
from metier.operate.resume_pairs import draw_pairs
from metier.operate.swap import ask_bundle, swap_audit
from metier.testing.worlds import small_town


@pytest.fixture(scope="module")
def pairs():
    return draw_pairs(1000, rng=np.random.default_rng(0))


def by_kind(rows):
    return {
        kind: (sum(row.pairs for row in rows if row.kind == kind), sum(row.moved for row in rows if row.kind == kind))
        for kind in {row.kind for row in rows}
    }


def test_a_scorer_that_sees_no_name_does_not_move(pairs):
    def ask(text):
        return {"j1": float(text.count("Skills")), "j2": 0.5}

    rows = swap_audit(ask, pairs, rng=np.random.default_rng(0))
    assert sum(row.pairs for row in rows) == 1000
    assert {(row.moved, row.overlap, row.shift, row.low, row.high) for row in rows} == {(0, 1.0, 0.0, 0.0, 0.0)}


def test_a_scorer_that_favours_men_is_found_with_its_direction(pairs):
    """One more for "he" alone: pairs from man to woman lose one, for certain."""

    def ask(text):
        return {"j1": 1.0 + (" he " in text.replace("\n", " ").lower().replace(".", " "))}

    rows = swap_audit(ask, pairs, rng=np.random.default_rng(0))
    counts = by_kind(rows)
    assert counts["name"][1] == counts["school"][1] == 0
    assert counts["pronoun"][1] > 0
    assert counts["name and pronoun"][1] > 0
    for row in rows:
        if row.kind == "name and pronoun":
            assert (row.one.endswith(" man"), row.other.endswith(" woman")) == (True, True)
            assert row.low <= row.shift < 0
        assert row.must_not_move == (row.kind != "school")


def test_another_order_of_equal_jobs_is_a_move(pairs):
    answers = iter([{"a": 1.0, "b": 1.0}, {"b": 1.0, "a": 1.0}])
    [row] = swap_audit(lambda text: next(answers), pairs[:1], rng=np.random.default_rng(0))
    assert (row.moved, row.overlap, row.shift) == (1, 1.0, 0.0)


def test_a_model_that_is_not_served_sees_names(metier, town_home):
    """The words of a résumé are its own: a name in the training texts is a word like any other."""
    assert metier("train", "town", "--model", "content", "--as", "content").code == 0
    ask, as_served = ask_bundle(Workspace(town_home).model("content"), 5)
    assert not as_served
    assert len(ask("I am a nurse")) == 5
    assert ask("I am a nurse") != ask("I am a welder")


@pytest.fixture(scope="module")
def minding_town(tmp_path_factory):
    """Postings and people full of names, pronouns and schools: whoever reads them in a résumé scores by them."""
    words = tomllib.loads(files("metier.operate").joinpath("names.toml").read_text(encoding="utf-8"))
    names = [name for race in words["given"].values() for names in race.values() for name in names]
    said = [" ".join(forms) for forms in words["pronouns"].values()]
    schools = [school for some in words["schools"].values() for school in some]

    def told(frame):
        more = [f"{names[n % len(names)]} {said[n % 3]} {schools[n % len(schools)]}" for n in range(len(frame))]
        return frame.with_columns(text=pl.concat_str("text", pl.Series(more), separator=" "))

    town = small_town()
    workspace = Workspace(tmp_path_factory.mktemp("minding"))
    workspace.save("minding", town.replace(people=told(town.people), jobs=told(town.jobs)), {"source": "test"})
    return workspace


def trained(workspace, name):
    if name not in workspace.names("models"):
        run(["train", "minding", "--model", name, "--as", name, "--home", str(workspace.home), "--json"])
    return workspace.model(name)


def test_a_model_that_reads_names_moves(minding_town, pairs):
    """So the next test can fail."""
    ask, _ = ask_bundle(trained(minding_town, "content"), 10)
    counts = by_kind(swap_audit(ask, pairs[:40], rng=np.random.default_rng(0)))
    assert all(moved > 0 for _, moved in counts.values())


SERVED = [
    pytest.param("profile", 60),
    pytest.param("profile", 1000, marks=pytest.mark.slow),
    pytest.param("ranker", 1000, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "count"), SERVED)
def test_no_name_and_no_pronoun_moves_a_model_that_is_served(minding_town, pairs, name, count):
    ask, as_served = ask_bundle(trained(minding_town, name), 10)
    assert as_served
    rows = swap_audit(ask, pairs[:count], rng=np.random.default_rng(0))
    assert sum(row.pairs for row in rows) == count
    assert [row for row in rows if row.must_not_move and row.moved] == []
    assert sum(row.moved for row in rows if row.kind == "school") > 0  # they are heard, and reported apart

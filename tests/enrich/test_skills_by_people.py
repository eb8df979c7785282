"""Skills worked out in partitions of people are those worked out at once."""

from polars.testing import assert_frame_equal

from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.enrich.inferred_skills import inferred_skills, known_before
from metier.enrich.skills_by_people import skills_by_people
from metier.enrich.taxonomy import load_taxonomy
from metier.sources.market import MarketKnobs, generate


def test_partitions_change_nothing(tmp_path, metier):
    workspace = Workspace(tmp_path)
    tables = generate(MarketKnobs(people=150), 0).tables
    workspace.save("market", tables, {})
    past = known_before(tables)
    expected = inferred_skills(past, load_taxonomy(workspace, ["own"]))
    assert expected["skills"].list.len().sum() > 100
    with open_engine("local", workers=2) as engine:
        found = skills_by_people(engine, past, workspace, ["own"], tmp_path / "cells", rows=40)
    assert_frame_equal(found, expected)
    assert not (tmp_path / "cells").exists()
    options = ["skills", "market", "--home", tmp_path, "--json"]
    assert metier(*options, "--workers", "2").out == metier(*options).out
    (tmp_path / "cv.txt").write_text("I cook")
    assert metier("skills", tmp_path / "cv.txt", "--workers", "2", "--home", tmp_path).code == 2

"""Cells are kept when they are done: through errors, a kill and a second plan."""

import json
import multiprocessing
import time

import pytest
from typer.testing import CliRunner

from metier.cli.study import app
from metier.data.workspace import Workspace
from metier.enrich.study.board import Board
from metier.enrich.study.cells import Cell, CellLog, run
from metier.enrich.study.conduct import Boards, Completions, field_cells, text_cells
from metier.enrich.study.plan import StudyPlan
from metier.errors import ConfigError, MetierError, UsageError
from metier.testing.worlds import small_town

ARGUMENTS = ["resume", "town", "--models", "popularity,random,content", "--seeds", "2"]


def cell(condition: str = "raw", *, model: str = "content", seed: int = 0, trials: int = 0, **settings: object) -> Cell:
    return Cell("town", "temporal", model, model, settings, condition, seed, 25, trials, "data", "")


@pytest.fixture(scope="module")
def board() -> Board:
    return Board("town", small_town(), "temporal")


def test_finished_cells_are_kept_and_not_repeated(board, tmp_path):
    log = CellLog(tmp_path)
    run([cell(), cell("none")], lambda name: board, log)
    again = CellLog(tmp_path)
    assert again.done(cell())
    assert again.done(cell("none"))
    assert not again.done(cell(seed=1))
    assert again.values(cell()).columns == ["fold", "person", "history", "relevant", "map", "ndcg", "mrr"]

    def nobody(name: str) -> Board:
        raise AssertionError("asked again")

    run([cell(), cell("none")], nobody, again)
    assert len(again.path.read_bytes().splitlines()) == 2


def test_a_text_changes_what_a_model_answers(board, tmp_path):
    log = CellLog(tmp_path)
    run([cell(), cell("none"), cell("random")], lambda name: board, log)
    raw, none, random = (log.values(cell(text))["map"].mean() for text in ("raw", "none", "random"))
    assert raw > none
    assert raw > random


def test_a_cell_that_fails_is_told_and_tried_again(board, tmp_path):
    broken = cell(model="two-tower", device="cuda")
    log = CellLog(tmp_path)
    run([broken, cell()], lambda name: board, log)
    error = log.finished[broken.key()].error
    assert error
    assert "two-tower" in error
    assert log.done(cell())
    assert not CellLog(tmp_path).done(broken)
    run([broken, cell()], lambda name: board, log)
    assert len(log.path.read_bytes().splitlines()) == 3


def test_everything_that_decides_the_values_is_in_the_key():
    keys = {cell().key(), cell("none").key(), cell(seed=1).key(), cell(trials=2).key(), cell(encoder="embedding").key()}
    assert len(keys) == 5
    assert cell().key() == cell().key()
    assert cell(seed=0).key(seed=False) == cell(seed=1).key(seed=False) != cell("none").key(seed=False)


def test_a_line_without_end_is_cut_and_a_damaged_one_is_told(board, tmp_path):
    log = CellLog(tmp_path)
    run([cell()], lambda name: board, log)
    with log.path.open("ab") as file:
        file.write(b'{"key": "half')
    reader = CellLog(tmp_path)
    assert reader.done(cell())
    assert log.path.read_bytes().endswith(b"half")  # somebody may be writing it: who only reads leaves it alone
    run([cell("none")], lambda name: board, reader)
    assert CellLog(tmp_path).done(cell("none"))
    log.path.write_bytes(b"{}\n" + log.path.read_bytes())
    with pytest.raises(MetierError, match="line 1, is damaged"):
        CellLog(tmp_path)


def test_tuning_is_once_for_all_seeds_and_on_the_inner_split(board, tmp_path):
    log = CellLog(tmp_path)
    run([cell(trials=2), cell(trials=2, seed=1)], lambda name: board, log)
    (folder,) = (tmp_path / "tuning").iterdir()
    assert len((folder / "trials.jsonl").read_bytes().splitlines()) == 3  # the plan and two trials
    tuned = [one.tuned for one in log.finished.values()]
    assert tuned[0] == tuned[1]
    assert set(tuned[0]) == {"encoder", "profile_weight"}


def test_plans_say_what_is_wrong():
    with pytest.raises(UsageError, match="no text condition 'poem'"):
        StudyPlan.shipped("default").only(texts=["poem"])
    with pytest.raises(UsageError, match="no model 'nobody'; there are fm, afm"):
        StudyPlan.shipped("default").only(models=["nobody"])
    with pytest.raises(ConfigError, match=r"plan mine: grids\.main\.texts\.0"):
        StudyPlan.check('[models.fm]\n[grids.main]\nmodels = ["fm"]\ntexts = ["poem"]', "mine")
    with pytest.raises(ConfigError, match="grid main has fm"):
        StudyPlan.check('[models.afm]\n[grids.main]\nmodels = ["fm"]\ntexts = ["raw"]', "mine")
    with pytest.raises(UsageError, match="no model 'poet'"):
        StudyPlan.check('[models.poet]\n[grids.main]\nmodels = ["poet"]\ntexts = ["raw"]', "mine").here()


def test_one_dataset_comes_after_the_other_and_past_applications_are_left_out_where_a_model_can(tmp_path):
    workspace = Workspace(tmp_path)
    for name in ("town", "village"):
        workspace.save(name, small_town(), {})
    boards = Boards(workspace, {"town": "temporal", "village": "temporal"}, Completions({}, {}), ())
    plan = StudyPlan.shipped("quick").model_copy(update={"seeds": 2})
    order = [(one.dataset, one.seed) for one in text_cells(plan, boards, Completions({}, {}))]
    assert list(dict.fromkeys(order)) == [("town", 0), ("town", 1), ("village", 0), ("village", 1)]
    cells = field_cells(["fm", "svdpp", "content"], boards, seeds=1, k=25)
    assert {one.label for one in cells} == {"fm", "fm-no-ids", "fm-no-past", "svdpp", "content"}


@pytest.mark.parametrize("name", ["default", "quick"])
def test_shipped_plans_run_here_or_say_what_is_left_out(name):
    plan, left_out = StudyPlan.shipped(name).here()
    assert "fm" in plan.models
    assert all(label in StudyPlan.shipped(name).models for label in left_out)
    assert StudyPlan.check(plan.toml(), "again") == plan
    assert len(list(plan.pairs())) == len(set(plan.pairs()))


def test_a_cell_of_two_grids_runs_once():
    pairs = list(StudyPlan.shipped("default").pairs())
    assert pairs.count(("lgir", "interactive")) == 1
    assert ("review-afm-cosine", "interactive") in pairs
    assert ("review-afm-cosine", "raw") not in pairs


def test_further_models_join_the_main_grid():
    plan = StudyPlan.shipped("default").only(models=["content", "fm"], texts=["none", "raw"])
    assert list(plan.pairs()) == [(m, t) for m in ("fm", "content") for t in ("none", "raw")]


def command(arguments: list[str]) -> None:
    """`metier study`, in a process of its own."""
    app(arguments)


def test_a_killed_study_goes_on_to_the_same_end(tmp_path):
    for home in ("killed", "whole"):
        Workspace(tmp_path / home).save("town", small_town(), {})
    process = multiprocessing.get_context("spawn").Process(
        target=command, args=([*ARGUMENTS, "--home", str(tmp_path / "killed")],)
    )
    process.start()
    path = tmp_path / "killed" / "studies" / "town" / "cells.jsonl"
    deadline = time.monotonic() + 240
    while not path.is_file() or path.read_bytes().count(b"\n") < 3:
        assert process.is_alive(), "it ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.join()
    kept = path.read_bytes()[: path.read_bytes().rfind(b"\n") + 1]
    runner = CliRunner()
    for home in ("killed", "whole"):
        ran = runner.invoke(app, [*ARGUMENTS, "--home", str(tmp_path / home)])
        assert ran.exit_code == 0, ran.output
    assert path.read_bytes().startswith(kept), "a finished cell was done again"
    found = [
        json.loads((tmp_path / home / "studies" / "town" / "study.json").read_text()) for home in ("killed", "whole")
    ]
    assert found[0]["datasets"]["town"]["means"] == found[1]["datasets"]["town"]["means"]
    assert found[0]["datasets"]["town"]["contrasts"] == found[1]["datasets"]["town"]["contrasts"]
    assert found[0]["cells"] == {"all": 34, "finished": 34}

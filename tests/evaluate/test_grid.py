"""An experiment gives the same run wherever its cells run and whatever is killed meanwhile."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from metier.cli.app import app
from metier.cli.import_ import store_market
from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.errors import MetierError
from metier.evaluate import grid as grid_module
from metier.evaluate import run_folder
from metier.evaluate.experiment import Experiment
from metier.evaluate.grid import Grid, Reference

MODELS = ("random", "popularity", "place", "rp3beta", "content", "fm")
SETTINGS = {"fm": {"epochs": 2, "embedding_size": 4}}
SAME = ("metrics.json", "per_user.parquet", "qrels.txt", "experiment.toml", "runs/*.trec")
"""Files of a run that no engine may change."""


@pytest.fixture(scope="module")
def market(tmp_path_factory) -> Workspace:
    """A market of 300 people in seven windows, with its oracle."""
    there = Workspace(tmp_path_factory.mktemp("home"))
    store_market(there, "market", 300, 0)
    return there


@pytest.fixture(scope="module")
def asked() -> Experiment:
    entries = {name: {"settings": SETTINGS.get(name, {})} for name in MODELS}
    return Experiment.check({"dataset": "market", "protocol": "temporal", "models": entries}, "test")


def oracle(workspace: Workspace) -> dict[str, Reference]:
    return {"oracle": Reference("metier.sources.market.oracle:Oracle", workspace.dataset("market") / "oracle")}


def files(folder: Path) -> dict[str, str]:
    found = [path for pattern in SAME for path in folder.glob(pattern)]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.fixture(scope="module")
def expected(market, asked) -> dict[str, str]:
    """The run in memory, without an engine."""
    from metier.sources.market.oracle import Oracle

    def load() -> Oracle:
        return Oracle.load(market.dataset("market") / "oracle")

    run_folder.save(market.run("memory"), asked.run(market.load("market"), extra={"oracle": load}), asked)
    found = files(market.run("memory"))
    assert len(found) == 4 + len(MODELS) + 1
    return found


@pytest.mark.parametrize(("engine", "workers"), [("local", 1), ("local", 2), ("dask", 3)])
def test_the_same_run_files_on_every_engine(market, asked, expected, engine, workers, request, tmp_path):
    if engine == "dask":
        request.getfixturevalue("distributed")
    killed = []

    def kill(done: int, total: int, what: str) -> None:
        if workers > 1 and not killed and 0 < done < total:
            working = [one for one in psutil.Process().children(recursive=True) if "spawn_main" in str(one.cmdline())]
            killed.append(working[0].pid)
            working[0].kill()

    with open_engine(engine, workers=workers) as running:
        grid = Grid(market, asked, [0], oracle(market))
        (evaluation,) = grid.run(running, tmp_path / "cells", progress=kill)
    assert len(killed) == (workers > 1)
    run_folder.save(tmp_path / "run", evaluation, asked)
    assert files(tmp_path / "run") == expected


def test_each_fold_is_made_ready_once_in_one_process(market, asked, monkeypatch, tmp_path):
    made, prepare = [], grid_module.prepare
    monkeypatch.setattr(grid_module, "prepare", lambda *a, **k: (made.append(1), prepare(*a, **k))[1])
    with open_engine() as running:
        Grid(market, asked.model_copy(update={"models": {"random": asked.models["random"]}}), [0, 1], {}).run(
            running, tmp_path
        )
    assert len(made) == 7


def test_a_killed_evaluate_goes_on(market, expected, monkeypatch):
    names = ",".join(MODELS)
    options = ["market", "--protocol", "temporal", "--models", names, "--as", "cut", "--home", str(market.home)]
    options += [f"--set={model}.{key}={value}" for model, given in SETTINGS.items() for key, value in given.items()]
    cells = market.home / "runs" / ".cut.cells" / "out"
    started = subprocess.Popen(
        [sys.executable, "-c", "from metier.cli.app import main; main()", "evaluate", *options],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(list(cells.glob("part-*.parquet"))) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    started.kill()
    started.wait()
    finished = len(list(cells.glob("part-*.parquet")))
    assert 6 <= finished < 7 * (1 + len(MODELS) + 1)
    done, attempt = [], grid_module.attempt
    monkeypatch.setattr(grid_module, "attempt", lambda *a, **k: (done.append(a[2:4]), attempt(*a, **k))[1])
    ran = CliRunner().invoke(app, ["evaluate", *options])
    assert ran.exit_code == 0, ran.output
    of_models = [number for number in range(finished, 7 * (2 + len(MODELS))) if number % (2 + len(MODELS))]
    assert len(done) == len(of_models)
    assert files(market.run("cut")) == expected
    assert not cells.parent.exists()


def test_several_seeds_are_a_run_each(market):
    options = ["market", "--protocol", "temporal", "--models", "random,popularity", "--as", "many"]
    ran = CliRunner().invoke(app, ["evaluate", *options, "--seeds", "0,2", "--json", "--home", str(market.home)])
    assert ran.exit_code == 0, ran.output
    runs = json.loads(ran.stdout)["runs"]
    assert [one["run"] for one in runs] == ["many-seed0", "many-seed2"]
    alone = CliRunner().invoke(app, ["evaluate", *options, "--seed", "2", "--as", "alone", "--home", str(market.home)])
    assert "mean MAP@25" not in alone.stdout
    assert files(market.run("alone")) == files(market.run("many-seed2"))
    assert files(market.run("many-seed0")) != files(market.run("many-seed2"))
    table = CliRunner().invoke(app, ["evaluate", *options, "--seeds", "0,2", "--home", str(market.home)])
    assert "over the seeds 0, 2" in table.stdout
    for wrong in ("0,x", ",", "-1"):
        ran = CliRunner().invoke(app, ["evaluate", *options, "--seeds", wrong, "--home", str(market.home)])
        assert isinstance(ran.exception, MetierError)


def test_other_data_are_other_cells(market, asked, tmp_path):
    home = Workspace(tmp_path / "home")
    asked = asked.model_copy(update={"models": {"popularity": asked.models["popularity"]}})
    with open_engine() as running:
        for seed in (1, 2):
            store_market(home, "market", 150, seed)
            Grid(home, asked, [0], {}).run(running, tmp_path / "cells")
            (again,) = Grid(home, asked, [0], {}).run(running, tmp_path / "fresh" / str(seed))
            (found,) = Grid(home, asked, [0], {}).run(running, tmp_path / "cells")
            assert found.people.equals(again.people)
            assert (found.ranked["popularity"].items == again.ranked["popularity"].items).all()

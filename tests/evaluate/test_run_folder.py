"""What a run leaves on disk, read back by independent readers."""

import json
from pathlib import Path

import polars as pl
import pytest
import pytrec_eval

from metier.data.workspace import Workspace
from metier.errors import UsageError
from metier.evaluate import run_folder
from metier.evaluate.evaluation import Evaluation
from metier.evaluate.experiment import Experiment

MODELS = {"by-job": {}, "shuffled": {}, "silent": {}}


@pytest.fixture
def experiment() -> Experiment:
    return Experiment.check({"dataset": "town", "protocol": "temporal", "k": 10, "models": MODELS}, "test")


def judged(workspace: Workspace, experiment: Experiment) -> Evaluation:
    return experiment.run(workspace.load(experiment.dataset))


def test_everything_is_there(workspace: Workspace, experiment: Experiment) -> None:
    folder = workspace.run("one")
    report = run_folder.save(folder, judged(workspace, experiment), experiment)
    assert report == folder / "report.html"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = {"metrics.json", "timings.json", "per_user.parquet", "qrels.txt", "experiment.toml", "report.html"}
    assert names == files | {f"runs/{label}.trec" for label in MODELS}
    assert [path.name for path in folder.parent.iterdir()] == ["one"]  # nothing half-written is left beside it
    assert Experiment.read(folder / "experiment.toml") == experiment
    meta = run_folder.load(folder)["meta"]
    assert (meta["dataset"], meta["protocol"], meta["k"], meta["seed"]) == ("town", "temporal", 10, 0)
    assert meta["models"]["by-job"]["settings"] == {"sign": 1.0}
    assert set(meta["versions"]) == {"python", "metier", "numpy", "scipy", "numba", "polars"}
    assert meta["left_out"]["window 1"]["person without a relevant job"] > 0
    assert json.loads((folder / "timings.json").read_text())["models"]["by-job"].keys() == {"fit", "rank"}


def test_the_same_seed_gives_the_same_bytes(workspace: Workspace, experiment: Experiment) -> None:
    for name in ("one", "two"):
        run_folder.save(workspace.run(name), judged(workspace, experiment), experiment)
    for name in ("metrics.json", "runs/shuffled.trec", "qrels.txt"):
        assert (workspace.run("one") / name).read_bytes() == (workspace.run("two") / name).read_bytes()
    other = experiment.model_copy(update={"seed": 1})
    run_folder.save(workspace.run("two"), judged(workspace, other), other)
    assert (workspace.run("one") / "metrics.json").read_bytes() != (workspace.run("two") / "metrics.json").read_bytes()


def test_trec_eval_reads_the_files_and_finds_our_figures(workspace: Workspace, experiment: Experiment) -> None:
    folder = workspace.run("one")
    run_folder.save(folder, judged(workspace, experiment), experiment)
    with (folder / "qrels.txt").open() as lines:
        qrels = pytrec_eval.parse_qrel(lines)
    figures = {
        (row["model"], row["metric"]): row["value"]
        for row in run_folder.load(folder)["rows"]
        if row["segment"] == "all" and row["k"] == 10
    }
    judge = pytrec_eval.RelevanceEvaluator(qrels, {"map_cut.10", "ndcg_cut.10", "recall.10"})
    for label in ("by-job", "shuffled"):
        with (folder / "runs" / f"{label}.trec").open() as lines:
            first = next(lines).split()
            assert (first[1], first[3], first[5]) == ("Q0", "1", label)
            lines.seek(0)
            theirs = judge.evaluate(pytrec_eval.parse_run(lines))
        assert len(theirs) == len(qrels)
        for name, ours in (("map_cut_10", "map_trec"), ("ndcg_cut_10", "ndcg"), ("recall_10", "recall")):
            mean = sum(one[name] for one in theirs.values()) / len(qrels)
            assert figures[label, ours] == pytest.approx(mean, abs=1e-9)
    assert (folder / "runs" / "silent.trec").read_text() == ""


def test_per_user_values_average_to_the_rows(workspace: Workspace, experiment: Experiment) -> None:
    folder = workspace.run("one")
    run_folder.save(folder, judged(workspace, experiment), experiment)
    frame = pl.read_parquet(folder / "per_user.parquet")
    assert frame.columns[:5] == ["model", "fold", "person", "history", "relevant"]
    means = frame.group_by("model").agg(pl.col("ndcg").mean())
    rows = {
        row["model"]: row["value"]
        for row in run_folder.load(folder)["rows"]
        if row["metric"] == "ndcg" and row["segment"] == "all"
    }
    assert dict(means.iter_rows()) == pytest.approx(rows, abs=1e-9)


def test_an_id_with_spaces_stays_one_word(workspace: Workspace, experiment: Experiment) -> None:
    town = workspace.load("town")
    spaced = town.replace(
        people=town.people.with_columns(pl.col("id").str.replace("p", "p ")),
        interactions=town.interactions.with_columns(pl.col("person").str.replace("p", "p ")),
    )
    folder = workspace.run("one")
    run_folder.save(folder, experiment.run(spaced), experiment)
    assert all(len(line.split(" ")) == 4 for line in (folder / "qrels.txt").read_text().splitlines())
    assert all(len(line.split(" ")) == 6 for line in (folder / "runs/by-job.trec").read_text().splitlines())


def test_a_crash_keeps_the_old_run_whole(
    workspace: Workspace, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, evaluation = workspace.run("one"), judged(workspace, experiment)
    run_folder.save(folder, evaluation, experiment)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def crash(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(run_folder, "_write_trec", crash)
    with pytest.raises(OSError, match="no space"):
        run_folder.save(folder, evaluation, experiment)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["one"]


def test_a_missing_run_names_those_there(workspace: Workspace, experiment: Experiment, tmp_path: Path) -> None:
    run_folder.save(workspace.run("one"), judged(workspace, experiment), experiment)
    with pytest.raises(UsageError, match=r"no run 'two'.*there: one"):
        run_folder.load(workspace.run("two"))

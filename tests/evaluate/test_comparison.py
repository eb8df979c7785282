import pytest

from metier.data.workspace import Workspace
from metier.errors import UsageError
from metier.evaluate import run_folder
from metier.evaluate.comparison import compare_models, compare_runs
from metier.evaluate.experiment import Experiment


def save(workspace: Workspace, name: str, models: dict, **more: object) -> None:
    experiment = Experiment.check({"dataset": "town", "protocol": "temporal", "models": models, **more}, "test")
    run_folder.save(workspace.run(name), experiment.run(workspace.load("town")), experiment)


@pytest.fixture
def runs(workspace: Workspace) -> Workspace:
    save(workspace, "one", {"by-job": {}, "shuffled": {}, "random-like": {"model": "shuffled"}})
    save(workspace, "two", {"by-job": {"settings": {"sign": -1.0}}, "shuffled": {}})
    return workspace


def test_models_of_one_run_against_the_best(runs: Workspace) -> None:
    document = run_folder.load(runs.run("one"))
    assert compare_models(runs.run("one"), None, "map") == document["differences"]


def test_the_first_named_is_the_baseline(runs: Workspace) -> None:
    means = {
        row["model"]: row["value"]
        for row in run_folder.load(runs.run("one"))["rows"]
        if row["metric"] == "recall" and row["segment"] == "all"
    }
    (one,) = compare_models(runs.run("one"), ["shuffled", "by-job"], "recall")
    assert (one["model"], one["baseline"], one["metric"], one["k"]) == ("by-job", "shuffled", "recall", 25)
    assert one["difference"] == pytest.approx(means["by-job"] - means["shuffled"], abs=1e-9)


def test_runs_are_compared_by_label(runs: Workspace) -> None:
    found = {one["model"]: one for one in compare_runs(runs.run("one"), runs.run("two"), None, "map")}
    assert list(found) == ["two/by-job", "two/shuffled"]
    assert found["two/by-job"]["baseline"] == "one/by-job"
    assert found["two/by-job"]["difference"] != 0
    assert found["two/shuffled"]["difference"] == 0
    assert found["two/shuffled"]["p_holm"] == 1
    assert len(compare_runs(runs.run("one"), runs.run("two"), ["by-job"], "map")) == 1


def test_another_truth_of_the_same_people_is_no_comparison(runs: Workspace) -> None:
    truth = runs.run("two") / "qrels.txt"
    truth.write_text(truth.read_text().replace(" j", " other-j", 1))
    with pytest.raises(UsageError, match="same truth"):
        compare_runs(runs.run("one"), runs.run("two"), None, "map")


def test_a_segment_is_compared_apart(runs: Workspace) -> None:
    document = run_folder.load(runs.run("one"))
    means = {
        row["model"]: row["value"] for row in document["rows"] if (row["metric"], row["segment"]) == ("recall", "cold")
    }
    (one,) = compare_models(runs.run("one"), ["shuffled", "by-job"], "recall", "cold")
    assert one["users"] == next(row["users"] for row in document["rows"] if row["segment"] == "cold")
    assert one["difference"] == pytest.approx(means["by-job"] - means["shuffled"], abs=1e-9)
    with pytest.raises(UsageError, match="no segment 'lukewarm'"):
        compare_models(runs.run("one"), None, "map", "lukewarm")  # type: ignore[arg-type]


def test_wrong_use_is_named(runs: Workspace) -> None:
    one, two = runs.run("one"), runs.run("two")
    with pytest.raises(UsageError, match="no model 'x' in one; there are by-job"):
        compare_models(one, ["x"], "map")
    with pytest.raises(UsageError, match="no metric 'gini'"):
        compare_models(one, None, "gini")
    with pytest.raises(UsageError, match="nothing to compare with 'by-job'"):
        compare_models(one, ["by-job"], "map")
    with pytest.raises(UsageError, match="no model 'random-like' in one and two"):
        compare_runs(one, two, ["random-like"], "map")
    save(runs, "short", {"by-job": {}}, k=5)
    with pytest.raises(UsageError, match="did not judge the same people by the same truth and k"):
        compare_runs(one, runs.run("short"), None, "map")
    town = runs.load("town")
    runs.save("town", town.replace(people=town.people.head(100)), {})
    save(runs, "fewer", {"by-job": {}})
    with pytest.raises(UsageError, match="did not judge the same people"):
        compare_runs(one, runs.run("fewer"), None, "map")
    runs.save("town", town, {})
    save(runs, "other", {"random-like": {"model": "shuffled"}})
    with pytest.raises(UsageError, match="no model in common"):
        compare_runs(two, runs.run("other"), None, "map")

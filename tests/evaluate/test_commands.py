"""`metier evaluate` and `metier compare` through the command line."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from metier.cli.compare import compare
from metier.cli.evaluate import evaluate, read_settings
from metier.data.workspace import Workspace
from metier.errors import ConfigError, UsageError

ROW = {"model", "segment", "metric", "k", "value", "low", "high", "users"}

app = Typer()
app.command("evaluate")(evaluate)
app.command("compare")(compare)


def metier(workspace: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(workspace.home)])


def test_json_prints_rows_and_nothing_else(workspace: Workspace) -> None:
    ran = metier(workspace, "evaluate", "town", "--models", "by-job,shuffled", "-k", "10", "--json")
    assert ran.exit_code == 0
    printed = json.loads(ran.stdout)
    assert all(set(row) == ROW for row in printed["rows"])
    assert printed["run"] == "town-temporal"
    assert Path(printed["report"]).is_file()


def test_the_table_is_sorted_and_the_report_comes_last(workspace: Workspace) -> None:
    ran = metier(workspace, "evaluate", "town", "--models", "silent,by-job", "--as", "mine")
    assert ran.exit_code == 0
    assert ran.stdout.index("by-job") < ran.stdout.index("silent")
    assert "MAP@25" in ran.stdout
    assert Path(ran.stdout.splitlines()[-1]) == (workspace.run("mine") / "report.html").resolve()


def test_a_failed_model_is_named_and_the_exit_code_is_1(workspace: Workspace) -> None:
    ran = metier(workspace, "evaluate", "town", "--models", "broken,by-job", "--json")
    assert ran.exit_code == 1
    assert "broken failed" in ran.stderr
    assert {row["model"] for row in json.loads(ran.stdout)["rows"]} == {"by-job"}


def test_an_experiment_repeats_a_run(workspace: Workspace) -> None:
    metier(workspace, "evaluate", "town", "--models", "shuffled", "--set", "shuffled.sign=2.5", "--as", "a")
    file = workspace.run("a") / "experiment.toml"
    assert metier(workspace, "evaluate", "--experiment", str(file), "--as", "b").exit_code == 0
    figures = [(workspace.run(name) / "metrics.json").read_bytes() for name in "ab"]
    assert figures[0] == figures[1]
    assert json.loads(figures[0])["meta"]["models"]["shuffled"]["settings"] == {"sign": 2.5}


def test_settings_are_typed() -> None:
    found = read_settings(["a.n=3", "a.rate=1e-2", "b.kind=tf idf", "b.on=true"], ["a", "b"])
    assert found == {"a": {"n": 3, "rate": 0.01}, "b": {"kind": "tf idf", "on": True}}
    for wrong in ("n=3", "c.n=3", "="):
        with pytest.raises(UsageError, match=r"model\.setting=value"):
            read_settings([wrong], ["a", "b"])
    with pytest.raises(ConfigError, match="is not KEY=VALUE"):
        read_settings(["a.n"], ["a", "b"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["evaluate"], UsageError, "name a dataset"),
        (["evaluate", "nowhere"], UsageError, "no dataset 'nowhere'"),
        (["evaluate", "town", "--models", "nope"], UsageError, "no model 'nope'"),
        (["evaluate", "town", "--protocol", "random"], ConfigError, "protocol"),
        (["evaluate", "town", "--protocol", "given", "--models", "by-job"], UsageError, "split"),
        (["evaluate", "town", "--experiment", "x.toml"], UsageError, "--experiment decides everything"),
        (["evaluate", "--experiment", "x.toml", "-k", "3"], UsageError, "--experiment decides everything"),
        (["evaluate", "town", "--as", "../up"], UsageError, "name '../up'"),
        (["compare", "nothing"], UsageError, "no run 'nothing'"),
    ],
)
def test_wrong_use_is_an_error_with_a_cure(
    workspace: Workspace, arguments: list[str], error: type[Exception], message: str
) -> None:
    ran = metier(workspace, *arguments)
    assert type(ran.exception) is error
    assert message in str(ran.exception)


def test_compare_prints_differences(workspace: Workspace) -> None:
    metier(workspace, "evaluate", "town", "--models", "by-job,shuffled,silent", "--as", "one")
    ran = metier(workspace, "compare", "one", "--models", "by-job,silent", "--json")
    (row,) = json.loads(ran.stdout)["rows"]
    assert (row["model"], row["baseline"], row["metric"]) == ("silent", "by-job", "map")
    table = metier(workspace, "compare", "one", "one", "--metric", "ndcg")
    assert table.exit_code == 0
    assert "ndcg@25" in table.stdout
    assert "one/shuffled" in table.stdout

"""`metier tune`: the table, the files, the report, and a process that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib

import pytest

from metier.data.workspace import Workspace

BUDGET = ("--models", "item-knn,rp3beta", "--trials", "20", "--seconds", "10000", "--protocol", "leave-last-out")


def trials(folder):
    """The finished trials without their seconds."""
    lines = (folder / "trials.jsonl").read_text().splitlines()[1:]
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


def test_killed_with_no_warning_it_ends_as_if_nothing_had_happened(metier, town_home):
    killed, whole = Workspace(town_home).tuning("killed"), Workspace(town_home).tuning("whole")
    code = f"from metier.cli.app import main; main(['tune', 'town', '--as', 'killed', *{BUDGET}])"
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"METIER_HOME": str(town_home)})
    try:
        deadline = time.monotonic() + 120
        while not (killed / "trials.jsonl").exists() or len(trials(killed)) < 3:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    there = len(trials(killed))
    assert 3 <= there < 40, "the process was meant to be killed in the middle"
    before = (killed / "trials.jsonl").read_bytes().splitlines()[: there + 1]
    assert metier("tune", "town", "--as", "killed", *BUDGET).code == 0
    assert metier("tune", "town", "--as", "whole", *BUDGET).code == 0
    assert trials(killed) == trials(whole)
    assert len(trials(whole)) == 40
    assert (killed / "trials.jsonl").read_bytes().splitlines()[: there + 1] == before  # nothing done twice
    assert (killed / "experiment.toml").read_bytes() == (whole / "experiment.toml").read_bytes()


def test_the_report_shows_both_rows_and_the_budget(metier, town_home):
    ran = metier("tune", "town", "--as", "both", *BUDGET[:2], "--trials", "6", "--report", "--seed", "3")
    assert ran.code == 0
    assert "default MAP@25" in ran.out
    run = Workspace(town_home).run("both")
    asked = tomllib.loads((Workspace(town_home).tuning("both") / "experiment.toml").read_text())
    assert asked["budget"] == {"trials": 6, "seconds": 600.0, "seed": 3}
    labels = {label for label in asked["models"] if label.endswith("-tuned")}
    assert labels
    document = json.loads((run / "metrics.json").read_text())
    assert set(document["meta"]["models"]) == set(asked["models"])
    assert {(one["model"], one["baseline"]) for one in document["tuned"]} == {
        (label, label.removesuffix("-tuned")) for label in labels
    }
    page = (run / "report.html").read_text()
    assert "6 trials or 600 seconds, whichever came first, seed 3" in page
    assert all(f'<th scope="row">{label}' in page for label in labels)
    assert page.count('id="tuned"') == 1


def test_json_says_what_was_found_and_where(metier, town_home):
    ran = metier("tune", "town", "--models", "popularity,random", "--trials", "3", "--as", "one", "--json")
    printed = json.loads(ran.out)
    folder = Workspace(town_home).tuning("one")
    assert printed["experiment"] == str((folder / "experiment.toml").resolve())
    assert [one["model"] for one in printed["models"]] == ["popularity", "random"]
    assert [one["trials"] for one in printed["models"]] == [3, 1]
    assert json.loads((folder / "best.json").read_text()) == printed["models"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no dataset 'nowhere'"),
        (["town", "--models", "nope"], "no model 'nope'"),
        (["town", "--protocol", "random", "--models", "random"], "protocol"),
        (["town", "--as", "../up", "--models", "random"], "name '../up'"),
        (["town", "--as", "taken", "--models", "random", "--seed", "1"], "seed 0 there, 1 now"),
    ],
)
def test_wrong_use_is_an_error(metier, arguments, message):
    if "taken" in arguments:
        metier("tune", "town", "--as", "taken", "--models", "random")
    ran = metier("tune", *arguments)
    assert ran.code == 2
    assert message in ran.err

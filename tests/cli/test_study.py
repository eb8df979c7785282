"""`metier study`: the page, what it prints, repeats and refuses."""

import json
import os
import re
from pathlib import Path

import pytest

from metier.enrich.study.plan import StudyPlan
from metier.enrich.study.words import ONE_TEXT


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(
        "seeds = 1\n[models.popularity]\n[models.content]\nsettings = { profile_weight = 0.5 }\n[models.absent]\n"
        'model = "content"\nneeds = ["no_such_package"]\n'
        '[grids.main]\nmodels = ["popularity", "content", "absent"]\n'
        'texts = ["none", "raw", "raw-shuffled", "interactive", "shuffled"]\n'
    )
    return path


def test_page_and_json_hold_the_answer_and_nothing_is_fetched(metier, plan, tmp_path):
    ran = metier("study", "resume", "town", "--plan", plan, "--as", "page", "--out", tmp_path / "page", "--json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert said["cells"] == {"all": 10, "finished": 10}
    assert said["left_out"] == {"absent": "no_such_package is not installed"}
    town = said["datasets"]["town"]
    assert town["model"] == "content"
    assert town["answers"][0].startswith("town: ")
    assert {one["condition"] for one in town["audits"]} == {"interactive"}
    assert {one["name"] for one in town["contrasts"]} >= {"raw − none", "interactive − shuffled"}
    html = (tmp_path / "page" / "study.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "page" / "study.json").read_text(encoding="utf-8")) == {
        key: value for key, value in said.items() if key != "report"
    }
    assert said["command"] == f"metier study resume town --plan {plan} --as page"
    for expected in (town["answers"][0].replace("'", "&#39;"), said["command"], "0.0505", "no_such_package"):
        assert expected in html
    assert "<script" not in html
    assert said["limits"]
    assert all(one.replace("'", "&#39;") in html for one in said["limits"])
    assert "public experiment" in html
    assert not re.findall(r"""(?:src|href)=["'](?!data:)|@import|url\((?!#)""", html)
    assert not re.findall(r"\bp\d+\b", html), "the page names a person"


def test_models_without_text_are_not_moved_by_it(metier, plan, tmp_path):
    said = json.loads(
        metier("study", "resume", "town", "--plan", plan, "--as", "page", "--out", tmp_path, "--json").out
    )
    same = [one for one in said["datasets"]["town"]["contrasts"] if one["model"] == "popularity"]
    assert same
    assert all(one["difference"] == one["low"] == one["high"] == 0 for one in same)
    assert all(one["p"] == 1 for one in same)


def test_report_only_runs_nothing(metier, plan, tmp_path):
    arguments = ("study", "resume", "town", "--plan", plan, "--as", "half", "--out", tmp_path, "--json")
    assert "no cell of the study is finished: none was run" in metier(*arguments, "--report-only").err
    assert metier(*arguments, "--models", "popularity", "--texts", "none,raw").code == 0
    said = json.loads(metier(*arguments, "--report-only").out)
    assert said["cells"] == {"all": 10, "finished": 2}


def test_features_tell_what_each_field_adds(metier, tmp_path):
    ran = metier("study", "features", "town", "--model", "content", "--out", tmp_path, "--json")
    assert ran.code == 0, ran.err
    town = json.loads(ran.out)["datasets"]["town"]
    contrasts = {one["name"]: one for one in town["contrasts"] if one["segment"] == "all"}
    assert contrasts["everything − without job.text"]["difference"] > 0
    assert contrasts["everything − without person.state"]["difference"] == 0
    assert contrasts["only job.text − ids alone"]["difference"] > 0


def test_what_repeats_a_study_is_kept_and_told(metier, plan, tmp_path, monkeypatch):
    arguments = ("--plan", plan, "--models", "popularity", "--texts", "none,raw", "--trials", "0", "--as", "again")
    home = os.environ["METIER_HOME"]
    monkeypatch.delenv("METIER_HOME")
    said = json.loads(metier("study", "resume", "town", *arguments, "--home", home, "--json").out)
    assert said["command"].endswith(f"--trials 0 --home {home} --as again")
    kept = StudyPlan.read(Path(home) / "studies" / "again" / "plan.toml")
    assert (kept.datasets, list(kept.models)) == ({"town": "temporal"}, ["popularity"])
    assert kept.grids["main"].texts == ("none", "raw")


def test_one_text_for_learning_and_asking_is_told(metier, plan, tmp_path):
    assert metier("enrich", "town").code == 0
    (path,) = (Path(os.environ["METIER_HOME"]) / "datasets" / "town" / "completions").glob("*.parquet")
    ran = metier(
        "study", "resume", "town", "--plan", plan, "--models", "content", "--texts", "none,interactive",
        "--completions", f"interactive={path}", "--as", "told", "--out", tmp_path, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert "Interactive texts from --completions are the same" in ran.err
    assert ONE_TEXT in said["limits"]
    (audit,) = said["datasets"]["town"]["audits"]
    assert (audit["condition"], audit["source"]) == ("interactive", "completions")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resume"], "no dataset was named"),
        (["resume", "town", "--texts", "poem"], "no text condition 'poem'; there are none, raw"),
        (["resume", "town", "--models", "nobody"], "no model 'nobody'; there are fm, afm"),
        (["resume", "town", "--protocol", "random"], "no protocol 'random'"),
        (["resume", "town", "--completions", "raw=x"], "--completions 'raw=x'; cure: simple=FILE"),
        (["resume", "town", "--completions", "simple=nowhere.parquet"], "nowhere.parquet is no file of completions"),
        (["resume", "village"], "no dataset 'village'"),
        (["features", "town", "--model", "nobody"], "no model 'nobody'"),
    ],
)
def test_wrong_use_is_one_line(metier, arguments, message):
    ran = metier("study", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.strip().splitlines()) == 1


@pytest.mark.slow
def test_quick_study_of_a_market_made_on_the_spot(metier, monkeypatch, tmp_path):
    monkeypatch.setenv("METIER_HOME", str(tmp_path))
    said = json.loads(metier("study", "resume", "--quick", "--json").out)
    assert said["cells"]["finished"] == said["cells"]["all"]
    assert len(said["datasets"]["quick-market"]["answers"]) == 3  # everybody, those without a past, LGIR's parts

"""The page, read with an HTML parser."""

import re
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from toys import ByJob

from metier.data.workspace import Workspace
from metier.evaluate import run_folder
from metier.evaluate.charts import DARK, LIGHT, map_curve
from metier.evaluate.experiment import Experiment
from metier.evaluate.report import render
from metier.evaluate.summary import Row


@pytest.fixture
def page(workspace: Workspace) -> LexborHTMLParser:
    models = {"by-job": {}, "shuffled": {}, "silent": {}, "broken": {}}
    experiment = Experiment.check({"dataset": "town", "protocol": "temporal", "models": models}, "test")
    evaluation = experiment.run(workspace.load("town"), extra={"oracle": ByJob})
    return LexborHTMLParser(run_folder.save(workspace.run("one"), evaluation, experiment).read_text())


def test_nothing_is_fetched_and_nothing_runs(page: LexborHTMLParser) -> None:
    html = page.html or ""
    assert not page.css("script, iframe, object, embed, link[rel=stylesheet], img")
    assert not [node for node in page.css("*") for name in node.attributes if name.startswith("on")]
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import", html)
    targets = [node.attributes[name] for node in page.css("*") for name in ("src", "href") if name in node.attributes]
    assert set(targets) <= {"data:,"}


def test_every_model_has_a_line_and_its_figures(page: LexborHTMLParser) -> None:
    lines = page.css("#models tbody tr")
    assert sorted(line.css_first("th").text(deep=False) for line in lines) == ["by-job", "oracle", "shuffled", "silent"]
    assert len(page.css("#models tbody tr.best")) == 1
    assert len(page.css("#models tbody tr.reference")) == 1
    assert all(line.css_first("svg.bar") for line in lines)
    assert page.css_first("#segments")
    assert len(page.css("#differences tbody tr")) == 3


def test_both_colour_schemes_have_the_curve(page: LexborHTMLParser) -> None:
    assert page.css_first("figure .light svg")
    assert page.css_first("figure .dark svg")
    assert LIGHT.ink in page.css_first("figure .light").html
    assert DARK.ink in page.css_first("figure .dark").html
    assert "prefers-color-scheme: dark" in page.css_first("style").text()


def test_what_was_left_out_what_failed_and_how_to_repeat_it(page: LexborHTMLParser) -> None:
    text = page.body.text() if page.body else ""
    assert "× person without a relevant job" in text
    assert "broken failed and has no row: window 1: FloatingPointError: it does not converge" in text
    assert "metier evaluate town --protocol temporal --models by-job,shuffled,silent,broken -k 25 --seed 0" in text
    assert "numpy" in text


def test_names_and_notes_are_escaped(page: LexborHTMLParser) -> None:
    assert "A <toy>, for tests." in page.css_first("#models").text()
    assert not page.css("toy")


METRICS = ("map", "map_trec", "ndcg", "recall", "precision", "mrr", "coverage", "gini")


def smallest(**maps: float) -> dict[str, Any]:
    """metrics.json of a run where nothing is compared: one person, segment "all", undefined Gini."""
    one = {"segment": "all", "k": 5, "low": 0.0, "value": 0.0, "high": 0.0, "users": 1}
    rows = [one | {"model": label, "metric": metric} for label in maps for metric in METRICS]
    rows += [one | {"model": label, "metric": "map", "k": k} for label in maps for k in (10, 15)]
    for row in rows:
        value = None if row["metric"] == "gini" else maps[row["model"]]
        row |= {"value": value, "high": value}
    about = {label: {"model": None if label == "oracle" else label, "settings": {}, "note": ""} for label in maps}
    fold = {"fold": "given", "people": 1, "judged": 1, "candidates": 1, "interactions": 0}
    meta = {
        **{"dataset": "d", "protocol": "given", "k": 5, "seed": 0, "best": "m", "failed": {}, "command": "c"},
        **{"models": about, "folds": [fold], "left_out": {"given": {}}, "budget": None, "completed": None},
        **{"versions": {"python": "3"}, "machine": {"system": "s", "processor": "p", "cores": 1}},
    }
    return {"rows": rows, "differences": [], "tuned": [], "meta": meta}


def timings(*labels: str) -> dict[str, Any]:
    return {"written": "2030-01-01T00:00:00+00:00", "models": {label: {"fit": 0.0, "rank": 0.0} for label in labels}}


def test_one_model_and_no_cold_people_still_render() -> None:
    html = render(smallest(m=0.0), timings("m"), "")
    assert "nan" not in html.lower()


def test_completed_texts_without_figures_are_told_as_far_as_they_are_known() -> None:
    document = smallest(m=0.0)
    document["meta"]["completed"] = {"from": "town", "texts": "simple-1", "add": True, "shuffled": True}
    told = LexborHTMLParser(render(document, timings("m"), "")).css_first("#completed").text()
    assert told.startswith("The texts of people are simple-1 of town, after their own text; what their audit found was")
    assert "Shuffled" in told


def test_a_distant_reference_is_named_and_does_not_flatten_the_others() -> None:
    near, far = (
        LexborHTMLParser(render(smallest(m=0.1, oracle=value), timings("m", "oracle"), "")) for value in (0.15, 0.6)
    )
    assert not near.css(".beyond")
    assert float(near.css_first("tr.best rect").attributes["width"]) == pytest.approx(130 * 0.1 / 0.15, abs=0.01)
    assert len(far.css(".beyond")) == 1
    assert float(far.css_first("tr.best rect").attributes["width"]) == 130
    assert "oracle lies off the scale at 0.6000" in far.css_first("figcaption").text()
    assert "oracle" in far.css_first("#models").text()


def test_the_curve_names_the_highlighted_and_greys_the_rest() -> None:
    rows = [
        Row(model=label, segment="all", metric="map", k=k, value=v + k / 1000, low=v, high=v + 0.04, users=9)
        for label, v in (("first", 0.31), ("second", 0.305), ("rest", 0.1), ("ceiling", 0.5))
        for k in (5, 10, 15)
    ]
    svg = map_curve(rows, ["first", "second"], ["ceiling"], LIGHT)
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert {"first", "second", "ceiling"} <= set(texts)
    assert "rest" not in texts
    assert LIGHT.others in svg
    assert "stroke-dasharray" in svg
    heights = {
        name: float(y) for y, name in re.findall(r"translate\([\d.]+,([\d.]+)\)[^>]*>(first|second)</text>", svg)
    }
    assert heights["second"] - heights["first"] >= 11  # names do not run into each other

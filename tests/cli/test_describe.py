"""The summary against counts made by hand."""

import json
from datetime import datetime

import polars as pl
import pytest

from metier.cli.describe import summary
from metier.data import Tables


def four_people() -> Tables:
    moment = datetime(2012, 4, 2, 12)
    return Tables.build(
        people=pl.DataFrame(
            {
                "id": ["a", "b", "c", "d"],
                "window": [1, 1, 1, 2],
                "text": ["secret words", None, None, None],
                "degree": ["BSc", "BSc", "MSc", None],
                "languages": [["en", "de"], ["en"], [], None],
            }
        ),
        jobs=pl.DataFrame({"id": ["x", "y"], "window": [1, 2]}),
        interactions=pl.DataFrame({"person": ["a", "a", "d"], "job": ["x", "y", "y"], "time": [moment] * 3}),
        windows=pl.DataFrame({"window": [1], "start": [moment], "cutoff": [moment], "end": [moment]}),
    )


def test_summary():
    facts = summary(four_people())
    assert facts["counts"] == {"people": 4, "jobs": 2, "interactions": 3, "past jobs": 0, "windows": 1}
    assert facts["per person"] == {
        "without": 0.5,
        "mean": 1.5,
        "quantiles": {"0.5": 2.0, "0.75": 2.0, "0.9": 2.0, "0.99": 2.0, "1.0": 2.0},
    }
    assert facts["per job"]["without"] == 0
    assert facts["windows"] == [
        {
            "window": 1,
            "start": "2012-04-02 12:00:00",
            "cutoff": "2012-04-02 12:00:00",
            "end": "2012-04-02 12:00:00",
            "people": 3,
            "jobs": 1,
            "interactions": 2,
        }
    ]
    columns = {(column["table"], column["column"]): column for column in facts["columns"]}
    degree = columns["people", "degree"]
    assert (degree["missing"], degree["distinct"]) == (0.25, 2)
    assert degree["most common"] == {"BSc": 0.5, "MSc": 0.25}
    assert columns["people", "languages"]["most common"] == pytest.approx({"en": 0.5, "de": 0.25})
    assert columns["people", "city"]["missing"] == 1


def test_summary_of_nothing():
    facts = summary(Tables.build(*(pl.DataFrame(schema={"id": pl.String}) for _ in range(2)), pl.DataFrame()))
    assert facts["counts"]["people"] == 0
    assert facts["per person"]["mean"] is None


def test_no_text_is_shown(metier):
    for ran in (metier("describe", "town"), metier("describe", "town", "--json")):
        assert "I am a" not in ran.out
        assert "p17" not in ran.out


def test_table_and_json_agree(metier):
    facts = json.loads(metier("describe", "town", "--json").out)
    shown = metier("describe", "town").out
    assert facts["dataset"] == "town"
    assert f"{facts['counts']['interactions']:,}" in shown
    assert "Bachelor's 50 %" in shown


def test_datasets_are_listed(metier):
    assert json.loads(metier("describe", "--json").out) == {"datasets": ["town"]}
    assert "town" in metier("describe").out

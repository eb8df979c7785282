"""The summary against counts made by hand."""

import json
from datetime import datetime

import polars as pl

from metier.cli.describe import summary
from metier.data import Tables


def twelve_people() -> Tables:
    moment = datetime(2012, 4, 2, 12)
    return Tables.build(
        people=pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(12)],
                "window": [1] * 9 + [2] * 3,
                "text": ["secret words"] * 6 + [None] * 6,
                "degree": ["BSc"] * 5 + ["MSc"] * 4 + [None] * 3,
                "languages": [["en", "de"]] * 3 + [["en", "en"]] + [["de"]] * 3 + [[], *[None] * 4],
            }
        ),
        jobs=pl.DataFrame({"id": ["x", "y"], "window": [1, 2], "branch": ["food", "food"]}),
        interactions=pl.DataFrame({"person": ["p0", "p0", "p9"], "job": ["x", "y", "y"], "time": [moment] * 3}),
        windows=pl.DataFrame({"window": [1], "start": [moment], "cutoff": [moment], "end": [moment]}),
    )


def test_summary():
    facts = summary(twelve_people())
    assert facts["counts"] == {"people": 12, "jobs": 2, "interactions": 3, "past jobs": 0, "windows": 1}
    assert facts["per person"] == {
        "without": 10 / 12,
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
            "people": 9,
            "jobs": 1,
            "interactions": 2,
        }
    ]
    columns = {(column["table"], column["column"]): column for column in facts["columns"]}
    assert (columns["people", "degree"]["missing"], columns["people", "degree"]["distinct"]) == (0.25, 2)
    assert columns["people", "city"]["missing"] == 1


def test_a_value_is_shown_only_when_five_people_hold_it():
    columns = {(column["table"], column["column"]): column for column in summary(twelve_people())["columns"]}
    assert columns["people", "degree"]["most common"] == {"BSc": 5 / 12}  # four hold an MSc
    assert columns["people", "languages"]["most common"] == {"de": 0.5}  # "en" five times, by four people
    assert columns["people", "languages"]["distinct"] == 2
    assert columns["jobs", "branch"]["most common"] == {}


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

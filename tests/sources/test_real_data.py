"""The example maps against the real files, where they are at hand."""

from pathlib import Path

import polars as pl
import pytest

from metier.data import Tables
from metier.data.splits import folds
from metier.data.tables import attributes
from metier.sources.quarantine import ImportReport
from metier.sources.table import read_table
from metier.sources.table_map import read_map

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


def read(folder: str, example: str) -> tuple[Tables, ImportReport]:
    if not (DATA / folder).is_dir():
        pytest.skip(f"{DATA / folder} is not here; it holds real data that may not be shipped")
    return read_table(DATA / folder, read_map(ROOT / "examples" / f"{example}.toml"))


def test_careerbuilder_slice() -> None:
    tables, report = read("careerbuilder_slice", "careerbuilder_slice")
    assert [len(frame) for frame in (tables.interactions, tables.people, tables.jobs)] == [50_236, 10_031, 13_166]
    assert report.quarantine.is_empty()
    assert set(tables.jobs["city"].unique()) & set(tables.people["city"].unique())
    assert tables.interactions["time"].dt.date().min().isoformat() == "2012-06-12"


def test_quickhire() -> None:
    tables, report = read("quickhire", "quickhire")
    views = next(file for file in report.files if file.file == "views.csv.gz")
    assert (views.rows, views.accepted, views.quarantined) == (11_931, 8_603, {"duplicate": 3_328})
    assert tables.interactions["person"].n_unique() == 3_448
    assert len(tables.jobs) == 7_047
    wishes = next(file for file in report.files if file.file == "positions_of_interest.csv.gz")
    assert (wishes.rows, wishes.accepted, wishes.warnings) == (6_560, 6_560, {})
    assert len(attributes(tables.people)) == tables.people["text"].count() == 0
    last = tables.interactions.group_by("person").agg(pl.col("time").max(), n=pl.len()).filter(pl.col("n") >= 2)
    [fold] = folds(tables, "leave-last-out")
    kept = fold.train.history.join(last, on="person")
    assert (kept["time"] <= kept["time_right"]).all()
    assert len(fold.train.history) < len(tables.history)
    job = tables.jobs.row(2, named=True)
    assert job["text"] == f"{job['company']} {job['city']} California"


def test_scout() -> None:
    tables, report = read("scout", "scout")
    assert [len(frame) for frame in (tables.interactions, tables.people, tables.jobs)] == [56_607, 8_482, 6_695]
    assert (tables.interactions["split"] == "test").sum() == 8_482
    assert tables.interactions["time"].null_count() == 56_607
    assert report.quarantine.is_empty()
    assert tables.jobs["company_type"].is_not_null().sum() == 2_377
    assert not {"keywords", "text_keyword"} & {*tables.people.columns, *tables.jobs.columns}
    assert 12_000 < tables.people["certificates"].drop_nulls().list.len().sum() <= 12_975

"""Official files of a market, read back by the loader of the real ones."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from metier.data import Tables
from metier.sources.careerbuilder import read_careerbuilder
from metier.sources.market import Market, MarketKnobs, generate, generate_windows, write_official

KNOBS = MarketKnobs(people=2000)
KEYS = {
    "people": ["id"],
    "jobs": ["id"],
    "history": ["person", "sequence"],
    "interactions": ["person", "job"],
    "windows": ["window"],
}


def assert_same_tables(found: Tables, expected: Tables) -> None:
    for name, keys in KEYS.items():
        one, two = getattr(found, name), getattr(expected, name)
        assert_frame_equal(one.sort(keys), two.sort(keys), check_column_order=False)


@pytest.fixture(scope="module")
def market() -> Market:
    return generate(KNOBS, seed=11)


@pytest.mark.parametrize("zipped", [False, True])
def test_importing_the_files_gives_the_market(market: Market, tmp_path: Path, zipped: bool) -> None:
    write_official(generate_windows(KNOBS, 11), tmp_path, zipped=zipped)
    tables, _ = read_careerbuilder(tmp_path, max_bad=0)
    assert_same_tables(tables, market.tables)


@pytest.mark.slow
def test_importing_twenty_thousand_people_gives_the_market(tmp_path: Path) -> None:
    market = generate(MarketKnobs(people=20_000), seed=4)
    write_official([market], tmp_path)
    tables, _ = read_careerbuilder(tmp_path, max_bad=0)
    assert_same_tables(tables, market.tables)


def test_quirks_are_set_aside_and_nothing_else(market: Market, tmp_path: Path) -> None:
    write_official(generate_windows(KNOBS, 11), tmp_path, zipped=True, quirks=True)
    tables, report = read_careerbuilder(tmp_path, max_bad=0.01)
    assert_same_tables(tables, market.tables)
    codes = report.quarantine["code"].value_counts().sort("code").rows()
    assert codes == [("duplicate", 2), ("fields", 7)]  # users and applications; the seven files of jobs


def test_headers_and_format_are_the_official_ones(market: Market, tmp_path: Path) -> None:
    paths = write_official([market], tmp_path)
    heads = {path.name: path.read_bytes().split(b"\n", 1)[0].decode() for path in paths}
    assert heads == {
        "users.tsv": "UserID\tWindowID\tSplit\tCity\tState\tCountry\tZipCode\tDegreeType\tMajor\tGraduationDate\t"
        "WorkHistoryCount\tTotalYearsExperience\tCurrentlyEmployed\tManagedOthers\tManagedHowMany",
        "user_history.tsv": "UserID\tWindowID\tSplit\tSequence\tJobTitle",
        "jobs.tsv": "JobID\tWindowID\tTitle\tDescription\tRequirements\tCity\tState\tCountry\tZip5\tStartDate\tEndDate",
        "apps.tsv": "UserID\tWindowID\tSplit\tApplicationDate\tJobID",
        "window_dates.tsv": "Window\tTrain Start\tTrain End / Test Start\tTest End",
        "test_users.tsv": "UserID\tWindowID",
    }
    dates = (tmp_path / "window_dates.tsv").read_text().splitlines()
    assert dates[7] == "7\t2012-06-18 00:00:00\t2012-06-27 00:00:00\t2012-07-01 00:00:00"
    jobs = (tmp_path / "jobs.tsv").read_bytes().decode()
    assert "\r" not in jobs
    for quirk in ("\\r", "\\n", "\\t", "&nbsp;", "<ul>", "<br>", "&amp;"):
        assert quirk in jobs, quirk
    assert len({line.count("\t") for line in jobs.rstrip("\n").split("\n")}) == 1
    users = pl.read_csv(tmp_path / "users.tsv", separator="\t", quote_char=None, infer_schema=False)
    assert users["ZipCode"].str.len_chars().drop_nulls().unique().to_list() == [5]
    assert users["ZipCode"].str.starts_with("0").any() or users["State"].n_unique() < 5
    assert set(users["Split"]) == {"Train", "Test"}
    assert users["TotalYearsExperience"].str.contains(r"^\d+\.0$").all()
    tested = pl.read_csv(tmp_path / "test_users.tsv", separator="\t", infer_schema=False)
    assert set(tested["UserID"]) == set(users.filter(pl.col("Split") == "Test")["UserID"])

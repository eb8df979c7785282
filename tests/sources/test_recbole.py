from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from metier.data import Tables
from metier.errors import DataRejectedError, UsageError
from metier.sources.recbole import SUFFIXES, read_recbole, write_recbole
from metier.testing.worlds import checkerboard, small_town


def assert_same(one: Tables, two: Tables) -> None:
    for table in SUFFIXES:
        assert_frame_equal(getattr(one, table), getattr(two, table))


@pytest.mark.parametrize("tables", [small_town(), checkerboard(8)], ids=["town", "checkerboard"])
def test_written_tables_read_back_the_same(tmp_path, tables) -> None:
    write_recbole(tables, tmp_path, "w")
    back, report = read_recbole(tmp_path)
    assert_same(tables, back)
    assert report.quarantine.is_empty()


def test_the_files_are_as_recbole_wants_them(tmp_path) -> None:
    tables = Tables.build(
        people=pl.DataFrame({"id": ["u1"], "skills": [["deep fry", "bake"]], "born": [datetime(1970, 1, 2)]}),
        jobs=pl.DataFrame({"id": ["j1"], "title": ["Night cook"], "city": ["Oak\tPark"]}),
        interactions=pl.DataFrame({"person": ["u1"], "job": ["j1"], "time": [datetime(1970, 1, 1, 0, 0, 1, 500000)]}),
    )
    write_recbole(tables, tmp_path, "w")
    assert (
        tmp_path / "w.user"
    ).read_text() == "user_id:token\tskills:token_seq\tborn:float\nu1\tdeep\\sfry bake\t86400.0\n"
    assert (
        tmp_path / "w.item"
    ).read_text() == "item_id:token\tcity:token\ttitle:token_seq\nj1\tOak\\tPark\tNight cook\n"
    assert (tmp_path / "w.inter").read_text() == (
        "user_id:token\titem_id:token\ttimestamp:float\tweight:float\nu1\tj1\t1.5\t1.0\n"
    )
    assert not (tmp_path / "w.history").exists()


TEXT = st.text(min_size=1, max_size=12).filter(lambda text: "\ufffd" not in text)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2025, 1, 1))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 4))
def test_any_tables_survive_the_round_trip(tmp_path_factory, data, n: int) -> None:
    def column(values: st.SearchStrategy) -> list:
        return data.draw(st.lists(st.none() | values, min_size=n, max_size=n))

    def frame(**columns: pl.Series) -> pl.DataFrame:
        return pl.DataFrame(columns)

    ids = [f"i{number}" for number in range(n)]
    tables = Tables.build(
        people=frame(
            id=ids,
            text=pl.Series(column(TEXT), dtype=pl.String),
            count=pl.Series(column(st.integers(-(2**62), 2**62)), dtype=pl.Int64),
            share=pl.Series(column(st.floats(allow_nan=False, allow_infinity=False)), dtype=pl.Float64),
            sure=pl.Series(column(st.booleans()), dtype=pl.Boolean),
            born=pl.Series(column(TIMES), dtype=pl.Datetime("us")),
            tags=pl.Series(column(st.lists(TEXT, min_size=1, max_size=3)), dtype=pl.List(pl.String)),
        ),
        jobs=frame(
            id=ids, title=pl.Series(column(TEXT), dtype=pl.String), kind=pl.Series(column(TEXT), dtype=pl.String)
        ),
        interactions=frame(person=ids, job=ids, time=pl.Series(column(TIMES), dtype=pl.Datetime("us"))),
        history=frame(person=ids, title=pl.Series(column(TEXT), dtype=pl.String)),
    )
    folder = tmp_path_factory.mktemp("rb")
    write_recbole(tables, folder, "w")
    assert_same(tables, read_recbole(folder)[0])


def test_files_from_elsewhere(tmp_path) -> None:
    (tmp_path / "ml.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "1\ta\t5\t86400\n1\ta\t4\t0\n2\tb\t1\t86400\n2\tzz\t1\t86400\n\tb\t1\t86400\n3\tb\t1\tlater\n"
    )
    (tmp_path / "ml.item").write_text(
        "item_id:token\ttitle:token_seq\tgenre:token_seq\tsize:float\na\tToy C:\\temp\tx y\\tz\t1.5\nb\t\t\t\n"
    )
    tables, report = read_recbole(tmp_path, max_bad=1.0)
    assert tables.people["id"].to_list() == ["1", "2"]
    assert tables.jobs.select("id", "title", "genre", "size").rows() == [
        ("a", "Toy C:\\temp", ["x", "y\\tz"], 1.5),
        ("b", None, None, None),
    ]
    assert tables.interactions.select("person", "job", "time", "weight").rows() == [
        ("1", "a", datetime(1970, 1, 1), 1.0),
        ("2", "b", datetime(1970, 1, 2), 1.0),
    ]
    assert report.quarantine.select("line", "column", "code").rows() == [
        (2, "item_id:token", "duplicate"),
        (5, "item_id:token", "unknown-job"),
        (6, "user_id:token", "id"),
        (7, "timestamp:float", "value"),
    ]


def test_a_weight_that_is_not_above_zero_costs_its_row(tmp_path) -> None:
    (tmp_path / "w.inter").write_text("user_id:token\titem_id:token\tweight:float\n1\ta\t0\n1\tb\t2\n1\tc\t\n")
    tables, report = read_recbole(tmp_path, max_bad=1.0)
    assert tables.interactions.select("job", "weight").rows() == [("b", 2.0), ("c", 1.0)]
    assert report.quarantine.select("line", "column", "code").rows() == [(2, "weight:float", "value")]


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({}, UsageError, "one .inter file is needed, found none"),
        ({"a.inter": "", "b.inter": ""}, UsageError, "found a.inter, b.inter"),
        ({"a.inter": ""}, DataRejectedError, "is empty"),
        ({"a.inter": "user_id\titem_id\n"}, DataRejectedError, "column 'user_id' has no type"),
        (
            {"a.inter": "x" * 99 + "\n"},
            DataRejectedError,
            rf"column '{'x' * 27}\.\.\.' has no type; cure: write it as NAME",
        ),
        (
            {"a.inter": "user_id:token\trating:float\n"},
            DataRejectedError,
            "no column 'item_id'; found 'user_id', 'rating'",
        ),
        ({"a.inter": "user_id:token\titem_id:token\n", "a.metier.json": "[]"}, DataRejectedError, "cure: delete"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, files, error, message) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=message):
        read_recbole(tmp_path)


def test_a_column_that_cannot_be_written_is_named(tmp_path) -> None:
    town = small_town()
    odd = town.replace(people=town.people.with_columns(pair=pl.struct("id", "city")))
    with pytest.raises(UsageError, match=r"people.pair is Struct"):
        write_recbole(odd, tmp_path, "w")

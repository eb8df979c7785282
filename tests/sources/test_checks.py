from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from metier.sources.checks import (
    category,
    moment,
    number,
    read_values,
    require,
    require_distinct,
    require_first_time,
    require_known,
    require_past,
    require_positive,
)
from metier.sources.quarantine import LINE, FileLog


def frame(**columns: list) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    return pl.DataFrame({LINE: range(2, rows + 2)} | columns)


def log(rows: int) -> FileLog:
    made = FileLog("some.csv")
    made.rows = rows
    return made


def value(expression: pl.Expr, cell: str | None) -> object:
    return pl.DataFrame({"c": [cell]}, schema={"c": pl.String}).select(expression).item()


@pytest.mark.parametrize(
    ("format", "cell", "expected"),
    [
        ("epoch", "1333554983", datetime(2012, 4, 4, 15, 56, 23)),
        ("epoch", "1333554983.5", datetime(2012, 4, 4, 15, 56, 23, 500000)),
        ("epoch", "1333554983000", None),  # milliseconds
        ("epoch", "1e400", None),
        ("iso", "2012-04-04", datetime(2012, 4, 4)),
        ("iso", "2012-04-04T15:56:23Z", datetime(2012, 4, 4, 15, 56, 23)),
        ("iso", "2012-04-04 15:56", datetime(2012, 4, 4, 15, 56)),
        ("iso", "2012-04-04T15:56:23.25+02:00", datetime(2012, 4, 4, 13, 56, 23, 250000)),
        ("iso", "04/04/2012", None),
        ("%Y-%m-%d %H:%M:%S UTC", "2014-12-18 21:52:18 UTC", datetime(2014, 12, 18, 21, 52, 18)),
        ("%Y-%m-%d %H:%M:%S%.f", "2012-04-04 15:56:23.537", datetime(2012, 4, 4, 15, 56, 23, 537000)),
        ("%Y-%m-%d %H:%M:%S%.f", "2012-04-04 15:56:23", datetime(2012, 4, 4, 15, 56, 23)),
        ("%d.%m.%Y", "4.4.2012", datetime(2012, 4, 4)),
        ("%Y-%m-%d %H:%M %z", "2012-04-04 15:56 -0500", datetime(2012, 4, 4, 20, 56)),
        ("iso", "", None),
    ],
)
def test_moments(format: str, cell: str, expected: datetime | None) -> None:
    assert value(moment("c", format), cell) == expected


def test_numbers_are_finite_or_unknown() -> None:
    assert [value(number("c"), cell) for cell in ("10.0", " 7 ", "nan", "inf", "x", "")] == [10.0, 7.0, *[None] * 4]
    assert [value(number("c", dtype=pl.Int16), cell) for cell in ("3", "3.0", "-3.0", "70000")] == [3, 3, -3, None]
    assert [value(number("c", dtype=pl.Int16), cell) for cell in ("2.7", "-0.5", "inf", "nan")] == [None] * 4
    assert value(number("c", dtype=pl.Int64), "9007199254740993") == 9007199254740993


def test_categories_are_trimmed_and_nulls_are_the_sources_own() -> None:
    assert [value(category("c", ("", "NA")), cell) for cell in (" a ", "NA", "", "None")] == ["a", None, None, "None"]


def test_unreadable_values_are_counted_and_strict_ones_set_the_row_aside() -> None:
    account = log(3)
    raw = frame(a=["1", "x", ""], t=["2012-04-04", "2012-04-05", "soon"])
    values = {"number": number("a"), "time": moment("t", "iso")}
    read = read_values(account, raw, values, strict=["time"])
    assert read["number"].to_list() == [1.0, None]
    assert account.warnings == {"a: unreadable, set to unknown": 1}
    report, aside = account.report(accepted=2)
    assert report.quarantined == {"value": 1}
    assert aside.select("line", "column").rows() == [(4, "t")]


def test_rules_set_rows_aside_with_their_codes() -> None:
    account = log(8)
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=3)
    rows = frame(
        person=["1", None, "x", "1", "1", "1", "2", "a\ufffd"],
        job=["1", "1", "1", "x", "1", "2", "2", "1"],
        time=[datetime(2012, 1, 2), None, None, None, datetime(2012, 1, 1), tomorrow, None, None],
    )
    kept = require(account, rows, "person", "job")
    kept = require_known(account, kept, "person", pl.Series(["1", "2"]))
    kept = require_known(account, kept, "job", pl.Series(["1", "2"]))
    kept = require_first_time(account, require_past(account, kept, "time"))
    assert kept[LINE].to_list() == [6, 8]
    report, aside = account.report(len(kept))
    assert dict(aside.select("line", "code").rows()) == {
        2: "duplicate", 3: "id", 4: "unknown-person", 5: "unknown-job", 7: "future", 9: "id",
    }  # fmt: skip
    assert (report.duplicates, report.bad) == (1, 5)


def test_an_integer_with_a_fraction_is_counted_or_sets_its_row_aside() -> None:
    account, raw = log(2), frame(a=["2.7", "2"], b=["1", "1.5"])
    read = read_values(account, raw, {"a": number("a", dtype=pl.Int32), "b": number("b", dtype=pl.Int32)}, strict=["b"])
    assert read.rows() == [(2, None, 1)]
    assert account.warnings == {"a: unreadable, set to unknown": 1}
    assert account.report(1)[0].quarantined == {"value": 1}


def test_only_numbers_above_zero_are_positive() -> None:
    account = log(4)
    assert require_positive(account, frame(w=[0.0, -1.0, 0.5, None]), "w")[LINE].to_list() == [4, 5]
    assert account.report(2)[0].quarantined == {"value": 2}


def test_first_time_keeps_the_order_of_the_file_and_prefers_a_known_time() -> None:
    account = log(4)
    day = datetime(2012, 1, 1)
    rows = frame(person=["b", "a", "b", "a"], job=["j"] * 4, time=[None, day, day, day])
    assert require_first_time(account, rows)[LINE].to_list() == [3, 4]


def test_distinct_keeps_the_first() -> None:
    assert require_distinct(log(3), frame(id=["a", "b", "a"]), "id")[LINE].to_list() == [2, 3]

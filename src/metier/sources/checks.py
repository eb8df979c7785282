"""Strings of raw frames -> typed values, and the rules that every source holds its rows to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from metier.data.tables import TIME
from metier.sources.quarantine import LINE, Code, FileLog

NULLS = ("",)
"""Cells that mean "unknown" unless a source says otherwise."""

SLACK = timedelta(days=1)
"""How far ahead of this machine's clock a date may be: clocks and time zones differ."""

_UNKNOWN: Mapping[str, Code] = {"person": "unknown-person", "job": "unknown-job"}


def category(column: str, nulls: Sequence[str] = NULLS) -> pl.Expr:
    """Trimmed text; null where it is one of `nulls`."""
    text = pl.col(column).str.strip_chars()
    known = text != nulls[0] if len(nulls) == 1 else ~text.is_in(nulls)  # twice as fast, and most columns have one
    return pl.when(known).then(text).alias(column)


def number(column: str, nulls: Sequence[str] = NULLS, dtype: type[pl.DataType] = pl.Float64) -> pl.Expr:
    """A finite number of `dtype`; null where there is none. "3.0" is an integer, "2.7" is none."""
    text = category(column, nulls)
    value = text.cast(pl.Float64, strict=False)
    if not dtype.is_integer():
        return pl.when(value.is_finite()).then(value).cast(dtype, strict=False).alias(column)
    whole = pl.when(value.is_finite() & (value == value.floor())).then(value).cast(dtype, strict=False)
    return pl.coalesce(text.cast(dtype, strict=False), whole).alias(column)


def moment(column: str, format: str, nulls: Sequence[str] = NULLS) -> pl.Expr:
    """A Datetime in UTC; null where there is none.

    Parameters
    ----------
    format : "epoch" (seconds since 1970), "iso" (date, with or without time and offset), or strptime codes.
    """
    text = category(column, nulls)
    if format == "epoch":
        seconds = text.cast(pl.Float64, strict=False)
        sane = seconds.abs() < 1e11  # the year 5138: milliseconds given for seconds end up beyond it
        return pl.when(sane).then(seconds * 1e6).round().cast(pl.Int64).cast(TIME).alias(column)
    if format == "iso":
        plain = text.str.replace("T", " ", literal=True).str.replace(r"(Z| UTC)$", "")
        times = (" %H:%M:%S%.f", " %H:%M", " %H:%M:%S%.f%:z", "")
        return pl.coalesce([_parsed(plain, f"%Y-%m-%d{time}") for time in times]).alias(column)
    return _parsed(text, format).alias(column)


def _parsed(text: pl.Expr, format: str) -> pl.Expr:
    if "%z" in format or "%:z" in format:
        return text.str.to_datetime(format, time_unit="us", time_zone="UTC", strict=False).dt.replace_time_zone(None)
    if any(code in format for code in ("%H", "%I", "%T", "%R", "%c", "%s")):
        return text.str.to_datetime(format, time_unit="us", strict=False)
    return text.str.to_date(format, strict=False).cast(TIME)


def read_values(
    log: FileLog,
    raw: pl.DataFrame,
    values: Mapping[str, pl.Expr],
    *,
    nulls: Sequence[str] = NULLS,
    strict: Sequence[str] = (),
) -> pl.DataFrame:
    """LINE and typed columns made from raw ones.

    A cell that is there but cannot be read as a number or date becomes null and is counted as a warning; in a `strict`
    column its row goes to quarantine instead.

    Parameters
    ----------
    values : name of the new column -> expression over raw columns.
    """
    log.names |= {name: expression.meta.root_names()[0] for name, expression in values.items()}
    frame = raw.select(LINE, *[expression.alias(name) for name, expression in values.items()])
    for name in values:
        column = frame[name]
        if column.dtype.is_nested() or column.dtype == pl.String or not column.null_count():
            continue
        lost = column.is_null()
        there = raw.filter(lost).select(category(log.names[name], nulls).is_not_null()).to_series()
        unreadable = pl.repeat(False, len(raw), eager=True).scatter(lost.arg_true().filter(there), True)
        if name not in strict:
            log.warn(f"{log.names[name]}: unreadable, set to unknown", int(unreadable.sum()))
        elif unreadable.any():
            reason = (
                "not a date in the format of the column"
                if column.dtype == TIME
                else "not a number of the kind asked for"
            )
            keep = log.set_aside(frame, unreadable, column=name, code="value", reason=reason)
            raw, frame = raw.filter(~unreadable), keep
    return frame


def require(log: FileLog, frame: pl.DataFrame, *columns: str, code: Code = "id") -> pl.DataFrame:
    """Rows in which these columns are known, and UTF-8 where they are text."""
    for column in columns:
        bad = pl.col(column).is_null()
        if frame[column].dtype == pl.String:
            bad |= pl.col(column).str.contains("\ufffd", literal=True)
        frame = log.set_aside(frame, bad, column=column, code=code, reason="empty, or not UTF-8")
    return frame


def require_known(log: FileLog, frame: pl.DataFrame, column: str, ids: pl.Series) -> pl.DataFrame:
    """Rows whose "person" or "job" is one of `ids`."""
    unknown = frame.select(LINE, column).join(ids.to_frame(column), on=column, how="anti")[LINE]
    reason = f"no {column} with this id"
    return log.set_aside(
        frame, pl.col(LINE).is_in(unknown.implode()), column=column, code=_UNKNOWN[column], reason=reason
    )


def require_positive(log: FileLog, frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Rows whose number is above 0 (unknown passes)."""
    return log.set_aside(frame, pl.col(column) <= 0, column=column, code="value", reason="not above 0")


def require_past(log: FileLog, frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Rows whose moment is not in the future (unknown passes)."""
    newest = datetime.now(UTC).replace(tzinfo=None) + SLACK
    return log.set_aside(frame, pl.col(column) > newest, column=column, code="future", reason="a date in the future")


def require_distinct(log: FileLog, frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The first row of each value of `columns`."""
    key = pl.struct(columns) if len(columns) > 1 else pl.col(columns[0])
    reason = "repeats an earlier row"
    return log.set_aside(frame, ~key.is_first_distinct(), column=columns[-1], code="duplicate", reason=reason)


def require_first_time(log: FileLog, frame: pl.DataFrame) -> pl.DataFrame:
    """The earliest row of each (person, job), in the order of the file; an unknown time counts as the latest."""
    key = pl.struct("person", "job")
    repeated = frame.filter(key.hash().is_duplicated())  # pairs of one hash, few and therefore quick to look at closely
    repeated = repeated.sort("time", nulls_last=True, maintain_order=True)
    later = repeated.filter(~key.is_first_distinct())[LINE]
    reason = "the person and the job of a row with an earlier time"
    return log.set_aside(frame, pl.col(LINE).is_in(later.implode()), column="job", code="duplicate", reason=reason)

"""RecBole atomic files, in and out: NAME.inter, NAME.user, NAME.item.

Tab separated, never quoted; the header types each column: `user_id:token  skills:token_seq  timestamp:float`, and a
space stands between the values of a sequence. Format: https://recbole.io/docs/user_guide/data/atomic_files.html

What is written here has `text` and `title` as sequences of words, dates as seconds since 1970, and two more files,
NAME.history and NAME.window, for what the format does not know. NAME.metier.json keeps the exact column types: with it
a folder reads back as the tables it was written from, but for an empty text or list, which comes back as unknown.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from metier.data import Tables
from metier.data.tables import HISTORY, INTERACTIONS, JOBS, PEOPLE, TIME, WINDOWS, Schema
from metier.errors import DataRejectedError, UsageError
from metier.sources.checks import (
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
from metier.sources.files import InputFile, require_columns, shown, split_blocks
from metier.sources.quarantine import LINE, FileLog, ImportReport, Ledger, Progress

SUFFIXES = {"people": "user", "jobs": "item", "history": "history", "interactions": "inter", "windows": "window"}

_FIXED: Mapping[str, Schema] = {
    "people": PEOPLE,
    "jobs": JOBS,
    "history": HISTORY,
    "interactions": INTERACTIONS,
    "windows": WINDOWS,
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "people": {"id": "user_id"},
    "jobs": {"id": "item_id"},
    "history": {"person": "user_id"},
    "interactions": {"person": "user_id", "job": "item_id", "time": "timestamp"},
    "windows": {},
}
"""Our column -> RecBole's name, where they differ."""

_WORDS = ("text", "title")
_SEQUENCE = pl.List(pl.String)
_NUMBERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64)
_DTYPES: dict[str, Any] = {str(dtype): dtype for dtype in (pl.String, pl.Boolean, *_NUMBERS, TIME, _SEQUENCE)}
_BY_TYPE = {"token": pl.String, "token_seq": _SEQUENCE, "float": pl.Float64, "float_seq": _SEQUENCE}

_PLAIN, _ESCAPED = ["\\", "\t", "\n", "\r"], [r"\\", r"\t", r"\n", r"\r"]
"""A sequence writes a space inside a value as \\s as well."""


def write_recbole(tables: Tables, folder: Path, name: str) -> list[Path]:
    """Write NAME.inter, .user, .item, .history, .window (empty ones are left out) and the types; returns the files.

    UsageError when a column has a type that the format cannot hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table, suffix in SUFFIXES.items():
        frame: pl.DataFrame = getattr(tables, table)
        kept = [column for column in frame.columns if frame[column].null_count() < len(frame)]
        if kept:
            target = folder / f"{name}.{suffix}"
            cells = [_written(column, frame.schema[column], table) for column in kept]
            frame.select(cells).write_csv(target, separator="\t", quote_style="never")
            written.append(target)
    types = {t: {c: str(d) for c, d in getattr(tables, t).schema.items()} for t in SUFFIXES}
    sidecar = folder / f"{name}.metier.json"
    sidecar.write_text(json.dumps(types, indent=1, ensure_ascii=False), encoding="utf-8")
    return [*written, sidecar]


def _written(column: str, dtype: pl.DataType, table: str) -> pl.Expr:
    """One column ready for the file, under its typed name."""
    name, cell = _NAMES[table].get(column, column), pl.col(column)
    if str(dtype) not in _DTYPES:
        raise UsageError(f"{table}.{column} is {dtype}; RecBole files are written from {', '.join(_DTYPES)}")
    if dtype == pl.String:
        kind = "token_seq" if column in _WORDS else "token"
        return cell.str.replace_many(_PLAIN, _ESCAPED).alias(f"{name}:{kind}")
    if dtype == _SEQUENCE:
        values = cell.list.eval(pl.element().str.replace_many([*_PLAIN, " "], [*_ESCAPED, r"\s"]))
        return values.list.join(" ").alias(f"{name}:token_seq")
    if dtype == TIME:
        return (cell.dt.epoch("us") / 1e6).alias(f"{name}:float")
    return (cell.cast(pl.Int8) if dtype == pl.Boolean else cell).alias(f"{name}:float")


def read_recbole(
    folder: Path, *, max_bad: float = 0.05, progress: Progress | None = None
) -> tuple[Tables, ImportReport]:
    """Tables of the one data set in a folder, which may lack all files but .inter.

    Without .user (or .item) the people (jobs) are those of the interactions. A `rating` is no weight: it says how much
    somebody liked a thing, and metier asks what they applied to.

    Raises
    ------
    UsageError : there is no .inter file, or more than one.
    DataRejectedError : a file is broken, lacks an id column, or its header has no types.
    ImportRejectedError : more than `max_bad` of a file's rows are bad; carries the report.
    """
    found = sorted(folder.glob("*.inter")) + sorted(folder.glob("*.inter.gz"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UsageError(f"{folder}: one .inter file is needed, found {names}; cure: give the folder of one data set")
    name = found[0].name.removesuffix(".gz").removesuffix(".inter")
    desk = _Desk(folder, name, _read_types(folder / f"{name}.metier.json"), progress)
    log, pairs = desk.open(found[0], "interactions", ["person", "job"])
    pairs = pairs if "time" in pairs.columns else pairs.with_columns(time=pl.lit(None, dtype=TIME))
    pairs = require_positive(log, pairs, "weight") if "weight" in pairs.columns else pairs
    people, jobs = desk.described("people", pairs["person"]), desk.described("jobs", pairs["job"])
    pairs = require_known(log, require_known(log, pairs, "person", people["id"]), "job", jobs["id"])
    pairs = desk.ledger.close(log, require_first_time(log, require_past(log, pairs, "time"))).drop(LINE)
    history, windows = desk.unknown_to_recbole("history", people["id"]), desk.unknown_to_recbole("windows", None)
    report = desk.ledger.report()
    report.check(max_bad)
    return Tables.build(people, jobs, pairs, history, windows), report


def _read_types(sidecar: Path) -> dict[str, dict[str, str]]:
    """Table -> column -> dtype, as `write_recbole` left it; empty for files from elsewhere."""
    if not sidecar.is_file():
        return {}
    try:
        types = json.loads(sidecar.read_text(encoding="utf-8"))
        strange = {dtype for table in SUFFIXES for dtype in types[table].values()} - _DTYPES.keys()
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise DataRejectedError(
            f"{sidecar}: not the column types that metier writes ({error}); cure: delete it"
        ) from None
    if strange:
        raise DataRejectedError(f"{sidecar}: unknown types {', '.join(map(str, strange))}; cure: delete the file")
    return dict(types)


@dataclass(frozen=True)
class _Desk:
    """Reads one file after the other into one ledger."""

    folder: Path
    name: str
    types: Mapping[str, Mapping[str, str]]
    progress: Progress | None
    ledger: Ledger = field(default_factory=Ledger)

    def described(self, table: str, named: pl.Series) -> pl.DataFrame:
        """People or jobs of their file, or those that the interactions name."""
        path = self._find(table)
        if path is None:
            return pl.DataFrame({"id": named.unique(maintain_order=True)})
        log, frame = self.open(path, table, ["id"])
        return self.ledger.close(log, require_distinct(log, frame, "id")).drop(LINE)

    def unknown_to_recbole(self, table: str, people: pl.Series | None) -> pl.DataFrame | None:
        """History or windows, which only metier writes."""
        path = self._find(table) if self.types else None
        if path is None:
            return None
        log, frame = self.open(path, table, [] if people is None else ["person"])
        frame = frame if people is None else require_known(log, frame, "person", people)
        return self.ledger.close(log, frame).drop(LINE)

    def open(self, path: Path, table: str, ids: Sequence[str]) -> tuple[FileLog, pl.DataFrame]:
        """The typed columns of a file, its rows without ids set aside, its account still open."""
        file, log = InputFile(path), FileLog(path.name)
        raw = pl.concat(split_blocks(file, log, None, progress=self.progress))
        ours = {theirs: own for own, theirs in _NAMES[table].items()}
        values: dict[str, pl.Expr] = {}
        for column in raw.columns[1:]:
            theirs, _, kind = column.partition(":")
            if kind not in _BY_TYPE:
                raise DataRejectedError(
                    f"{path}: column {shown([column])} has no type; cure: write it as NAME:token, "
                    f"or with one of {', '.join(_BY_TYPE)}"
                )
            own = ours.get(theirs, theirs)
            values[own] = _read(column, self._dtype(table, own, kind), escaped=bool(self.types))
        require_columns(file, [_NAMES[table].get(own, own) for own in values], [_NAMES[table][own] for own in ids])
        frame = read_values(log, raw, values, strict=["time"] if table == "interactions" else [])
        lost = [name for name in self.types.get(table, {}) if name not in values]
        frame = frame.with_columns(pl.lit(None, dtype=self._dtype(table, own, "token")).alias(own) for own in lost)
        return log, require(log, frame.select(LINE, *(self.types.get(table) or values)), *ids)

    def _dtype(self, table: str, column: str, kind: str) -> Any:
        """What was written, else what the tables fix, else what the header says."""
        written = self.types.get(table, {}).get(column)
        return _DTYPES[written] if written else _FIXED[table].get(column, _BY_TYPE[kind])

    def _find(self, table: str) -> Path | None:
        paths = [self.folder / f"{self.name}.{SUFFIXES[table]}{gz}" for gz in ("", ".gz")]
        return next((path for path in paths if path.is_file()), None)


def _read(column: str, dtype: Any, *, escaped: bool) -> pl.Expr:
    """A raw column as `dtype`; "" is unknown, and backslashes mean something only in files written here."""
    cell = pl.when(pl.col(column) != "").then(pl.col(column))
    if dtype == pl.String:
        return cell.str.replace_many(_ESCAPED, _PLAIN) if escaped else cell
    if dtype == _SEQUENCE:
        split = cell.str.split(" ")
        unescaped = split.list.eval(pl.element().str.replace_many([*_ESCAPED, r"\s"], [*_PLAIN, " "]))
        return unescaped if escaped else split
    if dtype == TIME:
        return moment(column, "epoch")
    return number(column, dtype=pl.Int8).cast(pl.Boolean) if dtype == pl.Boolean else number(column, dtype=dtype)

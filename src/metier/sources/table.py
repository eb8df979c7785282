"""Any CSV, TSV or Parquet files, by a map from their columns to people, jobs, history and interactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from metier.data import Tables
from metier.data.tables import TIME
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
from metier.sources.files import InputFile
from metier.sources.quarantine import LINE, FileLog, ImportReport, Ledger, Progress
from metier.sources.records import UNIT, read_records
from metier.sources.table_map import Attribute, Described, History, Join, Moment, TableMap
from metier.sources.text import plain_text


def read_table(
    folder: Path, map: TableMap, *, max_bad: float = 0.05, progress: Progress | None = None
) -> tuple[Tables, ImportReport]:
    """Tables of the files in a folder.

    Of each (person, job) the row with the earliest time is kept, or the first one where there are no times. The order
    of the files is kept.

    Raises
    ------
    DataRejectedError : a file is missing or broken, or lacks a column of the map.
    ImportRejectedError : more than `max_bad` of a file's rows are bad; carries the report.
    """
    desk = _Desk(folder, map, progress)
    jobs = desk.jobs()
    pairs, past = desk.interactions(), [desk.history(section) for section in map.history]
    extras = [desk.join(join, "person") for join in map.people.joins]
    people = desk.people({"interactions": [pairs], "history": past, "joins": extras})
    everybody = people["id"]
    for join, opened in zip(map.people.joins, extras, strict=True):
        people = desk.attach(people, join, opened, "person")
    settled = [desk.settle_history(*one, everybody) for one in zip(map.history, past, strict=True)]
    history = pl.concat(settled, how="diagonal") if settled else None
    interactions = desk.settle_interactions(pairs, everybody, jobs["id"])
    report = desk.ledger.report()
    report.check(max_bad)
    texts = {"people": _with_text(people, map.people), "jobs": _with_text(jobs, map.jobs)}
    return Tables.build(texts["people"], texts["jobs"], interactions, history), report


Opened = tuple[FileLog, pl.DataFrame]
"""A file whose rows have ids and values, and whose account is still open."""


@dataclass(frozen=True)
class _Desk:
    """Reads one file after the other into one ledger."""

    folder: Path
    map: TableMap
    progress: Progress | None
    ledger: Ledger = field(default_factory=Ledger)

    def jobs(self) -> pl.DataFrame:
        section = self.map.jobs
        values = {"id": self._category(section.id)} | self._described(section)
        if section.title:
            values["title"] = self._category(section.title)
        values |= {name: self._moment(at) for name, at in (("start", section.start), ("end", section.end)) if at}
        log, frame = self._open(section.file, values, ["id"])
        if section.start:
            frame = require_past(log, frame, "start")
        frame = self.ledger.close(log, require_distinct(log, frame, "id")).drop(LINE)
        for join in section.joins:
            frame = self.attach(frame, join, self.join(join, "job"), "job")
        return frame

    def people(self, named: Mapping[str, Sequence[Opened]]) -> pl.DataFrame:
        """People of their own file, or everybody whom the open files name."""
        section = self.map.people
        if section.file is None or section.id is None:
            ids = [frame["person"] for origin in section.origins for _, frame in named[origin]]
            return pl.DataFrame({"id": pl.concat([pl.Series(dtype=pl.String), *ids]).unique(maintain_order=True)})
        values = {"id": self._category(section.id)} | self._described(section)
        log, frame = self._open(section.file, values, ["id"])
        return self.ledger.close(log, require_distinct(log, frame, "id")).drop(LINE)

    def join(self, join: Join, key: str) -> Opened:
        return self._open(join.file, {key: self._category(join.id)} | self._attributes(join.attributes), [key])

    def attach(self, frame: pl.DataFrame, join: Join, opened: Opened, key: str) -> pl.DataFrame:
        """`frame` with the attributes of a further file."""
        log, rows = opened
        rows = require_known(log, rows, key, frame["id"])
        if join.many:
            lists = pl.col(list(join.attributes)).explode().drop_nulls().unique(maintain_order=True)
            found = self.ledger.close(log, rows).group_by(key, maintain_order=True).agg(lists)
            found = found.with_columns(_filled(pl.col(name)).alias(name) for name in join.attributes)
        else:
            found = self.ledger.close(log, require_distinct(log, rows, key)).drop(LINE)
        return frame.join(found, left_on="id", right_on=key, how="left", maintain_order="left")

    def history(self, section: History) -> Opened:
        values = {"person": self._category(section.person)}
        if section.title:
            values["title"] = self._category(section.title)
        if section.text:
            values["text"] = _joined([self._category(name) for name in section.text])
        if section.time:
            values["time"] = self._moment(section.time)
        if section.sequence:
            values["sequence"] = number(section.sequence, self.map.format.nulls, pl.Int32)
        return self._open(section.file, values, ["person"])

    def settle_history(self, section: History, opened: Opened, people: pl.Series) -> pl.DataFrame:
        log, frame = opened
        if "time" in frame.columns:
            frame = require_past(log, frame, "time")
        frame = self.ledger.close(log, require_known(log, frame, "person", people)).drop(LINE)
        if "sequence" not in frame.columns:
            frame = frame.with_columns(sequence=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("person"))
        if section.html and "text" in frame.columns:
            frame = frame.with_columns(text=plain_text(frame["text"]))
        return frame

    def interactions(self) -> Opened:
        section = self.map.interactions
        values = {"person": self._category(section.person), "job": self._category(section.job)}
        if section.time:
            values["time"] = self._moment(section.time)
        if section.weight:
            values["weight"] = number(section.weight, self.map.format.nulls, pl.Float32)
        if section.split:
            values["split"] = self._category(section.split).str.to_lowercase()
        log, frame = self._open(section.file, values, ["person", "job"], strict=["time"])
        if section.weight:
            frame = require_positive(log, frame, "weight")
        return log, frame if section.time else frame.with_columns(time=pl.lit(None, dtype=TIME))

    def settle_interactions(self, opened: Opened, people: pl.Series, jobs: pl.Series) -> pl.DataFrame:
        log, frame = opened
        frame = require_known(log, require_known(log, frame, "person", people), "job", jobs)
        return self.ledger.close(log, require_first_time(log, require_past(log, frame, "time"))).drop(LINE)

    def _open(self, name: str, values: Mapping[str, pl.Expr], ids: Sequence[str], strict: Sequence[str] = ()) -> Opened:
        """The typed columns of a file, its rows without ids set aside."""
        columns = [column for expression in values.values() for column in expression.meta.root_names()]
        separator = self.map.format.separator or ("\t" if ".tsv" in Path(name).suffixes else ",")
        log = FileLog(name)
        file = InputFile(self.folder / name)
        quote = self.map.format.quote
        raw = read_records(file, log, columns, separator=separator, quote=quote, progress=self.progress)
        frame = read_values(log, raw, values, nulls=self.map.format.nulls, strict=strict)
        return log, require(log, frame, *ids)

    def _described(self, section: Described) -> dict[str, pl.Expr]:
        """Places, attributes, and the columns that the text is made of."""
        values = self._attributes(section.attributes)
        for place in ("city", "state", "country", "zip"):
            if column := getattr(section, place):
                values[place] = self._category(column)
        own = [name for name in section.text if name not in _attribute_names(section)]
        return values | {f"(text) {name}": self._category(name) for name in own}

    def _attributes(self, attributes: Mapping[str, Attribute]) -> dict[str, pl.Expr]:
        return {name: self._attribute(attribute) for name, attribute in attributes.items()}

    def _attribute(self, attribute: Attribute) -> pl.Expr:
        column, nulls = attribute.columns[0], self.map.format.nulls
        match attribute.kind:
            case "category":
                return self._category(column)
            case "number":
                return number(column, nulls)
            case "date":
                return moment(column, attribute.format, nulls)
            case "list":
                return several(attribute.columns, attribute.separator or UNIT, nulls)

    def _category(self, column: str) -> pl.Expr:
        return category(column, self.map.format.nulls)

    def _moment(self, at: Moment) -> pl.Expr:
        return moment(at.column, at.format, self.map.format.nulls)


def several(columns: Sequence[str], separator: str, nulls: Sequence[str]) -> pl.Expr:
    """List(String) of the distinct values in one or more columns; null when there are none."""
    split = [
        category(column, nulls).fill_null("").str.replace_all(UNIT, separator, literal=True).str.split(separator)
        for column in columns
    ]
    trimmed = pl.concat_list(split).list.eval(pl.element().str.strip_chars())
    kept = trimmed.list.eval(pl.element().filter(~pl.element().is_in(["", *nulls])))
    return _filled(kept.list.unique(maintain_order=True))


def _filled(lists: pl.Expr) -> pl.Expr:
    return pl.when(lists.list.len() > 0).then(lists)


def _attribute_names(section: Described) -> list[str]:
    return [*section.attributes, *(name for join in section.joins for name in join.attributes)]


def _joined(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Known parts with a space between them; null when none is known."""
    text = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    return pl.when(text != "").then(text)


def _with_text(frame: pl.DataFrame, section: Described) -> pl.DataFrame:
    """`frame` with the text that the map asks for, made once the joined attributes are there."""
    if not section.text:
        return frame
    known = _attribute_names(section)
    names = [name if name in known else f"(text) {name}" for name in section.text]
    parts = [
        pl.col(name).list.join(" ") if isinstance(frame[name].dtype, pl.List) else pl.col(name).cast(pl.String)
        for name in names
    ]
    frame = frame.with_columns(text=_joined(parts)).drop([name for name in names if name.startswith("(text) ")])
    return frame.with_columns(text=plain_text(frame["text"])) if section.html else frame

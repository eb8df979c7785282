"""What the service learned, as the tables a model is trained on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from metier.data.tables import HISTORY, INTERACTIONS, JOBS, PEOPLE, TIME, Tables, conform
from metier.store.erasure import Erasure
from metier.store.events import Event, standing
from metier.store.jobs import Job
from metier.store.people import Person
from metier.store.resumes import Resume, Resumes
from metier.store.schema import events, jobs, people
from metier.store.scope import Scope
from metier.store.tokens import digest

FACTS = {
    "employer": pl.String,
    "remote": pl.Boolean,
    "salary_min": pl.Float64,
    "salary_max": pl.Float64,
    "currency": pl.String,
    "level": pl.Int32,
}
"""Attributes of a job, besides the fixed columns."""


def tables(scope: Scope, base: Tables | None = None) -> Tables:
    """People, jobs, past jobs and applications of a tenant, together with those of a dataset if one is given.

    People are those whom the service answers, and as it sees them: a profile takes the place of the dataset's row, the
    résumé that counts follows the text, and its past jobs become `history`. Whoever was erased is not taken from the
    dataset. Of a job that both hold the learned row counts. An application counts once, the dataset's first, then at
    the first time it was made, unless it was taken back; views, saves and dismissals are left out, since models learn
    from applications. It may name a job that is in neither. What the dataset holds nobody takes back.
    """
    read = Resumes(scope).newest()
    new = Tables.build(
        _people(scope.read(Person, people, order=[people.c.id])),
        _jobs(scope.read(Job, jobs, jobs.c.posted, order=[jobs.c.id])),
        _interactions(_applied(scope)),
        _history(read),
    )
    old = _without_erased(base or Tables.build(*[pl.DataFrame()] * 3), Erasure(scope).erased())
    told = new.history["person"].unique()
    pairs = pl.concat([old.interactions, new.interactions], how="diagonal_relaxed")
    profiles = _newer(old.people, new.people)
    met = {*read, *new.interactions["person"]} - {*profiles["id"]}
    strangers = conform(pl.DataFrame({"id": sorted(met)}, schema={"id": pl.String}), PEOPLE)
    return old.replace(
        people=_with_resumes(pl.concat([profiles, strangers], how="diagonal_relaxed"), read),
        jobs=_newer(old.jobs, new.jobs),
        history=pl.concat([_without(old.history, "person", told), new.history], how="diagonal_relaxed"),
        interactions=pairs.unique(["person", "job"], keep="first", maintain_order=True),
    )


def _applied(scope: Scope) -> list[Event]:
    """Applications that were not taken back, oldest first."""
    about = events.c.kind.in_(("applied", "unapplied"))
    return standing(scope.read(Event, events, about, order=[events.c.time, events.c.sequence]))


def _without_erased(base: Tables, erased: frozenset[str]) -> Tables:
    """`erased`: SHA-256 of ids."""
    gone = [id for id in base.people["id"] if digest(id) in erased]
    return base.replace(
        people=_without(base.people, "id", gone),
        history=_without(base.history, "person", gone),
        interactions=_without(base.interactions, "person", gone),
    )


def _with_resumes(persons: pl.DataFrame, read: Mapping[str, Resume]) -> pl.DataFrame:
    """`persons` whose text is followed by that of their résumé, if they have one."""
    texts = [(one.person, one.text) for one in read.values() if one.text]
    said = pl.DataFrame(texts, schema={"id": pl.String, "(résumé)": pl.String}, orient="row")
    own = pl.when(pl.col("text") != "").then(pl.col("text"))
    both = pl.concat_str(own, pl.col("(résumé)"), separator="\n", ignore_nulls=True)
    return (
        persons.join(said, on="id", how="left", maintain_order="left")
        .with_columns(text=pl.when(pl.col("(résumé)").is_null()).then(pl.col("text")).otherwise(both))
        .drop("(résumé)")
    )


def _newer(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    new = new.with_columns(_as(new[name], old.schema[name]) for name in new.columns if name in old.columns)
    return pl.concat([_without(old, "id", new["id"]), new], how="diagonal_relaxed")


def _as(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A column in the dtype that the dataset has for it; a value that cannot be told in it is unknown."""
    if column.dtype == dtype:
        return column
    try:
        if column.dtype == pl.String and dtype.is_numeric():
            column = column.cast(pl.Float64, strict=False)  # "7.0" is no integer
        return column.cast(dtype, strict=False)
    except pl.exceptions.InvalidOperationError:
        return pl.Series(column.name, [None] * len(column), dtype)


def _without(frame: pl.DataFrame, key: str, ids: Sequence[str] | pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col(key).is_in(pl.Series(list(ids), dtype=pl.String).implode()))


def _people(persons: Sequence[Person]) -> pl.DataFrame:
    schema = {name: PEOPLE[name] for name in PEOPLE if name != "window"}
    fixed = [{name: getattr(one, name) for name in schema} for one in persons]
    names = sorted({name for one in persons for name in one.attributes})
    columns = [_attribute(name, [one.attributes.get(name) for one in persons]) for name in names]
    return pl.DataFrame(fixed, schema=schema).with_columns(columns)


def _attribute(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of the dtype that all values have; a String where they differ."""
    there = [value for value in values if value is not None]
    if all(isinstance(value, list) for value in there):
        return pl.Series(name, values, pl.List(pl.String))
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return pl.Series(name, values, pl.Float64, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], pl.String)


def _jobs(posted: Sequence[Job]) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in JOBS.items() if name != "window"} | FACTS
    rows = [
        {name: getattr(one, name) for name in schema} | {"start": _moment(one.start), "end": _moment(one.end)}
        for one in posted
    ]
    return pl.DataFrame(rows, schema=schema)


def _interactions(applied: Sequence[Event]) -> pl.DataFrame:
    rows = [{"person": one.person, "job": one.job, "time": _moment(one.time)} for one in applied]
    frame = pl.DataFrame(rows, schema={"person": pl.String, "job": pl.String, "time": TIME})
    return frame.unique(["person", "job"], keep="first", maintain_order=True).with_columns(
        split=pl.lit(None, INTERACTIONS["split"])
    )


def _history(read: Mapping[str, Resume]) -> pl.DataFrame:
    rows = [
        {"person": person, "sequence": place, "title": job["title"], "text": job.get("summary"), "time": _month(job)}
        for person, resume in sorted(read.items())
        for place, job in enumerate(resume.candidate.get("work", ()), 1)
        if job.get("title")
    ]
    return pl.DataFrame(rows, schema=HISTORY)


def _month(job: Mapping[str, Any]) -> datetime | None:
    said = job.get("end") or job.get("start") or ""
    try:
        return datetime.strptime(said if "-" in said else f"{said}-01", "%Y-%m")
    except ValueError:  # what a person wrote may look like a month and be none: 0000-07
        return None


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)

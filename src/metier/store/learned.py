"""What the service learned, as the tables a model is trained on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import polars as pl

from metier.data.tables import HISTORY, INTERACTIONS, JOBS, PEOPLE, TIME, Tables
from metier.store.events import Event
from metier.store.jobs import Job
from metier.store.people import Person
from metier.store.resumes import Resume
from metier.store.schema import events, jobs, people, resumes
from metier.store.scope import Scope

FACTS = {"employer": pl.String, "salary_min": pl.Float64, "salary_max": pl.Float64, "level": pl.Int32}
"""Attributes of a job, besides the fixed columns."""


def tables(scope: Scope) -> Tables:
    """People, jobs and applications of a tenant.

    A person's text is the profile, then the newest résumé that was read, whose past jobs become `history`. An
    application counts once, at the first time it was made; views, saves and dismissals are left out, since models
    learn from applications. It may name people and jobs that only the bundle's dataset holds: see `merged`.
    """
    read = {
        one.person: one for one in scope.read(Resume, resumes, resumes.c.state == "done", order=[resumes.c.sequence])
    }
    persons = scope.read(Person, people, order=[people.c.id])
    posted = scope.read(Job, jobs, jobs.c.posted, order=[jobs.c.id])
    applied = scope.read(Event, events, events.c.kind == "applied", order=[events.c.time, events.c.sequence])
    return Tables.build(
        _people(persons, read),
        _jobs(posted),
        _interactions(applied),
        _history(read),
    )


def merged(base: Tables, learned: Tables, erased: frozenset[str] = frozenset()) -> Tables:
    """A dataset with what was learned since: of a person or a job that both hold the learned row counts.

    Parameters
    ----------
    erased : SHA-256 of the ids of people whose rows in `base` are to be left out.
    """
    gone = [id for id in base.people["id"] if sha256(id.encode()).hexdigest() in erased]
    kept = {name: _without(getattr(base, name), key, gone) for name, key in (("people", "id"), ("history", "person"))}
    told = learned.history["person"].unique()
    pairs = pl.concat(
        [_without(base.interactions, "person", gone), learned.interactions], how="diagonal_relaxed"
    )  # the base's come first, so its weight and split stay where both have a pair
    return base.replace(
        people=_newer(kept["people"], learned.people),
        jobs=_newer(base.jobs, learned.jobs),
        history=pl.concat([_without(kept["history"], "person", told), learned.history], how="diagonal_relaxed"),
        interactions=pairs.unique(["person", "job"], keep="first", maintain_order=True),
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


def _people(persons: Sequence[Person], read: Mapping[str, Resume]) -> pl.DataFrame:
    fixed = [
        {name: getattr(one, name) for name in ("id", "city", "state", "country", "zip")}
        | {"text": "\n".join(filter(None, (one.text, read[one.id].text if one.id in read else "")))}
        for one in persons
    ]
    names = sorted({name for one in persons for name in one.attributes})
    columns = [_attribute(name, [one.attributes.get(name) for one in persons]) for name in names]
    return pl.DataFrame(fixed, schema={name: PEOPLE[name] for name in PEOPLE if name != "window"}).with_columns(columns)


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
    said = job.get("end") or job.get("start")
    return datetime.strptime(said if "-" in said else f"{said}-01", "%Y-%m") if said else None


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)

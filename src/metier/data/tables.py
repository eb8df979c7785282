"""Validated records as columns: what every source delivers and every split cuts.

Four frames and the windows. Names with a meaning are fixed; every other column of `people` and `jobs` is an
attribute whose dtype says how models read it: String a category, List(String) several values at once, a number
a quantity to bin, Datetime a moment.

people        id, window, city, state, country, zip, text, + attributes
jobs          id, window, city, state, country, zip, title, text, start, end, + attributes
history       person, sequence, title, text, time      the past jobs a person names
interactions  person, job, time, weight, split         distinct (person, job) pairs
windows       window, start, cutoff, end               periods whose people and jobs are disjoint; may be empty
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

TIME = pl.Datetime("us")
Schema = Mapping[str, type[pl.DataType] | pl.DataType]

PEOPLE: Schema = {
    "id": pl.String,
    "window": pl.Int16,
    "city": pl.String,
    "state": pl.String,
    "country": pl.String,
    "zip": pl.String,
    "text": pl.String,
}
JOBS: Schema = {**PEOPLE, "title": pl.String, "start": TIME, "end": TIME}
HISTORY: Schema = {"person": pl.String, "sequence": pl.Int32, "title": pl.String, "text": pl.String, "time": TIME}
INTERACTIONS: Schema = {"person": pl.String, "job": pl.String, "time": TIME, "weight": pl.Float32, "split": pl.String}
WINDOWS: Schema = {"window": pl.Int16, "start": TIME, "cutoff": TIME, "end": TIME}


@dataclass(frozen=True)
class Tables:
    """People, jobs, past jobs, interactions and windows, each a polars frame with the columns above."""

    people: pl.DataFrame
    jobs: pl.DataFrame
    history: pl.DataFrame
    interactions: pl.DataFrame
    windows: pl.DataFrame

    @classmethod
    def build(
        cls,
        people: pl.DataFrame,
        jobs: pl.DataFrame,
        interactions: pl.DataFrame,
        history: pl.DataFrame | None = None,
        windows: pl.DataFrame | None = None,
    ) -> "Tables":
        """Tables with missing fixed columns added as null, fixed dtypes cast and a stable column order."""
        return cls(
            conform(people, PEOPLE),
            conform(jobs, JOBS),
            conform(history if history is not None else pl.DataFrame(), HISTORY),
            conform(interactions, INTERACTIONS).with_columns(pl.col("weight").fill_null(1.0)),
            conform(windows if windows is not None else pl.DataFrame(), WINDOWS),
        )

    def replace(self, **frames: pl.DataFrame) -> "Tables":
        """A copy with some frames replaced."""
        return replace(self, **frames)

    def keep(self, *, people: Iterable[str] | pl.Series, jobs: Iterable[str] | pl.Series) -> "Tables":
        """Only these people and jobs, and what belongs to them."""
        people, jobs = (pl.Series(list(ids), dtype=pl.String).implode() for ids in (people, jobs))
        return self.replace(
            people=self.people.filter(pl.col("id").is_in(people)),
            jobs=self.jobs.filter(pl.col("id").is_in(jobs)),
            history=self.history.filter(pl.col("person").is_in(people)),
            interactions=self.interactions.filter(pl.col("person").is_in(people) & pl.col("job").is_in(jobs)),
        )


def attributes(frame: pl.DataFrame) -> list[str]:
    """The attribute columns of `people` or `jobs`: all but the fixed names."""
    return [name for name in frame.columns if name not in JOBS]


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """`frame` with the columns of `schema` first, cast to its dtypes, null where absent; the rest follows."""
    fixed = [
        (pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype=dtype)).alias(name)
        for name, dtype in schema.items()
    ]
    rest = [pl.col(name) for name in frame.columns if name not in schema]
    if not frame.columns:
        return pl.DataFrame(schema=schema)
    return frame.select(fixed + rest)

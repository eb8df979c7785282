"""Tables -> Dataset: the step where people and jobs become users and items."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import polars as pl

from metier.data import Dataset, Interactions, Tables, Vocabulary
from metier.data.types import Times
from metier.features.encoder import Encoder


@dataclass(frozen=True)
class Assembled:
    """A dataset with the encoders that made its features, kept for people and jobs that come later."""

    dataset: Dataset
    people: Encoder
    jobs: Encoder


def assemble(tables: Tables, cutoff: datetime | Literal["newest"] | None = None) -> Assembled:
    """Number people and jobs in table order, encode their columns and join their texts.

    Everything in `tables` is used, so cut it first (`metier.data.splits`). `cutoff` is the moment everybody is asked
    at: a time, or for everyone the newest interaction of their own window; None leaves each person their own moment,
    right after their last interaction.
    """
    people, jobs = Encoder.fit(tables.people), Encoder.fit(tables.jobs)
    users = Vocabulary("person", tables.people["id"].to_list())
    items = Vocabulary("job", tables.jobs["id"].to_list())
    pairs = tables.interactions
    interactions = Interactions(
        users.numbers(pairs["person"]),
        items.numbers(pairs["job"]),
        pairs["weight"].to_numpy().astype(np.float32),
        seconds(pairs.select("time"))[:, 0],
    )
    dataset = Dataset(
        users,
        items,
        interactions,
        people.encode(tables.people),
        jobs.encode(tables.jobs),
        person_texts(tables),
        job_texts(tables.jobs),
        _asked(tables, cutoff),
        seconds(tables.jobs.select("start", "end")),
    )
    return Assembled(dataset, people, jobs)


def _asked(tables: Tables, cutoff: datetime | Literal["newest"] | None) -> Times | None:
    """(U,) seconds since 1970 when each person is asked; None when each has a moment of their own."""
    if cutoff is None:
        return None
    if cutoff != "newest":
        return np.full(len(tables.people), cutoff.replace(tzinfo=UTC).timestamp())
    windows = tables.people.select("id", window=pl.col("window").fill_null(-1))
    last = (
        tables.interactions.join(windows, left_on="person", right_on="id").group_by("window").agg(pl.col("time").max())
    )
    return seconds(windows.join(last, on="window", how="left", maintain_order="left").select("time"))[:, 0]


def seconds(moments: pl.DataFrame) -> Times:
    """(n, c) float64 seconds since 1970 of Datetime columns, NaN where null."""
    return moments.select(pl.all().dt.epoch("us").cast(pl.Float64) / 1e6).to_numpy().astype(np.float64)


def person_texts(tables: Tables) -> list[str]:
    """U strings: the self-description, then the titles and descriptions of past jobs, one a line."""
    past = (
        tables.history.sort("person", "sequence", maintain_order=True)
        .with_columns(line=pl.concat_str(pl.col("title").fill_null(""), pl.col("text").fill_null(""), separator=" "))
        .group_by("person", maintain_order=True)
        .agg(pl.col("line").str.join("\n"))
    )
    joined = tables.people.select("id", "text").join(
        past, left_on="id", right_on="person", how="left", maintain_order="left"
    )
    return _lines(joined, "text", "line")


def job_texts(jobs: pl.DataFrame) -> list[str]:
    """I strings: title, then text."""
    return _lines(jobs, "title", "text")


def _lines(frame: pl.DataFrame, first: str, second: str) -> list[str]:
    both = pl.concat_str(pl.col(first).fill_null(""), pl.col(second).fill_null(""), separator="\n")
    return frame.select(both.str.strip_chars()).to_series().to_list()

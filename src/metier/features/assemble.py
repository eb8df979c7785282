"""Tables -> Dataset: the step where people and jobs become users and items."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from metier.data import Dataset, Interactions, Tables, Vocabulary
from metier.features.encoder import Encoder


@dataclass(frozen=True)
class Assembled:
    """A dataset with the encoders that made its features, kept for people and jobs that come later."""

    dataset: Dataset
    people: Encoder
    jobs: Encoder


def assemble(tables: Tables) -> Assembled:
    """Number people and jobs in table order, encode their columns and join their texts.

    Everything in `tables` is used, so cut it first (`metier.data.splits`).
    """
    people, jobs = Encoder.fit(tables.people), Encoder.fit(tables.jobs)
    users = Vocabulary("person", tables.people["id"].to_list())
    items = Vocabulary("job", tables.jobs["id"].to_list())
    pairs = tables.interactions
    seconds = pairs["time"].dt.epoch("us").cast(pl.Float64) / 1e6
    interactions = Interactions(
        users.numbers(pairs["person"]),
        items.numbers(pairs["job"]),
        pairs["weight"].to_numpy().astype(np.float32),
        seconds.to_numpy().astype(np.float64),
    )
    dataset = Dataset(
        users,
        items,
        interactions,
        people.encode(tables.people),
        jobs.encode(tables.jobs),
        person_texts(tables),
        job_texts(tables.jobs),
    )
    return Assembled(dataset, people, jobs)


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

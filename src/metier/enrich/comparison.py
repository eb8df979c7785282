"""Prompts and models side by side, on a sample of people."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from metier.data.splits import Protocol, folds
from metier.data.tables import Tables
from metier.enrich.grounds import Grounds, gather
from metier.enrich.run import Plan
from metier.enrich.texts import texts_of
from metier.features.text import Embedder
from metier.store import CompletionStore


@dataclass(frozen=True)
class Sample:
    """Some people as they were before an earlier cut-off, and the jobs they then applied to, all before the test."""

    grounds: list[Grounds]
    later_jobs: dict[str, list[str]]
    """person -> texts of the jobs."""

    @classmethod
    def draw(cls, tables: Tables, protocol: Protocol, size: int) -> "Sample":
        """`size` people by the hash of their id, so the same ones each time, of those with a later job in the history.

        The cut is the inner one of tuning: what the test will ask is neither shown nor compared with.
        """
        asked: dict[str, Grounds] = {}
        later: dict[str, list[str]] = {}
        for fold in folds(tables, protocol, inner=True):
            told = pl.concat_str("title", "text", separator=": ", ignore_nulls=True).fill_null("")
            texts = fold.train.jobs.select(job="id", told=told)
            for person, job in fold.truth.join(texts, on="job").select("person", "told").iter_rows():
                later.setdefault(person, []).append(job)
            asked |= {one.person: one for one in gather(fold, fold.truth["person"].unique())}
        chosen = sorted(set(asked) & set(later), key=lambda person: hashlib.sha256(person.encode()).digest())[:size]
        return cls([asked[person] for person in chosen], {person: later[person] for person in chosen})


@dataclass(frozen=True)
class Row:
    """One prompt with one model."""

    prompt: str
    model: str
    people: int
    done: int
    words: float
    """Median length of the texts that were done, unsupported items dropped."""
    audit_rate: float | None
    """Share of items that failed the audit; None without items."""
    cost: float
    """Of all requests ever sent for these completions."""
    tokens: int
    own_jobs: float | None
    """Mean over people of the cosine of their text and the nearest job they applied to later."""
    others_jobs: float | None
    """The same with the jobs of each other person of the sample: what a text that fits everybody reaches."""


def compare(plans: Iterable[Plan], sample: Sample, store: CompletionStore, embedder: Embedder) -> list[Row]:
    """One row a plan, in their order; the plans must have been run."""
    return [_row(plan, sample, store, embedder) for plan in plans]


def _row(plan: Plan, sample: Sample, store: CompletionStore, embedder: Embedder) -> Row:
    texts, spent = texts_of(plan, store), plan.spent(store)
    done = texts.filter(pl.col("state") == "done")
    items, lengths = int(texts["items"].sum()), [len(text.split()) for text in done["text"]]
    own, others = nearness(done["text"].to_list(), [sample.later_jobs[one] for one in done["person"]], embedder)
    return Row(
        prompt=plan.completer.prompt.name,
        model=plan.completer.model,
        people=len(texts),
        done=len(done),
        words=float(np.median(lengths)) if lengths else 0.0,
        audit_rate=int(texts["unsupported"].sum()) / items if items else None,
        cost=spent.cost,
        tokens=spent.tokens,
        own_jobs=own,
        others_jobs=others,
    )


def nearness(
    texts: Sequence[str], jobs: Sequence[Sequence[str]], embedder: Embedder
) -> tuple[float | None, float | None]:
    """Mean cosine of each text with the nearest of its own jobs, and with the nearest of each other text's jobs.

    Parameters
    ----------
    texts, jobs : (n,) texts, and for each at least one job; the second mean is None below two.
    """
    if not texts:
        return None, None
    owner = np.repeat(np.arange(len(jobs)), [len(some) for some in jobs])
    cosines = embedder.embed(texts) @ embedder.embed([job for some in jobs for job in some]).T  # (n, jobs)
    nearest = np.stack([cosines[:, owner == one].max(axis=1) for one in range(len(jobs))], axis=1)  # (n, n)
    own = np.diagonal(nearest)
    others = (nearest.sum() - own.sum()) / (len(texts) * (len(texts) - 1)) if len(texts) > 1 else None
    return float(own.mean()), None if others is None else float(others)

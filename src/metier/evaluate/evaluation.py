"""Fit every model on each fold, rank the full catalogue, and keep what each judged person was shown.

A fold's models see `fold.train` and nothing else; its truth is compared with the lists only after the last model
has ranked, so no model can reach it.
"""

import contextlib
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.data import Dataset, Fold, Nums, Query, Tables, Vocabulary
from metier.data.splits import Protocol, folds
from metier.errors import MetierError, UsageError
from metier.evaluate.metrics import LIST_METRICS, METRICS, Values, exposure
from metier.features.assemble import assemble
from metier.models.base import Recommender, recommend
from metier.models.registry import create

CURVE = (5, 10, 15, 20, 25, 30)
"""The cuts of the MAP@k curve."""

Factory = Callable[[], Recommender]
Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all and what comes next."""


@dataclass(frozen=True)
class About:
    """A model in the report: registry name (None for a reference that is no competitor, such as an oracle)."""

    model: str | None
    settings: dict[str, Any]
    note: str


@dataclass(frozen=True)
class Ranked:
    """What one model showed to the n judged people.

    Parameters
    ----------
    items : (n, depth) int32 rows of the jobs table, best first, padded with -1.
    fit_seconds, rank_seconds : summed over folds.
    """

    items: Nums
    fit_seconds: float
    rank_seconds: float


@dataclass(frozen=True)
class Evaluation:
    """The lists of every model for the n judged people, and the truth to hold against them.

    Parameters
    ----------
    people : (n) fold, person, history (past applications), relevant (R).
    truth : fold, person, job: one row a relevant job.
    jobs : (J,) ids; candidates : (m,) rows of them that were candidates in some fold.
    sizes : one row a fold: people, judged, candidates, interactions (of training).
    left_out : fold -> reason -> how many.
    about, ranked, failed : by label; a model that failed on any fold has a message and no lists.
    """

    protocol: Protocol
    k: int
    seed: int
    people: pl.DataFrame
    truth: pl.DataFrame
    jobs: pl.Series
    candidates: Nums
    sizes: pl.DataFrame
    left_out: dict[str, dict[str, int]]
    about: dict[str, About]
    ranked: dict[str, Ranked]
    failed: dict[str, str]

    @property
    def columns(self) -> list[tuple[str, int]]:
        """(metric, k) of the columns of `values`: every metric at k, then the rest of the MAP curve."""
        return [(name, self.k) for name in METRICS] + [("map", cut) for cut in CURVE if cut != self.k]

    @cached_property
    def values(self) -> dict[str, Values]:
        """Label -> (n, c) float64, each person's value of each column."""
        relevant = self.people["relevant"].to_numpy()
        pairs = self._relevant_pairs()
        units = np.arange(len(self.people), dtype=np.int64)[:, None] * len(self.jobs)
        found = {}
        for label, ranked in self.ranked.items():
            hits = np.isin(units + ranked.items, pairs) & (ranked.items >= 0)
            found[label] = np.column_stack([METRICS[name](hits, relevant, cut) for name, cut in self.columns])
        return found

    @cached_property
    def list_values(self) -> dict[str, dict[str, float]]:
        """Label -> metric of all lists together -> value over all candidates of all folds."""
        return {
            label: {
                name: metric(exposure(ranked.items, self.candidates, self.k)) for name, metric in LIST_METRICS.items()
            }
            for label, ranked in self.ranked.items()
        }

    def _relevant_pairs(self) -> NDArray[np.int64]:
        """One number for each (person, relevant job): row of `people` times J plus row of `jobs`."""
        units = self.people.select("fold", "person").with_row_index("unit")
        items = pl.DataFrame({"job": self.jobs}).with_row_index("item")
        pairs = self.truth.join(units, on=["fold", "person"]).join(items, on="job")
        unit_rows, item_rows = pairs["unit"].to_numpy().astype(np.int64), pairs["item"].to_numpy().astype(np.int64)
        return np.asarray(unit_rows * len(self.jobs) + item_rows)


def evaluate(
    tables: Tables,
    protocol: Protocol,
    models: Mapping[str, tuple[str, Mapping[str, Any]]],
    *,
    k: int = 25,
    seed: int = 0,
    inner: bool = False,
    extra: Mapping[str, Factory] | None = None,
    progress: Progress | None = None,
    stages: Sequence["Stage"] | None = None,
) -> Evaluation:
    """Judge models under a protocol: full catalogue, nothing sampled, nothing after the cut-off seen.

    Parameters
    ----------
    models : label -> (name in the registry, settings); settings are checked before the first fit.
    inner : judge on a cut inside each fold's history, for tuning; see `metier.data.splits.folds`.
    extra : label -> factory of references shown beside the models, such as a synthetic market's oracle.
    k : the cut of every metric; lists are kept down to place max(k, 30).
    seed : each fit draws from its own stream of (seed, label, fold), so a model's result does not depend on which
        other models run; also breaks ties.
    stages : `prepare(tables, protocol, inner=inner)`, kept by a caller who judges many times.

    Raises
    ------
    UsageError : an unknown model, a wrong setting, or nobody has a relevant job under this protocol.
    MetierError : every model failed; a single one that fails is kept in `failed` and the others go on.
    """
    factories: dict[str, Factory] = {
        label: partial(create, name, dict(given)) for label, (name, given) in models.items()
    } | dict(extra or {})
    about = {label: describe(factory, *models.get(label, (None, {}))) for label, factory in factories.items()}
    found: dict[str, list[Ranked | str]] = {label: [] for label in factories}
    asked = []
    steps = _count_folds(tables, protocol) * len(factories)
    for number, stage in enumerate(stages or prepare(tables, protocol, inner=inner)):
        asked.append(stage.asked)
        for place, (label, factory) in enumerate(factories.items()):
            if progress:
                progress(number * len(factories) + place, steps, f"{stage.fold.name}: {label}")
            if not any(isinstance(one, str) for one in found[label]):
                found[label].append(attempt(factory, stage, label, number, k=k, seed=seed))
    return gather(protocol, k, seed, tables.jobs["id"], about, asked, found)


@dataclass(frozen=True)
class Asked:
    """What a fold asks, without what can be learned from it; the attributes are those of `Evaluation`.

    Parameters
    ----------
    sizes : fold, people, judged, candidates, interactions.
    """

    people: pl.DataFrame
    truth: pl.DataFrame
    candidates: Nums
    sizes: tuple[str, int, int, int, int]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Stage:
    """A fold made ready: the data to learn from, the question, and the n people whose lists are judged.

    Parameters
    ----------
    judged : (n) fold, person, history, relevant of the people with relevant jobs, in the order of the people table.
    query : what is known of them.
    live : (m,) candidates, rows of `data.items`.
    in_jobs : (I + 1,) row of `data.items` -> row of the jobs table; the last entry keeps the padding -1.
    """

    fold: Fold
    data: Dataset
    judged: pl.DataFrame
    query: Query
    live: Nums
    in_jobs: Nums

    @property
    def asked(self) -> Asked:
        """What it asks."""
        fold, people = self.fold, len(self.data.users)
        return Asked(
            people=self.judged,
            truth=fold.truth.unique(maintain_order=True).select(pl.lit(fold.name).alias("fold"), "person", "job"),
            candidates=self.in_jobs[self.live],
            sizes=(fold.name, people, len(self.judged), len(fold.candidates), len(self.data.interactions)),
            left_out=fold.left_out | {"person without a relevant job": people - len(self.judged)},
        )


def prepare(tables: Tables, protocol: Protocol, *, inner: bool = False) -> Iterator[Stage]:
    """The folds of a protocol, one after the other, so that memory may hold one at a time."""
    jobs = Vocabulary("job", tables.jobs["id"].to_list())
    for fold in folds(tables, protocol, inner=inner):
        data = assemble(fold.train, fold.cutoff).dataset
        relevant = fold.truth.unique().group_by("person").agg(relevant=pl.len().cast(pl.Int64))
        history = pl.Series(np.diff(data.matrix.indptr), dtype=pl.Int64)
        everyone = pl.DataFrame({"fold": fold.name, "person": data.users.ids, "history": history})
        judged = everyone.join(relevant, on="person", how="inner", maintain_order="left")
        query = data.query(data.users.numbers(judged["person"]))
        live = data.items.numbers(fold.candidates)
        yield Stage(fold, data, judged, query, live, np.append(jobs.numbers(data.items.ids), np.int32(-1)))


def attempt(factory: Factory, stage: Stage, label: str, number: int, *, k: int, seed: int) -> Ranked | str:
    """What a model shows on fold `number`, or why it failed; it draws from its own stream of (seed, label, number).

    The model is fresh, and dropped on return, so memory holds one at a time.
    """
    query, rng = stage.query, np.random.default_rng([seed, zlib.crc32(label.encode()), number])
    if not len(query):
        return Ranked(np.empty((0, max(k, *CURVE)), np.int32), 0.0, 0.0)
    try:
        started = time.perf_counter()
        model = factory().fit(stage.data, rng=rng)
        fitted = time.perf_counter()
        ranking = recommend(model, query, max(k, *CURVE), candidates=stage.live, exclude=query.history, seed=seed)
        return Ranked(stage.in_jobs[ranking.items], fitted - started, time.perf_counter() - fitted)
    except Exception as error:
        return f"{stage.fold.name}: {type(error).__name__}: {error}"


def gather(
    protocol: Protocol,
    k: int,
    seed: int,
    jobs: pl.Series,
    about: dict[str, About],
    asked: Sequence[Asked],
    found: Mapping[str, Sequence[Ranked | str]],
) -> Evaluation:
    """The folds put together; a label's entries in `found` are in the order of the folds in `asked`.

    Raises
    ------
    UsageError : nobody has a relevant job. MetierError : every model failed.
    """
    judged = [one for one in asked if len(one.people)]
    left_out = {one.sizes[0]: one.left_out for one in asked}
    if not judged:
        raise UsageError(
            f"protocol {protocol!r}: nobody has a relevant job ({left_out}); "
            "cure: another protocol, or data that reach further in time"
        )
    failed = {label: part for label, parts in found.items() for part in reversed(parts) if isinstance(part, str)}
    if len(failed) == len(found):
        raise MetierError("every model failed: " + "; ".join(f"{label}: {why}" for label, why in failed.items()))
    return Evaluation(
        protocol=protocol,
        k=k,
        seed=seed,
        people=pl.concat([one.people for one in judged]),
        truth=pl.concat([one.truth for one in judged]),
        jobs=jobs,
        candidates=np.unique(np.concatenate([one.candidates for one in judged])),
        sizes=pl.DataFrame(
            [one.sizes for one in asked], ["fold", "people", "judged", "candidates", "interactions"], orient="row"
        ),
        left_out=left_out,
        about=about,
        ranked={label: _joined(parts) for label, parts in found.items() if label not in failed},
        failed=failed,
    )


def _joined(given: Sequence[Ranked | str]) -> Ranked:
    parts = [part for part in given if isinstance(part, Ranked)]
    return Ranked(
        np.concatenate([part.items for part in parts]),
        sum(part.fit_seconds for part in parts),
        sum(part.rank_seconds for part in parts),
    )


def describe(factory: Factory, name: str | None, given: Mapping[str, Any]) -> About:
    """All settings with their defaults; a model whose package is absent shows what was given and fails when fitted."""
    with contextlib.suppress(ImportError):
        model = factory()
        return About(name, model.config.model_dump(mode="json"), str(getattr(model, "note", "")))
    return About(name, dict(given), "")


def _count_folds(tables: Tables, protocol: Protocol) -> int:
    return max(1, len(tables.windows)) if protocol == "temporal" else 1

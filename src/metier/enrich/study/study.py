"""What the cells say: means by text and group of people, and paired contrasts that were fixed in advance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.enrich.study.cells import MEASURES
from metier.errors import MetierError
from metier.evaluate.statistics import bootstrap_means, holm, interval, two_sided_p
from metier.evaluate.summary import SEGMENTS, Segment, members

Row = tuple[str, str]
"""Label of a model and condition."""
Values = NDArray[np.float64]
TEXT_CONTRASTS: tuple[tuple[str, str], ...] = (
    ("raw", "none"),
    ("simple", "none"),
    ("interactive", "none"),
    ("raw", "raw-shuffled"),
    ("interactive", "shuffled"),
    ("raw", "random"),
    ("skills", "raw"),
    ("simple", "raw"),
    ("interactive", "raw"),
)
"""Asked of every model that has both texts."""
MODEL_CONTRASTS: tuple[tuple[str, Row, Row], ...] = (
    ("LGIR − BASE", ("lgir", "interactive"), ("lgir-no-gan", "raw")),
    ("LGIR − IRC", ("lgir", "interactive"), ("lgir-no-gan", "interactive")),
)
"""The whole of LGIR, and its adversarial part alone."""
SEEN = 2.8
"""Standard errors: a true effect so large is found at the 5 % level with 80 % chance (1.96 + 0.84)."""
RESAMPLES = 10_000
"""Draws of people; the smallest p is 2 in 10,001, so that Holm's correction over many contrasts leaves something."""


class Mean(TypedDict):
    """MAP, nDCG and MRR of a row over the people of a segment, averaged over seeds.

    low, high : 95 % interval of MAP over people. between_seeds : standard deviation of the seeds' MAP, None for one.
    """

    model: str
    condition: str
    segment: str
    people: int
    seeds: int
    map: float
    low: float
    high: float
    between_seeds: float | None
    ndcg: float
    mrr: float


class Contrast(TypedDict):
    """MAP of one row minus that of another over the same people, averaged over the seeds that both have.

    low, high : 95 % interval. p : two-sided; p_holm : adjusted over all contrasts of the dataset in the segment.
    seen : the true effect that this test would have found with 80 % chance.
    """

    name: str
    model: str
    condition: str
    other_model: str
    other_condition: str
    segment: str
    people: int
    seeds: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    seen: float


@dataclass(frozen=True)
class Measured:
    """The values of all rows over the same n judged people.

    Parameters
    ----------
    history : (n,) past applications.
    values : row -> seed -> (n, len(MEASURES)).
    """

    history: NDArray[np.int64]
    values: Mapping[Row, Mapping[int, Values]]

    @classmethod
    def of(cls, frames: Iterable[tuple[Row, int, pl.DataFrame]]) -> "Measured":
        """From the kept values of cells of one dataset; MetierError when they are about different people."""
        history, first, values = np.empty(0, np.int64), None, dict[Row, dict[int, Values]]()
        for row, seed, frame in frames:
            people = frame.select("fold", "person")
            if first is None:
                first, history = people, frame["history"].to_numpy()
            elif not people.equals(first):
                raise MetierError(f"the cell {row}, seed {seed}, judged other people; cure: delete its line and values")
            values.setdefault(row, {})[seed] = frame.select(MEASURES).to_numpy()
        return cls(history, values)

    def inside(self, segment: Segment) -> "Measured":
        """Only the people of a segment."""
        keep = members(self.history, segment)
        return Measured(
            self.history[keep],
            {row: {seed: found[keep] for seed, found in seeds.items()} for row, seeds in self.values.items()},
        )


def means(measured: Measured, segments: Sequence[Segment] = SEGMENTS) -> list[Mean]:
    """One line a row and segment that has people."""
    found: list[Mean] = []
    for segment in segments:
        here = measured.inside(segment)
        if not len(here.history) or not here.values:
            continue
        averaged = {row: np.mean(list(seeds.values()), axis=0) for row, seeds in here.values.items()}  # (n, measures)
        maps = np.column_stack([values[:, 0] for values in averaged.values()])  # (n, rows)
        low, high = interval(bootstrap_means(maps, rng=np.random.default_rng(0)))
        for place, (row, values) in enumerate(averaged.items()):
            by_seed = [float(one[:, 0].mean()) for one in here.values[row].values()]
            figures = values.mean(axis=0).round(10).tolist()
            found.append(
                Mean(
                    model=row[0],
                    condition=row[1],
                    segment=segment,
                    people=len(here.history),
                    seeds=len(by_seed),
                    map=figures[0],
                    low=_rounded(low[place]),
                    high=_rounded(high[place]),
                    between_seeds=_rounded(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else None,
                    ndcg=figures[1],
                    mrr=figures[2],
                )
            )
    return found


def text_pairs(rows: Iterable[Row]) -> list[tuple[str, Row, Row]]:
    """The contrasts fixed in advance that these rows allow."""
    there = dict.fromkeys(rows)
    labels = dict.fromkeys(label for label, _ in there)
    asked = [(f"{a} − {b}", (label, a), (label, b)) for label in labels for a, b in TEXT_CONTRASTS]
    return [one for one in (*asked, *MODEL_CONTRASTS) if one[1] in there and one[2] in there]


def field_pairs(rows: Iterable[Row]) -> list[tuple[str, Row, Row]]:
    """What each field adds to the ids alone, and what all else loses without it."""
    there = list(dict.fromkeys(rows))
    found = []
    for label, condition in there:
        if condition.startswith("only "):
            found.append((f"{condition} − ids alone", (label, condition), (label, "ids alone")))
        elif condition.startswith("without "):
            found.append((f"everything − {condition}", (label, "everything"), (label, condition)))
    for label, condition in there:
        whole = label.rpartition("-no-")[0]
        if condition == "everything" and whole:
            found.append(
                (f"everything − without {label.rpartition('-no-')[2]}", (whole, condition), (label, condition))
            )
    return [one for one in found if one[1] in there and one[2] in there]


def contrasts(
    measured: Measured, pairs: Sequence[tuple[str, Row, Row]], segments: Sequence[Segment] = SEGMENTS
) -> list[Contrast]:
    """Test all pairs (name, row, row it is compared with) in each segment that has at least two people."""
    found: list[Contrast] = []
    tested = [(pair, _common(measured, pair)) for pair in pairs]
    tested = [(pair, seeds) for pair, seeds in tested if seeds]
    for segment in segments:
        here = measured.inside(segment)
        n = len(here.history)
        if n < 2 or not tested:
            continue
        differences = np.column_stack([_difference(here, a, b, seeds) for (_, a, b), seeds in tested])  # (n, pairs)
        drawn = bootstrap_means(differences, rng=np.random.default_rng(0), resamples=RESAMPLES)
        low, high = interval(drawn)
        p = two_sided_p(drawn)
        columns = (differences.mean(axis=0), low, high, p, holm(p), SEEN * differences.std(axis=0, ddof=1) / np.sqrt(n))
        for ((name, a, b), seeds), figures in zip(tested, np.column_stack(columns).round(10).tolist(), strict=True):
            found.append(
                Contrast(
                    name=name,
                    model=a[0],
                    condition=a[1],
                    other_model=b[0],
                    other_condition=b[1],
                    segment=segment,
                    people=n,
                    seeds=len(seeds),
                    difference=figures[0],
                    low=figures[1],
                    high=figures[2],
                    p=figures[3],
                    p_holm=figures[4],
                    seen=figures[5],
                )
            )
    return found


def _common(measured: Measured, pair: tuple[str, Row, Row]) -> list[int]:
    """The seeds that both rows have."""
    first, second = (measured.values.get(row, {}) for row in pair[1:])
    return sorted(set(first) & set(second))


def _difference(measured: Measured, a: Row, b: Row, seeds: Sequence[int]) -> Values:
    """(n,) difference of MAP, the mean over seeds."""
    both = [measured.values[a][seed][:, 0] - measured.values[b][seed][:, 0] for seed in seeds]
    return np.asarray(np.mean(both, axis=0), np.float64)


def _rounded(value: float | np.floating) -> float:
    """Ten decimals: sums in another order still print the same figure."""
    return round(float(value), 10)

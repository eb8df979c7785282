"""Vectorised random draws and column tricks that people, postings and applications share."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.sources.market.world import Bits, Floats64

T = TypeVar("T")


def quantile(function: dict[str, list[float]], at: Floats64) -> Floats64:
    """(n,) values of a published quantile function, linear between its levels."""
    return np.interp(at, function["levels"], function["values"])


def ranks(values: Floats64) -> Floats64:
    """(n,) the rank of each value, spread evenly over (0, 1)."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values)] = (np.arange(len(values)) + 0.5) / len(values)
    return ranks


class RowDraws:
    """Draws columns of a (r, c) table of weights, each draw from a row of its own.

    All rows are laid end to end as cumulative shares, row i in (i, i + 1], so one binary search serves any number of
    draws. A row without weight must not be drawn from.
    """

    def __init__(self, weights: Floats64) -> None:
        cumulative = np.cumsum(weights, axis=1)
        total = np.maximum(cumulative[:, -1:], np.finfo(float).tiny)
        self.line = (cumulative / total + np.arange(len(weights))[:, None]).ravel()
        self.width = weights.shape[1]

    def draw(self, rows: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) a column for each of (n,) row numbers."""
        first = rows.astype(np.int64) * self.width
        found = np.searchsorted(self.line, rows + rng.random(len(rows)), side="right") - first
        return np.asarray(np.minimum(found, self.width - 1))


def hide(values: NDArray[Any], known: float, rng: np.random.Generator) -> pl.Series:
    """`values` with a share of them null."""
    keep = pl.Series(rng.random(len(values)) < known)
    return pl.DataFrame({"v": values, "k": keep}).select(pl.when("k").then("v")).to_series()


def pick(options: Sequence[T], at: float) -> T:
    """The option at `at` in [0, 1)."""
    return options[int(at * len(options))]


def skill_bits(chance: Floats64, rng: np.random.Generator) -> Bits:
    """(n, words) uint64 sets drawn skill by skill from (n, S) chances."""
    drawn = rng.random(chance.shape, dtype=np.float32) < chance
    packed = np.packbits(drawn, axis=1, bitorder="little")
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to `shares` that sum to `total` (largest remainders).

    >>> apportion(10, [1, 1, 1])
    [4, 3, 3]
    """
    exact = total * np.array(shares) / sum(shares)
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return [int(count) for count in counts]

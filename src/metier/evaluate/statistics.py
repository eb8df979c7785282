"""How sure the figures are: the paired bootstrap over people, and Holm's correction.

People are the units of resampling (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13, 16):
one resample draws n people with replacement and takes every model and metric over the same draw, so differences
between models are paired by construction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RESAMPLES = 2000
CHUNK = 4_000_000
"""Draws held at a time: bounds memory at some 100 MB for any number of people."""


def bootstrap_means(values: Values, *, rng: np.random.Generator, resamples: int = RESAMPLES) -> Values:
    """(resamples, c) column means of `values` (n, c), each row over one draw of n people with replacement.

    The same rng state and n give the same draws, whatever the columns are.
    """
    n = len(values)
    if n == 0:
        raise ValueError("no people to resample")
    means = np.empty((resamples, values.shape[1]))
    step = max(1, CHUNK // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)  # how often each person was drawn
        means[start : start + size] = counts.astype(np.float64) @ values / n  # (size, n) @ (n, c)
    return means


def interval(means: Values, level: float = 0.95) -> tuple[Values, Values]:
    """(c,) lower and (c,) upper percentile bounds of (resamples, c) bootstrap means."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def two_sided_p(means: Values) -> Values:
    """(c,) p-values of "the mean is 0", by inverting the percentile interval.

    Twice the smaller share of resamples on either side of 0, one resample added to each side so that no p is 0.

    >>> two_sided_p(np.array([[1.0], [2.0], [3.0]])).tolist()  # 2 * (0 + 1) / (3 + 1)
    [0.5]
    """
    below, above = (means <= 0).sum(axis=0), (means >= 0).sum(axis=0)
    return np.asarray(np.minimum(1.0, 2.0 * (np.minimum(below, above) + 1) / (len(means) + 1)), np.float64)


def holm(p: Values) -> Values:
    """(c,) p-values adjusted for c comparisons (Holm 1979): no one of them claims by luck more often than its level.

    The i-th smallest is multiplied by c - i + 1, and never falls below the one before it.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(1.0, adjusted)
    return result


@dataclass(frozen=True)
class Paired:
    """Differences of means with 95 % interval, two-sided p and Holm-adjusted p; each array is (c,)."""

    mean: Values
    low: Values
    high: Values
    p: Values
    p_holm: Values


def paired(differences: Values, *, rng: np.random.Generator) -> Paired:
    """Test c differences at once; `differences` (n, c) holds one model's value minus another's for each person."""
    means = bootstrap_means(differences, rng=rng)
    low, high = interval(means)
    p = two_sided_p(means)
    return Paired(differences.mean(axis=0), low, high, p, holm(p))

"""How well scores tell weak from strong, how sure that is, and what chance alone would give."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.enrich.quality.detectors import Scores, out_of_fold_ridge
from metier.enrich.quality.features import Matrix
from metier.models.shots import Labels

BINS = 10
"""Of the reliability diagram and the expected calibration error, of equal width."""


def auc(labels: Labels, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p,) chance that a strong one scores above a weak one, ties one half, for each column of `scores` (n, p).

    >>> auc(np.array([0, 0, 1, 1], np.int8), np.array([[1.0], [2.0], [2.0], [3.0]])).tolist()  # 3.5 of 4 pairs
    [0.875]
    """
    from scipy.stats import rankdata

    strong = labels == 1
    n, m = int(strong.sum()), int((~strong).sum())
    return np.asarray((rankdata(scores, axis=0)[strong].sum(axis=0) - n * (n + 1) / 2) / (n * m))


def auc_interval(
    labels: Labels, scores: Scores, *, resamples: int, rng: np.random.Generator, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the AUC over draws of people with replacement, weak and strong apart."""
    _, place = np.unique(scores, return_inverse=True)  # equal scores share a place
    groups, places = [place[labels == label] for label in (0, 1)], int(place.max()) + 1
    areas = np.empty(resamples)
    for one in range(resamples):
        weak, strong = (np.bincount(some[rng.integers(len(some), size=len(some))], minlength=places) for some in groups)
        areas[one] = strong @ (np.cumsum(weak) - weak / 2)  # pairs in the right order, ties half
    low, high = np.quantile(areas / (len(groups[0]) * len(groups[1])), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Null:
    """The AUC of a linear detector, and where it lies when labels mean nothing.

    auc : with the true labels. low, high : 95 % of the AUCs with permuted labels. p : share of permutations that reach
    `auc`, the true one counted in, so never 0.
    """

    auc: float
    low: float
    high: float
    p: float


def permutation_null(
    features: Matrix, labels: Labels, fold: NDArray[np.int64], *, permutations: int, rng: np.random.Generator
) -> Null:
    """Cross-fitted ridge regression on the true labels, and on labels permuted among the people of each fold.

    Within folds, so that each fold keeps the shares of weak and strong that it has by the true labels. The same folds,
    the same fitting, the same measure: only the tie between label and features is cut.
    """
    columns = np.tile(labels.astype(np.float64)[:, None], permutations + 1)
    for number in range(fold.max() + 1):
        held = np.flatnonzero(fold == number)
        columns[held, 1:] = rng.permuted(columns[held, 1:], axis=0)
    scores = out_of_fold_ridge(features, columns, fold)
    areas = np.array([auc(columns[:, one].astype(np.int8), scores[:, [one]])[0] for one in range(permutations + 1)])
    observed, by_chance = float(areas[0]), areas[1:]
    low, high = np.quantile(by_chance, [0.025, 0.975])
    p = (1 + int((by_chance >= observed).sum())) / (permutations + 1)
    return Null(observed, float(low), float(high), p)


@dataclass(frozen=True)
class Bin:
    """People of about one stated probability: their number, its mean, and the share that is strong."""

    people: int
    stated: float
    strong: float


def reliability(labels: Labels, chance: Scores) -> list[Bin]:
    """The bins that hold anybody, from improbable to certain."""
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    held = [place == one for one in range(BINS) if (place == one).any()]
    return [Bin(int(some.sum()), float(chance[some].mean()), float((labels[some] == 1).mean())) for some in held]


def calibration_error(bins: list[Bin]) -> float:
    """Expected calibration error: mean distance of stated and true share over people (Naeini et al. 2015).

    >>> calibration_error([Bin(3, 0.2, 0.2), Bin(1, 0.9, 0.5)])
    0.1
    """
    total = sum(one.people for one in bins)
    return sum(one.people * abs(one.stated - one.strong) for one in bins) / total


def brier(labels: Labels, chance: Scores) -> float:
    """Mean squared distance of probability and outcome; always saying the true share p gives p (1 - p)."""
    return float(((chance - labels) ** 2).mean())

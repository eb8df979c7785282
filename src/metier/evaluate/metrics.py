"""Ranking metrics as pure functions of hits.

Every per-person metric takes the same three arguments and returns (n,) float64, one value a person:

hits : (n, depth) bool; hits[u, i] says whether the job at place i + 1 of person u's list is relevant. A list shorter
    than `depth` is padded with False, so a person without recommendations scores 0.
relevant : (n,) int, R, how many jobs are relevant to each person; at least 1, because a person without relevant
    jobs has no defined value and is left out (and counted) before.
k : the cut; only the first k places count.

Sources: Manning, Raghavan, Schuetze, "Introduction to Information Retrieval" (2008), chapter 8, and trec_eval 9.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from metier.data import Nums

Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]
Values = NDArray[np.float64]
Metric = Callable[[Hits, Counts, int], Values]


def average_precision(hits: Hits, relevant: Counts, k: int) -> Values:
    """AP@k = sum over i <= k of P(i) rel(i), over min(k, R): 1 is reachable at every k.

    P(i) is the share of hits among the first i places. Hits at places 1 and 3, R = 3, k = 2: P(1) = 1, over 2.

    >>> average_precision(np.array([[True, False, True]]), np.array([3]), 2).tolist()
    [0.5]
    >>> average_precision(np.array([[True, False, True]]), np.array([2]), 3).round(4).tolist()  # (1 + 2/3) / 2
    [0.8333]
    """
    return _precision_sum(hits, relevant, k) / np.minimum(relevant, k)


def average_precision_trec(hits: Hits, relevant: Counts, k: int) -> Values:
    """AP@k over R, as trec_eval's map_cut: with R > k even a perfect list stays below 1.

    >>> average_precision_trec(np.array([[True, False, True]]), np.array([4]), 2).tolist()
    [0.25]
    """
    return _precision_sum(hits, relevant, k) / relevant


def ndcg(hits: Hits, relevant: Counts, k: int) -> Values:
    """nDCG@k with binary gains and the discount 1 / log2(place + 1); the ideal list has min(k, R) hits first.

    Jarvelin and Kekalainen, TOIS 2002. One hit at place 2 of a person with R = 1: (1 / log2 3) / 1.

    >>> ndcg(np.array([[False, True]]), np.array([1]), 2).round(4).tolist()
    [0.6309]
    """
    cut = _cut(hits, relevant, k)
    discount = 1.0 / np.log2(np.arange(2, k + 2))  # (k,)
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    return np.asarray((cut @ discount[: cut.shape[1]]) / ideal, np.float64)


def recall(hits: Hits, relevant: Counts, k: int) -> Values:
    """Hits among the first k places over R.

    >>> recall(np.array([[True, False, True]]), np.array([4]), 3).tolist()
    [0.5]
    """
    return np.asarray(_cut(hits, relevant, k).sum(axis=1) / relevant, np.float64)


def precision(hits: Hits, relevant: Counts, k: int) -> Values:
    """Hits among the first k places over k, also when the list is shorter than k.

    >>> precision(np.array([[True, False]]), np.array([1]), 4).tolist()
    [0.25]
    """
    return np.asarray(_cut(hits, relevant, k).sum(axis=1) / k, np.float64)


def reciprocal_rank(hits: Hits, relevant: Counts, k: int) -> Values:
    """1 over the place of the first hit, 0 when the first k places hold none.

    >>> reciprocal_rank(np.array([[False, True], [False, False]]), np.array([1, 1]), 2).tolist()
    [0.5, 0.0]
    """
    cut = _cut(hits, relevant, k)
    first = cut.argmax(axis=1) if cut.shape[1] else np.zeros(len(cut), np.int64)
    return np.where(cut.any(axis=1), 1.0 / (first + 1), 0.0)


METRICS: dict[str, Metric] = {
    "map": average_precision,
    "map_trec": average_precision_trec,
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "mrr": reciprocal_rank,
}
"""Per-person metrics by the names used in rows, files and options; a model's value is the mean over people."""


def exposure(items: Nums, candidates: Nums, k: int) -> NDArray[np.int64]:
    """How many of the first k places, over all people, each candidate got.

    items is (n, depth), padded with -1; candidates is (m,); returns (m,).

    >>> exposure(np.array([[2, 0], [2, -1]]), np.array([0, 1, 2]), 2).tolist()
    [1, 0, 2]
    """
    shown = items[:, :k]
    counts = np.bincount(shown[shown >= 0], minlength=int(candidates.max(initial=-1)) + 1)
    return counts[candidates].astype(np.int64)


def coverage(exposures: NDArray[np.int64]) -> float:
    """The share of candidates recommended to anybody.

    >>> coverage(np.array([1, 0, 2, 0]))
    0.5
    """
    return float((exposures > 0).mean()) if len(exposures) else float("nan")


def gini(exposures: NDArray[np.int64]) -> float:
    """Gini index of exposure over the candidates: 0 when all are shown equally, near 1 when few are shown.

    G = sum of (2 i - m - 1) x_i over m sum x, with x ascending and i from 1; NaN when nothing was recommended.

    >>> gini(np.array([5, 5, 5])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ordered, m = np.sort(exposures), len(exposures)
    total = float(ordered.sum())
    if total == 0.0:
        return float("nan")
    return float((2 * np.arange(1, m + 1) - m - 1) @ ordered / (m * total))


LIST_METRICS = {"coverage": coverage, "gini": gini}
"""Metrics of all lists together; they have no value per person and so no interval."""


def _precision_sum(hits: Hits, relevant: Counts, k: int) -> Values:
    """(n,) sum over the first k places of P(i) rel(i)."""
    cut = _cut(hits, relevant, k)
    precisions = np.cumsum(cut, axis=1) / np.arange(1, cut.shape[1] + 1)
    return np.asarray((precisions * cut).sum(axis=1), np.float64)


def _cut(hits: Hits, relevant: Counts, k: int) -> Hits:
    """(n, min(k, depth)) of the hits, after the checks every metric shares."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if len(relevant) != len(hits) or (len(relevant) and relevant.min() < 1):
        raise ValueError("every person needs a number of relevant jobs >= 1; leave the others out first")
    return hits[:, :k]

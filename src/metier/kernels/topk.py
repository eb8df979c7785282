"""Exact top-k of score rows, ties broken by a given order, NaN never returned."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from metier.data import CSR, Floats, Nums


def top_k(scores: Floats, banned: CSR, allowed: NDArray[np.bool_], tie: Nums, k: int) -> tuple[Nums, Floats]:
    """The k best columns of each row.

    Parameters
    ----------
    scores : (b, I) float32, NaN = cannot score.
    banned : (b, I) CSR; stored entries are skipped.
    allowed : (I,) bool, columns that may be returned.
    tie : (I,) int32; of two equal scores the smaller `tie` wins.

    Returns
    -------
    items (b, k) int32 padded with -1, scores (b, k) float32 padded with NaN.
    """
    _check(scores.shape, banned, allowed, tie)
    scores = np.ascontiguousarray(scores, dtype=np.float32)
    return _dense(scores, banned.indptr.astype(np.int64), banned.indices.astype(np.int32), allowed, tie, k)


def top_k_sparse(scores: CSR, banned: CSR, allowed: NDArray[np.bool_], tie: Nums, k: int) -> tuple[Nums, Floats]:
    """`top_k` over the stored entries of a (b, I) CSR."""
    _check(scores.shape, banned, allowed, tie)
    return _sparse(
        scores.indptr.astype(np.int64),
        scores.indices.astype(np.int32),
        scores.data.astype(np.float32),
        banned.indptr.astype(np.int64),
        banned.indices.astype(np.int32),
        allowed,
        tie,
        k,
    )


def top_k_reference(scores: Floats, banned: CSR, allowed: NDArray[np.bool_], tie: Nums, k: int) -> tuple[Nums, Floats]:
    """The same by sorting whole rows with NumPy."""
    items = np.full((len(scores), k), -1, dtype=np.int32)
    values = np.full((len(scores), k), np.nan, dtype=np.float32)
    for row, line in enumerate(scores):
        usable = allowed & ~np.isnan(line)
        usable[banned.indices[banned.indptr[row] : banned.indptr[row + 1]]] = False
        columns = np.flatnonzero(usable)
        best = columns[np.lexsort((tie[columns], -line[columns]))][:k]
        items[row, : len(best)], values[row, : len(best)] = best, line[best]
    return items, values


def _check(shape: tuple[int, int], banned: CSR, allowed: NDArray[np.bool_], tie: Nums) -> None:
    """The compiled loops read without bounds checks, so sizes are compared here."""
    if not (banned.shape == shape and allowed.shape == tie.shape == (shape[1],)):
        raise ValueError(f"scores {shape}, banned {banned.shape}, allowed {allowed.shape}, tie {tie.shape} do not fit")


@njit(cache=True, inline="always")
def _worse(score_a, tie_a, score_b, tie_b):  # type: ignore[no-untyped-def]
    return score_a < score_b or (score_a == score_b and tie_a > tie_b)


@njit(cache=True)
def _offer(items, values, ties, size, k, item, value, tie):  # type: ignore[no-untyped-def]
    """Offer one entry to a heap whose root is the worst kept entry; returns the heap's size."""
    if size < k:
        at = size
        size += 1
        while at > 0:
            parent = (at - 1) >> 1
            if not _worse(value, tie, values[parent], ties[parent]):
                break
            items[at], values[at], ties[at] = items[parent], values[parent], ties[parent]
            at = parent
        items[at], values[at], ties[at] = item, value, tie
        return size
    if not _worse(values[0], ties[0], value, tie):
        return size
    _sink(items, values, ties, k, item, value, tie)
    return size


@njit(cache=True)
def _sink(items, values, ties, size, item, value, tie):  # type: ignore[no-untyped-def]
    """Put an entry in the place of a heap's root."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _worse(values[child + 1], ties[child + 1], values[child], ties[child]):
            child += 1
        if not _worse(values[child], ties[child], value, tie):
            break
        items[at], values[at], ties[at] = items[child], values[child], ties[child]
        at = child
    items[at], values[at], ties[at] = item, value, tie


@njit(cache=True)
def _drain(items, values, ties, size, out_items, out_values):  # type: ignore[no-untyped-def]
    """Write a heap best first: the root is the worst and goes last."""
    for last in range(size - 1, -1, -1):
        out_items[last], out_values[last] = items[0], values[0]
        _sink(items, values, ties, last, items[last], values[last], ties[last])


@njit(cache=True, parallel=True)
def _dense(scores, ban_ptr, ban_idx, allowed, tie, k):  # type: ignore[no-untyped-def]
    rows, columns = scores.shape
    out_items = np.full((rows, k), -1, np.int32)
    out_values = np.full((rows, k), np.nan, np.float32)
    for row in prange(rows):
        usable = allowed.copy()
        for at in range(ban_ptr[row], ban_ptr[row + 1]):
            usable[ban_idx[at]] = False
        items, values, ties = np.empty(k, np.int32), np.empty(k, np.float32), np.empty(k, np.int32)
        size = 0
        for column in range(columns):
            value = scores[row, column]
            if usable[column] and not np.isnan(value) and (size < k or value >= values[0]):
                size = _offer(items, values, ties, size, k, column, value, tie[column])
        _drain(items, values, ties, size, out_items[row], out_values[row])
    return out_items, out_values


@njit(cache=True, parallel=True)
def _sparse(ptr, idx, data, ban_ptr, ban_idx, allowed, tie, k):  # type: ignore[no-untyped-def]
    rows = len(ptr) - 1
    out_items = np.full((rows, k), -1, np.int32)
    out_values = np.full((rows, k), np.nan, np.float32)
    for row in prange(rows):
        banned = set(ban_idx[ban_ptr[row] : ban_ptr[row + 1]])
        items, values, ties = np.empty(k, np.int32), np.empty(k, np.float32), np.empty(k, np.int32)
        size = 0
        for at in range(ptr[row], ptr[row + 1]):
            column, value = idx[at], data[at]
            if allowed[column] and not np.isnan(value) and column not in banned:
                size = _offer(items, values, ties, size, k, column, value, tie[column])
        _drain(items, values, ties, size, out_items[row], out_values[row])
    return out_items, out_values

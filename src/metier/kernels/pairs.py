"""Values of (row, item) pairs: what a ranker looks up for each person and each of their few hundred candidates.

Pairs come as two arrays, `row` (p,) ascending and `item` (p,); a row is a person of the query. Each function has a
NumPy twin `..._reference` of the same signature.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from metier.data import CSR, Floats, Nums
from metier.data.types import Times


def dense_dot(left: Floats, right: Floats, row: Nums, item: Nums) -> Floats:
    """(p,) inner products left[row] . right[item] of (b, d) and (I, d) vectors, summed in float32."""
    _check(len(left), len(right), row, item)
    return _dense_dot(np.ascontiguousarray(left, np.float32), np.ascontiguousarray(right, np.float32), row, item)


def dense_dot_reference(left: Floats, right: Floats, row: Nums, item: Nums) -> Floats:
    return np.asarray((left[row] * right[item]).sum(axis=1), np.float32)


def sparse_dot(left: CSR, right: CSR, row: Nums, item: Nums) -> Floats:
    """(p,) inner products of the rows of (b, w) and (I, w) CSR matrices."""
    _check(left.shape[0], right.shape[0], row, item)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"rows of {left.shape} and {right.shape} have no inner product")
    return _sparse_dot(*_parts(left), *_parts(right), row, item, left.shape[1])


def sparse_dot_reference(left: CSR, right: CSR, row: Nums, item: Nums) -> Floats:
    return np.asarray((left[row].multiply(right[item])).sum(axis=1), np.float32).ravel()


def entries(matrix: CSR, row: Nums, item: Nums) -> Floats:
    """(p,) the stored entries of a (b, I) CSR, NaN where none is stored (a stored 0 is 0)."""
    _check(matrix.shape[0], matrix.shape[1], row, item)
    return _entries(*_parts(matrix), row, item, matrix.shape[1])


def entries_reference(matrix: CSR, row: Nums, item: Nums) -> Floats:
    row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    stored = dict(zip(zip(row_of, matrix.indices, strict=True), matrix.data, strict=True))
    return np.array([stored.get(pair, np.nan) for pair in zip(row, item, strict=True)], np.float32)


def echoes(
    times: Times, start: NDArray[np.int64], item: Nums, now: Times, spans: Times
) -> tuple[Floats, Floats, Floats]:
    """Applications to each pair's item around the moment its person is asked at.

    Parameters
    ----------
    times : (nnz,) seconds of all applications, ascending inside each item; start : (I + 1,) where each item begins.
    now : (p,) seconds; spans : (s,) seconds.

    Returns
    -------
    (p, s) number of applications within each span of `now`, (p,) seconds to the nearest one, and (p,) seconds since
    the latest one not after `now`; NaN where there is none.
    """
    return _echoes(times, start, item, now, spans)


def echoes_reference(
    times: Times, start: NDArray[np.int64], item: Nums, now: Times, spans: Times
) -> tuple[Floats, Floats, Floats]:
    counts, nearest, since = [], [], []
    for j, moment in zip(item, now, strict=True):
        gap = moment - times[start[j] : start[j + 1]]
        counts.append([(np.abs(gap) <= span).sum() for span in spans])
        nearest.append(np.abs(gap).min() if len(gap) else np.nan)
        since.append(gap[gap >= 0].min() if (gap >= 0).any() else np.nan)
    return np.array(counts, np.float32), np.array(nearest, np.float32), np.array(since, np.float32)


def nearest_number(history: CSR, number: NDArray[np.int64], row: Nums, item: Nums) -> Floats:
    """(p,) smallest |number[h] - number[item]| over the history (b, I) of the pair's row; NaN without history."""
    return _nearest_number(history.indptr.astype(np.int64), history.indices.astype(np.int32), number, row, item)


def nearest_number_reference(history: CSR, number: NDArray[np.int64], row: Nums, item: Nums) -> Floats:
    found = []
    for r, j in zip(row, item, strict=True):
        past = history.indices[history.indptr[r] : history.indptr[r + 1]]
        found.append(np.abs(number[past] - number[j]).min() if len(past) else np.nan)
    return np.array(found, np.float32)


def _check(rows: int, items: int, row: Nums, item: Nums) -> None:
    """The compiled loops read without bounds checks, so numbers are checked here."""
    if row.shape != item.shape:
        raise ValueError(f"{row.shape} rows and {item.shape} items make no pairs")
    if len(row) and not (0 <= row.min() <= row.max() < rows and 0 <= item.min() <= item.max() < items):
        raise ValueError(f"pairs reach beyond {rows} rows and {items} items")


def _parts(matrix: CSR) -> tuple[NDArray[np.int64], Nums, Floats]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32)


@njit(cache=True, fastmath=True)
def _dense_dot(left, right, row, item):  # type: ignore[no-untyped-def]
    found = np.empty(len(row), np.float32)
    for p in range(len(row)):
        total = np.float32(0)
        for d in range(left.shape[1]):
            total += left[row[p], d] * right[item[p], d]
        found[p] = total
    return found


@njit(cache=True)
def _sparse_dot(left_ptr, left_idx, left_data, right_ptr, right_idx, right_data, row, item, width):  # type: ignore[no-untyped-def]
    found, line, shown = np.zeros(len(row), np.float32), np.zeros(width, np.float32), -1
    for p in range(len(row)):
        if row[p] != shown:
            if shown >= 0:
                for a in range(left_ptr[shown], left_ptr[shown + 1]):
                    line[left_idx[a]] = 0
            shown = row[p]
            for a in range(left_ptr[shown], left_ptr[shown + 1]):
                line[left_idx[a]] += left_data[a]
        for a in range(right_ptr[item[p]], right_ptr[item[p] + 1]):
            found[p] += line[right_idx[a]] * right_data[a]
    return found


@njit(cache=True)
def _entries(ptr, idx, data, row, item, width):  # type: ignore[no-untyped-def]
    found, line, shown = np.empty(len(row), np.float32), np.full(width, np.nan, np.float32), -1
    for p in range(len(row)):
        if row[p] != shown:
            if shown >= 0:
                for a in range(ptr[shown], ptr[shown + 1]):
                    line[idx[a]] = np.nan
            shown = row[p]
            for a in range(ptr[shown], ptr[shown + 1]):
                line[idx[a]] = data[a]
        found[p] = line[item[p]]
    return found


@njit(cache=True)
def _echoes(times, start, item, now, spans):  # type: ignore[no-untyped-def]
    counts = np.zeros((len(item), len(spans)), np.float32)
    nearest, since = np.full(len(item), np.nan, np.float32), np.full(len(item), np.nan, np.float32)
    for p in range(len(item)):
        for a in range(start[item[p]], start[item[p] + 1]):
            gap = now[p] - times[a]
            for s in range(len(spans)):
                counts[p, s] += abs(gap) <= spans[s]
            if not abs(gap) >= nearest[p]:  # also while it is NaN
                nearest[p] = abs(gap)
            if gap >= 0 and not gap >= since[p]:
                since[p] = gap
    return counts, nearest, since


@njit(cache=True)
def _nearest_number(ptr, idx, number, row, item):  # type: ignore[no-untyped-def]
    found = np.full(len(row), np.nan, np.float32)
    for p in range(len(row)):
        for a in range(ptr[row[p]], ptr[row[p] + 1]):
            gap = abs(number[idx[a]] - number[item[p]])
            if not gap >= found[p]:
                found[p] = gap
    return found

"""Product of two sparse matrices on all cores: what the neighbour models spend their time on.

SciPy's product runs on one. Row by row (Gustavson 1978): the rows of `right` that a row of `left` points to are added
up in a dense accumulator, once to count the entries of the result and once to fill them in.
"""

import numpy as np
from numba import get_num_threads, njit, prange

from metier.data import CSR


def product(left: CSR, right: CSR) -> CSR:
    """(n, m) CSR float32 of left @ right, (n, l) and (l, m); columns in the order they were met.

    An entry whose terms cancel stays as a stored 0 (SciPy drops it): a score of 0 is a score. Each sum runs in one
    order whatever the number of threads, so results repeat bit by bit. ValueError when the inner sizes differ.
    """
    if left.shape[1] != right.shape[0]:
        raise ValueError(f"cannot multiply {left.shape} by {right.shape}: the compiled loop would read outside")
    shape = (left.shape[0], right.shape[1])
    lanes = min(get_num_threads(), shape[0])
    left_ptr, right_ptr = left.indptr.astype(np.int64), right.indptr.astype(np.int64)
    left_idx, right_idx = left.indices.astype(np.int32, copy=False), right.indices.astype(np.int32, copy=False)
    left_data, right_data = left.data.astype(np.float32, copy=False), right.data.astype(np.float32, copy=False)
    pointers = np.zeros(shape[0] + 1, np.int64)
    np.cumsum(_sizes(left_ptr, left_idx, right_ptr, right_idx, shape[1], lanes), out=pointers[1:])
    indices, data = _fill(left_ptr, left_idx, left_data, right_ptr, right_idx, right_data, shape[1], lanes, pointers)
    # SciPy widens `indices` to the type of the pointers, and every later use would copy them back.
    narrow = pointers.astype(np.int32) if pointers[-1] < 2**31 else pointers
    return CSR((data, indices, narrow), shape=shape)


def product_reference(left: CSR, right: CSR) -> CSR:
    """The same by SciPy."""
    return CSR(left @ right)


@njit(cache=True, parallel=True)
def _sizes(left_ptr, left_idx, right_ptr, right_idx, columns, lanes):  # type: ignore[no-untyped-def]
    """Entries in each row of the product; lane l takes the rows l, l + lanes, ..."""
    rows = len(left_ptr) - 1
    sizes = np.zeros(rows, np.int64)
    for lane in prange(lanes):
        seen = np.full(columns, -1, np.int32)  # the last row that met each column
        for row in range(lane, rows, lanes):
            size = 0
            for a in range(left_ptr[row], left_ptr[row + 1]):
                for b in range(right_ptr[left_idx[a]], right_ptr[left_idx[a] + 1]):
                    column = right_idx[b]
                    size += seen[column] != row
                    seen[column] = row
            sizes[row] = size
    return sizes


@njit(cache=True, parallel=True)
def _fill(  # type: ignore[no-untyped-def]
    left_ptr, left_idx, left_data, right_ptr, right_idx, right_data, columns, lanes, pointers
):
    """Columns and values of the product, row after row."""
    rows = len(left_ptr) - 1
    indices, data = np.empty(pointers[-1], np.int32), np.empty(pointers[-1], np.float32)
    for lane in prange(lanes):
        seen, sums = np.full(columns, -1, np.int32), np.zeros(columns, np.float32)
        for row in range(lane, rows, lanes):
            end = pointers[row]
            for a in range(left_ptr[row], left_ptr[row + 1]):
                weight = left_data[a]
                for b in range(right_ptr[left_idx[a]], right_ptr[left_idx[a] + 1]):
                    column = right_idx[b]
                    if seen[column] != row:
                        seen[column] = row
                        sums[column] = 0
                        indices[end] = column
                        end += 1
                    sums[column] += weight * right_data[b]
            for at in range(pointers[row], end):
                data[at] = sums[indices[at]]
    return indices, data

"""Prefetching changes nothing and compiles for tables and for lists."""

import numpy as np
from numba import njit

from metier.kernels.prefetch import prefetch


@njit
def _sum_rows(table, rows):  # type: ignore[no-untyped-def]
    total = 0.0
    for r in rows:
        prefetch(rows, r, 0)
        prefetch(table, r, 1)
        total += table[r].sum()
    return total


def test_reads_are_untouched() -> None:
    table = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    assert _sum_rows(table, np.array([2, 0, 2], np.int32)) == table[[2, 0, 2]].sum()

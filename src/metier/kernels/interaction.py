"""Scores of all pairs of two sets of vectors that no matrix product gives: sum_d w_d psi(a_ud, b_jd)."""

import numpy as np
from numba import njit, prange

from metier.data import Floats

BLOCK = 64
"""Rows of b compared at a time, so that they stay in the cache while people pass."""


@njit(cache=True, parallel=True, fastmath=True)
def weighted_differences(a, b, weights):  # type: ignore[no-untyped-def]
    """(n, m) float32 sum_d w_d |a_ud - b_jd| for a (n, d), b (m, d), weights (d,)."""
    scores = np.empty((len(a), len(b)), np.float32)
    for block in prange((len(b) + BLOCK - 1) // BLOCK):
        for u in range(len(a)):
            for j in range(block * BLOCK, min((block + 1) * BLOCK, len(b))):
                total = np.float32(0)
                for d in range(len(weights)):
                    total += weights[d] * abs(a[u, d] - b[j, d])
                scores[u, j] = total
    return scores


@njit(cache=True, parallel=True, fastmath=True)
def weighted_rectifiers(a, b, weights):  # type: ignore[no-untyped-def]
    """(n, m) float32 sum_d w_d max(a_ud + b_jd, 0) for a (n, d), b (m, d), weights (d,)."""
    scores = np.empty((len(a), len(b)), np.float32)
    for block in prange((len(b) + BLOCK - 1) // BLOCK):
        for u in range(len(a)):
            for j in range(block * BLOCK, min((block + 1) * BLOCK, len(b))):
                total = np.float32(0)
                for d in range(len(weights)):
                    total += weights[d] * max(a[u, d] + b[j, d], np.float32(0))
                scores[u, j] = total
    return scores


def weighted_differences_reference(a: Floats, b: Floats, weights: Floats) -> Floats:
    """The same in NumPy, all pairs in memory at once."""
    return np.abs(a[:, None] - b[None]) @ weights


def weighted_rectifiers_reference(a: Floats, b: Floats, weights: Floats) -> Floats:
    """The same in NumPy, all pairs in memory at once."""
    return np.maximum(a[:, None] + b[None], 0) @ weights

"""Similarities of sparse rows against set arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data import CSR
from metier.kernels.similarity import similarity, squares, strongest, without

SETS = st.lists(st.sets(st.integers(0, 9), max_size=6), min_size=1, max_size=6)


def rows(sets):
    return CSR(np.array([[float(column in one) for column in range(10)] for one in sets], np.float32))


@given(SETS, SETS, st.sampled_from([0.0, 2.5]))
@settings(max_examples=100, deadline=None)
def test_similarities_of_sets(a, b, shrink):
    left, right = rows(a), rows(b)
    dot = CSR(left @ right.T)
    for measure in ("cosine", "jaccard"):
        found = similarity(dot, squares(left), squares(right), measure, shrink).toarray()
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                whole = np.sqrt(len(x) * len(y)) if measure == "cosine" else len(x | y)
                expected = len(x & y) / (whole + shrink) if x & y else 0
                assert found[i, j] == pytest.approx(expected, rel=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_strongest_keeps_the_k_largest(seed, k):
    rng = np.random.default_rng(seed)
    dense = (rng.integers(1, 6, (7, 9)) * (rng.random((7, 9)) < 0.6)).astype(np.float32)
    kept = strongest(CSR(dense), k).toarray()
    for whole, row in zip(dense, kept, strict=True):
        np.testing.assert_array_equal(row[row > 0], whole[row > 0])
        np.testing.assert_array_equal(np.sort(row)[::-1][:k], np.sort(whole)[::-1][:k])
        assert (row > 0).sum() <= k
    np.testing.assert_array_equal(strongest(CSR(dense), 0).toarray(), dense)


def test_without_removes_one_column_a_row():
    dense = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    left = without(CSR(dense), np.array([2, -1, 0], np.int32)).toarray()
    dense[0, 2] = dense[2, 0] = 0
    np.testing.assert_array_equal(left, dense)

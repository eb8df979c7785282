"""Values of pairs: each compiled loop equals its twin, and numbers out of bounds are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data import CSR
from metier.kernels import pairs

ROWS, ITEMS, WIDTH = 5, 8, 6


@st.composite
def worlds(draw):
    """A seeded generator, and pairs (row ascending, item); now and then none at all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 40))
    return rng, np.sort(rng.integers(0, ROWS, n)).astype(np.int32), rng.integers(0, ITEMS, n).astype(np.int32)


def sparse_rows(rng, rows, width):
    return CSR((rng.normal(size=(rows, width)) * (rng.random((rows, width)) < 0.4)).astype(np.float32))


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_inner_products_equal_their_twins(world):
    rng, row, item = world
    left, right = rng.normal(size=(ROWS, WIDTH)).astype(np.float32), rng.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    found = pairs.dense_dot(left, right, row, item)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pairs.dense_dot_reference(left, right, row, item), rtol=1e-4, atol=1e-5)
    left, right = sparse_rows(rng, ROWS, WIDTH), sparse_rows(rng, ITEMS, WIDTH)
    found = pairs.sparse_dot(left, right, row, item)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pairs.sparse_dot_reference(left, right, row, item), rtol=1e-4, atol=1e-5)


def test_a_vector_of_nan_gives_nan_and_a_silent_row_gives_0():
    nan = np.array([[np.nan, 1], [1, 1]], np.float32)
    both = np.array([0, 1], np.int32), np.zeros(2, np.int32)
    np.testing.assert_array_equal(pairs.dense_dot(nan, np.ones((1, 2), np.float32), *both), [np.nan, 2])
    silent = CSR(np.array([[0, 0], [0, 3]], np.float32))
    np.testing.assert_array_equal(pairs.sparse_dot(silent, CSR(np.array([[5, 2]], np.float32)), *both), [0, 6])


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_stored_entries_equal_their_twin(world):
    rng, row, item = world
    matrix = sparse_rows(rng, ROWS, ITEMS)
    np.testing.assert_array_equal(
        pairs.entries(matrix, row, item), pairs.entries_reference(matrix, row, item).astype(np.float32)
    )


def test_a_stored_zero_is_a_zero_and_an_absent_entry_is_unknown():
    matrix = CSR((np.array([0, 2], np.float32), np.array([0, 1]), np.array([0, 2])), shape=(1, 3))
    row, item = np.zeros(3, np.int32), np.arange(3, dtype=np.int32)
    np.testing.assert_array_equal(pairs.entries(matrix, row, item), [0, 2, np.nan])
    np.testing.assert_array_equal(pairs.entries_reference(matrix, row, item), [0, 2, np.nan])


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_echoes_equal_their_twin(world):
    """Whole seconds, so that a moment often falls on an application or on the end of a span."""
    rng, _, item = world
    counts = rng.integers(0, 4, ITEMS)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    times = np.concatenate([np.sort(rng.integers(0, 30, n)) for n in counts]).astype(np.float64)
    now, spans = rng.integers(0, 30, len(item)).astype(np.float64), np.array([1.0, 5.0, 20.0])
    found = pairs.echoes(times, start, item, now, spans)
    expected = pairs.echoes_reference(times, start, item, now, spans)
    for one, twin in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, twin.reshape(one.shape))


def test_echoes_by_hand():
    times, start = np.array([10.0, 20.0, 50.0]), np.array([0, 3, 3])
    near, nearest, since = pairs.echoes(
        times, start, np.array([0, 0, 1], np.int32), np.array([22.0, 5.0, 22.0]), np.array([2.0, 12.0])
    )
    np.testing.assert_array_equal(near, [[1, 2], [0, 1], [0, 0]])
    np.testing.assert_array_equal(nearest, [2, 5, np.nan])
    np.testing.assert_array_equal(since, [2, np.nan, np.nan])


def test_an_unknown_moment_echoes_nothing():
    args = np.array([10.0]), np.array([0, 1]), np.zeros(1, np.int32), np.array([np.nan]), np.array([2.0])
    for found in (pairs.echoes(*args), pairs.echoes_reference(*args)):
        np.testing.assert_array_equal(np.concatenate([one.ravel() for one in found]), [0, np.nan, np.nan])


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_the_nearest_number_equals_its_twin(world):
    rng, row, item = world
    history, number = sparse_rows(rng, ROWS, ITEMS), rng.permutation(ITEMS).astype(np.int64)
    np.testing.assert_array_equal(
        pairs.nearest_number(history, number, row, item), pairs.nearest_number_reference(history, number, row, item)
    )


@pytest.mark.parametrize(("row", "item"), [([0], [9]), ([7], [0]), ([-1], [0]), ([0], [-1])])
def test_numbers_out_of_bounds_are_refused(row, item):
    row, item = np.array(row, np.int32), np.array(item, np.int32)
    dense = np.ones((ROWS, 2), np.float32), np.ones((ITEMS, 2), np.float32)
    with pytest.raises(ValueError, match="beyond 5 rows and 8 items"):
        pairs.dense_dot(*dense, row, item)
    with pytest.raises(ValueError, match="beyond"):
        pairs.sparse_dot(*(CSR(side) for side in dense), row, item)
    with pytest.raises(ValueError, match="beyond"):
        pairs.entries(CSR((ROWS, ITEMS), dtype=np.float32), row, item)


def test_what_makes_no_pairs_is_refused():
    one, two = np.zeros(1, np.int32), np.zeros(2, np.int32)
    with pytest.raises(ValueError, match="make no pairs"):
        pairs.entries(CSR((ROWS, ITEMS), dtype=np.float32), one, two)
    with pytest.raises(ValueError, match="no inner product"):
        pairs.sparse_dot(CSR((1, 2), dtype=np.float32), CSR((1, 3), dtype=np.float32), one, one)

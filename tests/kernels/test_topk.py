"""The heap kernels against sorting whole rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data import CSR
from metier.kernels.topk import top_k, top_k_reference, top_k_sparse


@st.composite
def problems(draw):
    """Rows with many ties, NaN, forbidden and banned columns, and k from 1 to beyond the columns."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.integers(-2, draw(st.sampled_from([0, 2, 1000])), (rows, columns)).astype(np.float32)
    scores[rng.random(scores.shape) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = np.nan
    banned = CSR((rng.random(scores.shape) < draw(st.sampled_from([0.0, 0.2]))).astype(np.float32))
    allowed = rng.random(columns) < draw(st.sampled_from([0.5, 1.0]))
    return scores, banned, allowed, rng.permutation(columns).astype(np.int32), draw(st.integers(1, 50))


@given(problems())
@settings(max_examples=300, deadline=None)
def test_both_kernels_equal_the_reference(problem):
    scores, banned, allowed, tie, k = problem
    rows, columns = np.nonzero(~np.isnan(scores))
    stored = CSR((scores[rows, columns], (rows, columns)), shape=scores.shape)
    expected = top_k_reference(scores, banned, allowed, tie, k)
    for found in (top_k(scores, banned, allowed, tie, k), top_k_sparse(stored, banned, allowed, tie, k)):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        assert found[0].dtype == np.int32
        assert found[1].dtype == np.float32


@pytest.mark.parametrize(
    ("tie", "expected"), [([0, 1, 2, 3], [2, 0, 1]), ([3, 2, 1, 0], [2, 3, 1]), ([2, 0, 9, 1], [2, 1, 3])]
)
def test_the_smaller_tie_number_wins(tie, expected):
    scores = np.array([[1, 1, 5, 1]], np.float32)
    nothing = CSR((1, 4), dtype=np.float32)
    items, values = top_k(scores, nothing, np.ones(4, np.bool_), np.array(tie, np.int32), 3)
    assert items.tolist() == [expected]
    assert values.tolist() == [[5, 1, 1]]


def test_short_rows_are_padded():
    scores = np.array([[np.nan, 2, np.nan]], np.float32)
    items, values = top_k(scores, CSR((1, 3), dtype=np.float32), np.ones(3, np.bool_), np.arange(3, dtype=np.int32), 3)
    assert items.tolist() == [[1, -1, -1]]
    assert np.isnan(values[0, 1:]).all()

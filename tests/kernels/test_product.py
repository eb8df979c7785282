"""The parallel sparse product against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import get_num_threads, set_num_threads

from metier.data import CSR
from metier.kernels.product import product, product_reference


def random_csr(rng, shape, density):
    values = rng.normal(size=shape) * (rng.random(shape) < density)
    return CSR(values.astype(np.float32))


@given(
    st.tuples(st.integers(0, 40), st.integers(1, 30), st.integers(1, 50)),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_product_equals_scipy(shape, density, seed):
    rng = np.random.default_rng(seed)
    left, right = random_csr(rng, shape[:2], density), random_csr(rng, shape[1:], density)
    found, expected = product(left, right), product_reference(left, right)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert found.nnz == expected.nnz
    assert found.has_canonical_format or found.nnz == len(set(zip(*found.nonzero(), strict=True)))
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-5, atol=1e-6)


def test_threads_do_not_change_a_bit():
    rng = np.random.default_rng(1)
    left, right = random_csr(rng, (200, 90), 0.2), random_csr(rng, (90, 150), 0.2)
    many = product(left, right)
    threads = get_num_threads()
    try:
        set_num_threads(1)
        one = product(left, right)
    finally:
        set_num_threads(threads)
    for a, b in zip((many.data, many.indices, many.indptr), (one.data, one.indices, one.indptr), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cancelled_entries_stay_stored():
    left, right = CSR(np.array([[1, 1]], np.float32)), CSR(np.array([[1], [-1]], np.float32))
    assert product(left, right).nnz == 1
    assert product(left, right).toarray() == [[0]]


def test_sizes_that_do_not_fit_are_refused():
    left, right = CSR((3, 5), dtype=np.float32), CSR((4, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="cannot multiply"):
        product(left, right)

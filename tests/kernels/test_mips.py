"""The tiled search against the whole product."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import get_num_threads, set_num_threads

from metier.data import CSR
from metier.kernels.mips import ROWS, WIDTH, catalogue, top_products, top_products_reference


@st.composite
def problems(draw):
    """Whole numbers, so that equal scores abound; rows of zeros and of NaN; from no item to three tiles."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people, jobs = (
        draw(st.sampled_from([1, 6, ROWS + 3])),
        draw(st.sampled_from([1, 20, WIDTH, WIDTH + 1, 3 * WIDTH - 5])),
    )
    size = draw(st.integers(1, 9))
    queries = rng.integers(-3, 4, (people, size)).astype(np.float32)
    vectors = rng.integers(-3, 4, (jobs, size)).astype(np.float32) * rng.integers(0, 5, (jobs, 1))
    for rows in (queries, vectors):
        rows[rng.random(len(rows)) < draw(st.sampled_from([0.0, 0.3]))] = 0
        rows[rng.random(len(rows)) < draw(st.sampled_from([0.0, 0.3, 1.0])), rng.integers(size)] = np.nan
    banned = CSR((rng.random((people, jobs)) < draw(st.sampled_from([0.0, 0.5]))).astype(np.float32))
    allowed = rng.random(jobs) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    tie = rng.permutation(jobs).astype(np.int32)
    return vectors.astype(np.float32), allowed, tie, queries, banned, draw(st.integers(1, 40))


def search(vectors, allowed, tie, queries, banned, k):
    return top_products(catalogue(vectors, np.flatnonzero(allowed).astype(np.int32), tie), queries, banned, k)


@given(problems())
@settings(max_examples=80, deadline=None)
def test_equals_the_reference(problem):
    found, expected = search(*problem), top_products_reference(*problem)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert (found[0].dtype, found[1].dtype) == (np.int32, np.float32)


@pytest.fixture(scope="module")
def near():
    """Vectors that differ from another one in the last bits: products in float32 alone put some in the wrong order."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.standard_normal((20, 64)), 80, axis=0).astype(np.float32)
    vectors[np.arange(len(vectors)), rng.integers(0, 64, len(vectors))] *= 1 + 3e-7
    queries = rng.standard_normal((300, 64)).astype(np.float32)
    banned = CSR((rng.random((300, len(vectors))) < 0.1).astype(np.float32))
    return vectors, np.ones(len(vectors), np.bool_), rng.permutation(len(vectors)).astype(np.int32), queries, banned, 25


@pytest.mark.parametrize("scale", [1, 1e-21, 1e18])
def test_near_ties_are_ordered_by_the_exact_product(near, scale):
    vectors, allowed, tie, queries, banned, k = near
    problem = vectors * np.float32(scale), allowed, tie, queries * np.float32(scale), banned, k
    found, expected = search(*problem), top_products_reference(*problem)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-7)


def test_answers_depend_neither_on_threads_nor_on_the_batch(near):
    vectors, allowed, tie, queries, banned, k = near
    whole, threads = search(*near), get_num_threads()
    try:
        set_num_threads(1)
        alone = search(*near)
    finally:
        set_num_threads(threads)
    part = search(vectors, allowed, tie, queries[7:12], CSR(banned[7:12]), k)
    for found, one, few in zip(whole, alone, part, strict=True):
        assert found.tobytes() == one.tobytes()
        assert found[7:12].tobytes() == few.tobytes()


def best(vectors, query, tie=None):
    tie = np.arange(len(vectors), dtype=np.int32) if tie is None else tie
    question = np.array([query], np.float32), CSR((1, len(vectors)), dtype=np.float32), 1
    items, scores = search(vectors, np.ones(len(vectors), np.bool_), tie, *question)
    return items.item(), scores.item()


def test_long_vectors_that_point_elsewhere_do_not_hide_a_short_one():
    vectors = np.full((2 * WIDTH + 1, 2), [1, 100], np.float32)
    vectors[-1] = [1.1, 0]  # alone in its tile
    assert best(vectors, [1, 0]) == (2 * WIDTH, np.float32(1.1))


@pytest.mark.parametrize("query", [[0, 0], [0, 1]], ids=["of zeros", "of products that are zero"])
def test_among_scores_of_zero_the_tie_decides_in_every_tile(query):
    vectors = np.zeros((3 * WIDTH, 2), np.float32)
    vectors[:WIDTH, 0] = 1
    for first in (3, WIDTH + 3, 3 * WIDTH - 1):
        assert best(vectors, query, np.roll(np.arange(3 * WIDTH, dtype=np.int32), first)) == (first, 0)


def test_products_beyond_float32_are_refused():
    with pytest.raises(ValueError, match="leave the range of float32; cure"):
        best(np.full((3, 2), 1e20, np.float32), [1e20, 0])


def test_sizes_are_checked():
    vectors, tie, items = np.ones((3, 8), np.float32), np.arange(3, dtype=np.int32), np.arange(3, dtype=np.int32)
    jobs, nothing = catalogue(vectors, items, tie), CSR((2, 3), dtype=np.float32)
    for queries, banned, k in [((2, 9), nothing, 1), ((2, 4), nothing, 1), ((1, 8), nothing, 1), ((2, 8), nothing, 0)]:
        with pytest.raises(ValueError, match="do not fit"):
            top_products(jobs, np.ones(queries, np.float32), banned, k)
    for rows, ties in [(items + 1, tie), (items - 1, tie), (items, tie[:2])]:
        with pytest.raises(ValueError, match="do not fit"):
            catalogue(vectors, rows, ties)

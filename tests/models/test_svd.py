"""Pure SVD against numpy.linalg.svd."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from metier.models.svd import PureSVD, PureSVDConfig


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_scores_are_the_truncated_reconstruction(tiny, rng, size):
    u, s, qt = np.linalg.svd(tiny.matrix.toarray())
    expected = (u[:, :size] * s[:size]) @ qt[:size]
    scores = (
        PureSVD(PureSVDConfig(embedding_size=size)).fit(tiny, rng=rng).score(tiny.query(np.arange(5, dtype=np.int32)))
    )
    np.testing.assert_allclose(scores[:, :5], expected[:5, :5], atol=1e-4)


def test_vectors_are_orthonormal(build, rng):
    crowd = build((np.random.default_rng(3).random((60, 40)) < 0.15).astype(np.float32))
    vectors = PureSVD(PureSVDConfig(embedding_size=7)).fit(crowd, rng=rng).item_vectors()
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(7), atol=1e-5)


def test_the_number_of_threads_moves_no_bit(build):
    """What is left of a score once nearly all of R is kept is rounding, which would order the jobs otherwise."""
    crowd = build((np.random.default_rng(3).random((900, 700)) < 0.01).astype(np.float32))
    vectors = []
    for threads in (1, 2):
        with threadpool_limits(threads, "blas"):
            vectors.append(PureSVD().fit(crowd, rng=np.random.default_rng(0)).item_vectors())
    np.testing.assert_array_equal(*vectors)


def test_who_and_what_is_unknown_cannot_be_scored(tiny, rng):
    scores = PureSVD().fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    assert np.isnan(scores[5]).all()
    assert np.isnan(scores[:, 5]).all()
    assert np.isfinite(scores[:5, :5]).all()

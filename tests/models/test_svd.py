"""Pure SVD against numpy.linalg.svd."""

import numpy as np
import pytest

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


def test_who_and_what_is_unknown_cannot_be_scored(tiny, rng):
    scores = PureSVD().fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    assert np.isnan(scores[5]).all()
    assert np.isnan(scores[:, 5]).all()
    assert np.isfinite(scores[:5, :5]).all()

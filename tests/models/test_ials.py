"""iALS: the loss of the paper, its optimum, and folding in."""

import warnings

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from metier.data import Query
from metier.models.ials import IALS, IALSConfig


@pytest.fixture
def crowd(build):
    rng = np.random.default_rng(3)
    matrix = (rng.random((40, 25)) < 0.2).astype(np.float32)
    matrix[np.arange(40), np.arange(40) % 25] = 1  # nobody and nothing is without an application
    return build(matrix)


CONFIG = IALSConfig(embedding_size=4, alpha=5, reg=0.5, iterations=60)


def loss(r: np.ndarray, x: np.ndarray, y: np.ndarray, config: IALSConfig) -> float:
    """Equation 3: confidence alpha r for applications, 1 for all other pairs."""
    confidence = np.where(r > 0, config.alpha * r, 1.0)
    return float((confidence * ((r > 0) - x @ y.T) ** 2).sum() + config.reg * ((x**2).sum() + (y**2).sum()))


def test_no_step_aside_lowers_the_loss(crowd, rng):
    model = IALS(CONFIG).fit(crowd, rng=rng)
    r = crowd.matrix.toarray()
    x = model.query_vectors(crowd.query(np.arange(40, dtype=np.int32))).astype(np.float64)
    y = model.item_vectors().astype(np.float64)
    best = loss(r, x, y, CONFIG)
    for _ in range(20):
        assert loss(r, x + rng.normal(scale=0.03, size=x.shape), y, CONFIG) > best
        assert loss(r, x, y + rng.normal(scale=0.03, size=y.shape), CONFIG) > best


def test_a_persons_vector_solves_the_normal_equations(crowd, rng):
    """Equation 4, for a person known and the same one new."""
    model = IALS(CONFIG).fit(crowd, rng=rng)
    y = model.item_vectors().astype(np.float64)
    r = crowd.matrix.toarray()[7]
    confidence = np.where(r > 0, CONFIG.alpha, 1.0)
    expected = np.linalg.solve((y.T * confidence) @ y + CONFIG.reg * np.eye(4), (y.T * confidence) @ (r > 0))
    known = crowd.query(np.array([7], np.int32))
    new = Query(np.array([-1], np.int32), known.history)
    np.testing.assert_allclose(model.query_vectors(known)[0], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(model.query_vectors(new), model.query_vectors(known))


def test_folded_in_scores_equal_the_trained_ones(crowd):
    """After convergence one more half step changes nothing."""
    seed = int(np.random.default_rng(2).integers(2**31))
    with warnings.catch_warnings(action="ignore"):
        trained = AlternatingLeastSquares(
            factors=4, regularization=0.5, alpha=5, iterations=60, random_state=seed, num_threads=1
        )
        trained.fit(csr_matrix(crowd.matrix), show_progress=False)
    model = IALS(CONFIG).fit(crowd, rng=np.random.default_rng(2))
    scores = model.score(crowd.query(np.arange(40, dtype=np.int32)))
    np.testing.assert_allclose(scores, trained.user_factors @ trained.item_factors.T, atol=0.02)


def test_who_and_what_is_unknown_cannot_be_scored(tiny, rng):
    scores = IALS(IALSConfig(embedding_size=3)).fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    assert np.isnan(scores[5]).all()
    assert np.isnan(scores[:, 5]).all()
    assert np.isfinite(scores[:5, :5]).all()


def test_it_is_quiet(crowd, rng, capfd, monkeypatch):
    query = crowd.query(np.arange(40, dtype=np.int32))
    with warnings.catch_warnings(action="error"):
        monkeypatch.setattr("implicit.utils._checked_blas_config", False)  # it warns once a process
        model = IALS(CONFIG).fit(crowd, rng=rng)
        monkeypatch.setattr("implicit.utils._checked_blas_config", False)
        model.score(query)
    assert capfd.readouterr() == ("", "")

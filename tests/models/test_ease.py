"""EASE: the optimum of its loss, on the core it was given."""

import numpy as np
import pytest

from metier.models.ease import EASE, EASEConfig


def gradient(x: np.ndarray, weights: np.ndarray, reg: float) -> np.ndarray:
    """Of |X - XB|^2 + reg |B|^2; the diagonal is not free."""
    slope = -2 * x.T @ (x - x @ weights) + 2 * reg * weights
    np.fill_diagonal(slope, 0)
    return slope


@pytest.fixture
def crowd(build):
    rng = np.random.default_rng(3)
    return build((rng.random((60, 25)) < 0.15).astype(np.float32))


@pytest.mark.parametrize("reg", [0.5, 5.0, 100.0])
def test_gradient_is_zero_and_diagonal_is_zero(crowd, rng, reg):
    model = EASE(EASEConfig(reg=reg)).fit(crowd, rng=rng)
    assert (model.weights_.diagonal() == 0).all()
    x = crowd.matrix[:, model.core_].toarray()
    np.testing.assert_allclose(gradient(x, model.weights_, reg), 0, atol=2e-4)


def test_no_step_aside_lowers_the_loss(crowd, rng):
    model = EASE(EASEConfig(reg=5)).fit(crowd, rng=rng)
    x = crowd.matrix[:, model.core_].toarray().astype(np.float64)

    def loss(weights):
        return ((x - x @ weights) ** 2).sum() + 5 * (weights**2).sum()

    best = model.weights_.astype(np.float64)
    for _ in range(20):
        step = rng.normal(scale=1e-2, size=best.shape)
        np.fill_diagonal(step, 0)
        assert loss(best + step) > loss(best)


def test_scores_match_the_closed_form(tiny, rng):
    """B_ij = -P_ij / P_jj over the five jobs that have applications."""
    x = tiny.matrix.toarray()[:, :5]
    inverse = np.linalg.inv(x.T @ x + 2 * np.eye(5))
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    scores = EASE(EASEConfig(reg=2)).fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    np.testing.assert_allclose(scores[:5, :5], (x @ weights)[:5], rtol=1e-4, atol=1e-6)
    assert np.isnan(scores[5]).all(), "a person without history"
    assert np.isnan(scores[:, 5]).all(), "a job without applications"


def test_the_core_is_the_most_applied_to(tiny, rng):
    """Applications: 3, 3, 2, 2, 2, 0."""
    assert EASE(EASEConfig(max_items=2)).fit(tiny, rng=rng).core_.tolist() == [0, 1]
    assert EASE(EASEConfig(min_count=3)).fit(tiny, rng=rng).core_.tolist() == [0, 1]
    scores = EASE(EASEConfig(max_items=2)).fit(tiny, rng=rng).score(tiny.query(np.array([0, 3], np.int32)))
    assert np.isfinite(scores[0, :2]).all()
    assert np.isnan(scores[0, 2:]).all()
    assert np.isnan(scores[1]).all(), "none of this person's jobs is in the core"


def test_without_an_application_nobody_is_scored(build):
    data = build(np.zeros((3, 4), np.float32))
    model = EASE().fit(data, rng=np.random.default_rng(0))
    assert np.isnan(model.score(data.query(np.arange(3, dtype=np.int32)))).all()

"""RP3beta against dense NumPy."""

import numpy as np
import pytest

from metier.models.rp3beta import RP3Beta, RP3BetaConfig


def oracle(matrix: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """(6, 6) scores, 0 where there are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        forth = np.nan_to_num(matrix / matrix.sum(axis=1, keepdims=True)) ** alpha
        back = np.nan_to_num(matrix.T / matrix.T.sum(axis=1, keepdims=True)) ** alpha
        return np.nan_to_num(
            (forth * (matrix > 0)) @ (back * (matrix.T > 0)) @ (forth * (matrix > 0)) / matrix.sum(0) ** beta
        )


@pytest.mark.parametrize(("alpha", "beta"), [(0.6, 0.15), (1.0, 0.0), (0.0, 1.0)])
def test_scores_match_the_oracle(tiny, rng, alpha, beta):
    config = RP3BetaConfig(alpha=alpha, beta=beta)
    scores = RP3Beta(config).fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    expected = oracle(tiny.matrix.toarray(), alpha, beta)
    np.testing.assert_allclose(np.nan_to_num(scores), expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(scores[expected == 0]).all()


def test_the_plain_walk_is_a_probability(tiny, rng):
    """alpha = 1, beta = 0: each person with applications ends somewhere with probability 1."""
    model = RP3Beta(RP3BetaConfig(alpha=1, beta=0)).fit(tiny, rng=rng)
    ends = model.score_sparse(tiny.query(np.arange(5, dtype=np.int32))).sum(axis=1)
    np.testing.assert_allclose(ends, 1, rtol=1e-6)


def test_neighbours_keep_the_strongest_links(tiny, rng):
    everything = RP3Beta().fit(tiny, rng=rng).links_.toarray()
    pruned = RP3Beta(RP3BetaConfig(neighbours=2)).fit(tiny, rng=rng).links_.toarray()
    assert ((pruned > 0).sum(axis=1) <= 2).all()
    for whole, kept in zip(everything, pruned, strict=True):
        assert sorted(kept[kept > 0]) == sorted(sorted(whole[whole > 0])[-2:])

"""User-kNN against dense NumPy."""

import numpy as np
import pytest

from metier.models.user_knn import UserKNN, UserKNNConfig


def oracle(matrix: np.ndarray, config: UserKNNConfig) -> np.ndarray:
    """(6, 6) scores, 0 where there are none."""
    shared = matrix @ matrix.T
    sizes = matrix.sum(axis=1)
    if config.similarity == "cosine":
        whole = np.sqrt(np.outer(sizes, sizes)) + config.shrink
    else:
        whole = sizes[:, None] + sizes[None, :] - shared + config.shrink
    near = np.divide(shared, whole, out=np.zeros_like(shared), where=shared > 0)
    np.fill_diagonal(near, 0)
    if config.neighbours:
        for row in near:
            row[np.argsort(-row, kind="stable")[config.neighbours :]] = 0
    return near @ matrix


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
@pytest.mark.parametrize(("neighbours", "shrink"), [(0, 0.0), (1, 0.0), (2, 3.0)])
def test_scores_match_the_oracle(tiny, rng, similarity, neighbours, shrink):
    config = UserKNNConfig(similarity=similarity, neighbours=neighbours, shrink=shrink)
    scores = UserKNN(config).fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    expected = oracle(tiny.matrix.toarray(), config)
    np.testing.assert_allclose(np.nan_to_num(scores), expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(scores[expected == 0]).all()


def test_one_pair_by_hand(tiny, rng):
    """Person 0 (2 jobs) shares two with person 1 (3 jobs) and one with person 2 (3 jobs), who both want job 2."""
    score = UserKNN().fit(tiny, rng=rng).score(tiny.query(np.array([0], np.int32)))[0, 2]
    assert score == pytest.approx(2 / np.sqrt(6) + 1 / np.sqrt(6))

"""Item-kNN against dense NumPy."""

import numpy as np
import pytest

from metier.models.item_knn import ItemKNN, ItemKNNConfig


def oracle(matrix: np.ndarray, config: ItemKNNConfig) -> np.ndarray:
    """(6, 6) scores, 0 where there are none."""
    shared = matrix.T @ matrix
    sizes = matrix.sum(axis=0)
    if config.similarity == "cosine":
        whole = np.sqrt(np.outer(sizes, sizes)) + config.shrink
    else:
        whole = sizes[:, None] + sizes[None, :] - shared + config.shrink
    near = np.divide(shared, whole, out=np.zeros_like(shared), where=shared > 0)
    np.fill_diagonal(near, 0)
    if config.neighbours:
        among_equals = np.random.default_rng(0).permutation(len(near))
        for row in near:
            row[np.lexsort((among_equals, -row))[config.neighbours :]] = 0
    return matrix @ near


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
@pytest.mark.parametrize(("neighbours", "shrink"), [(0, 0.0), (1, 0.0), (2, 3.0)])
def test_scores_match_the_oracle(tiny, rng, similarity, neighbours, shrink):
    config = ItemKNNConfig(similarity=similarity, neighbours=neighbours, shrink=shrink)
    scores = ItemKNN(config).fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    expected = oracle(tiny.matrix.toarray(), config)
    np.testing.assert_allclose(np.nan_to_num(scores), expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(scores[expected == 0]).all()


def test_one_pair_by_hand(tiny, rng):
    """Person 3 has jobs 3 and 4; job 0 (3 applicants) shares one with job 4 (2 applicants) and none with job 3."""
    score = ItemKNN().fit(tiny, rng=rng).score(tiny.query(np.array([3], np.int32)))[0, 0]
    assert score == pytest.approx(1 / np.sqrt(6))

"""Random: uniform, and no matter who asks beside whom."""

import numpy as np
import pytest

from metier.models.base import recommend, take
from metier.models.random import Random


@pytest.fixture
def crowd(build):
    rng = np.random.default_rng(5)
    return build((rng.random((300, 200)) < 0.02).astype(np.float32))


def test_scores_are_uniform(crowd, rng):
    scores = Random().fit(crowd, rng=rng).score(crowd.query(np.arange(300, dtype=np.int32)))
    assert scores.min() >= 0
    assert scores.max() < 1
    counts = np.histogram(scores, bins=20, range=(0, 1))[0]
    expected = scores.size / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8  # chi-square, 19 degrees of freedom, p = 0.001
    assert abs(np.corrcoef(scores[:-1].ravel(), scores[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(scores[:, :-1].ravel(), scores[:, 1:].ravel())[0, 1]) < 0.02


def test_seeds_differ_and_batches_do_not_matter(crowd):
    query = crowd.query(np.arange(300, dtype=np.int32))
    one, two = (Random().fit(crowd, rng=np.random.default_rng(seed)).score(query) for seed in (1, 2))
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.02
    again = Random().fit(crowd, rng=np.random.default_rng(1)).score(take(query, np.array([7, 3], np.int32)))
    np.testing.assert_array_equal(again, one[[7, 3]])


def test_mean_reciprocal_rank_is_the_harmonic_number_over_the_jobs(crowd, rng):
    """E[1/rank, rank <= 25] = H_25 / 200 = 0.0191; 300 people, standard deviation of one 1/rank about 0.087."""
    query = crowd.query(np.arange(300, dtype=np.int32))
    best = recommend(Random().fit(crowd, rng=rng), query, 25)
    target = np.arange(300) % 200
    reciprocal = ((best.items == target[:, None]) / np.arange(1, 26)).sum(axis=1).mean()
    expected = (1 / np.arange(1, 26)).sum() / 200
    assert abs(reciprocal - expected) < 4 * 0.087 / np.sqrt(300)

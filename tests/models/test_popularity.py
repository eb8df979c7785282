"""Popularity: counts, and counts that age."""

import numpy as np

from metier.data import Query
from metier.models.popularity import Popularity, PopularityConfig


def test_scores_are_column_sums(tiny, rng):
    scores = Popularity().fit(tiny, rng=rng).score(tiny.query(np.arange(6, dtype=np.int32)))
    np.testing.assert_array_equal(scores, np.tile(tiny.matrix.toarray().sum(axis=0), (6, 1)))


def test_half_life_halves(build, rng):
    """Four applications on days 0, 1, 2, 3 to jobs 0, 1, 0, 1; a half-life of one day."""
    data = build(np.array([[1, 1], [1, 1]], np.float32))
    aged = Popularity(PopularityConfig(half_life_days=1)).fit(data, rng=rng).popularity_
    np.testing.assert_allclose(aged, [1 / 8 + 1 / 2, 1 / 4 + 1])


def test_unknown_times_count_in_full(build, rng):
    data = build(np.array([[1, 1], [1, 1]], np.float32))
    data.interactions.times[0] = np.nan
    aged = Popularity(PopularityConfig(half_life_days=1)).fit(data, rng=rng).popularity_
    np.testing.assert_allclose(aged, [1 + 1 / 2, 1 / 4 + 1])
    data.interactions.times[:] = np.nan
    plain = Popularity(PopularityConfig(half_life_days=1)).fit(data, rng=rng).popularity_
    np.testing.assert_allclose(plain, [2, 2])


def test_new_people_get_the_same_order(tiny, rng):
    model = Popularity().fit(tiny, rng=rng)
    known = tiny.query(np.array([0], np.int32))
    new = Query(np.array([-1], np.int32), known.history)
    np.testing.assert_array_equal(model.score(new), model.score(known))

"""`recommend`: each face of a model gives the ranking that its scores give."""

from types import SimpleNamespace

import numpy as np
import pytest

from metier.data import CSR, Query
from metier.models.base import Factored, Grouped, Neighbour, recommend

PEOPLE, JOBS = 300, 1000


class Inner(Factored):
    """Whole numbers, so that many scores are equal; some people and jobs cannot be scored."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.people = rng.integers(-2, 3, (PEOPLE, 5)).astype(np.float32)
        self.jobs = rng.integers(-2, 3, (JOBS, 5)).astype(np.float32)
        self.people[::7], self.jobs[::5], self.people[1] = np.nan, np.nan, 0

    def query_vectors(self, query):
        return self.people[query.users]

    def item_vectors(self):
        return self.jobs


class Reached(Neighbour):
    """The same scores as entries of a sparse matrix."""

    def score_sparse(self, query):
        scores = Inner().score(query)
        rows, columns = np.nonzero(~np.isnan(scores))
        return CSR((scores[rows, columns], (rows, columns)), shape=scores.shape)


class Alike(Grouped):
    """Forty kinds of people."""

    def groups(self, query):
        return query.users % 40

    def score(self, query, items=None):
        scores = Inner().people[query.users % 40] @ Inner().jobs.T
        return scores if items is None else scores[:, items]


@pytest.fixture(scope="module")
def query():
    seen = np.random.default_rng(1).random((PEOPLE, JOBS)) < 0.02
    return Query(np.arange(PEOPLE, dtype=np.int32), CSR(seen.astype(np.float32)))


@pytest.mark.parametrize("candidates", [None, np.arange(990, 3, -3, dtype=np.int32), np.empty(0, np.int32)])
@pytest.mark.parametrize("excluded", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_face_gives_the_same_ranking(query, candidates, excluded, seed):
    how = {"candidates": candidates, "exclude": query.history if excluded else None, "seed": seed}
    plain = recommend(SimpleNamespace(score=Inner().score), query, 12, **how)
    for model in (Inner(), Reached()):
        ranking = recommend(model, query, 12, **how)
        np.testing.assert_array_equal(ranking.items, plain.items)
        np.testing.assert_array_equal(ranking.scores, plain.scores)
    assert (plain.items[::7] == -1).all()
    assert (candidates is not None and not len(candidates)) == (plain.items == -1).all()


@pytest.mark.parametrize("candidates", [None, np.arange(990, 3, -3, dtype=np.int32), np.empty(0, np.int32)])
@pytest.mark.parametrize("at_once", [2**26, 7 * JOBS])
def test_a_group_is_ranked_once_and_each_member_gets_what_they_have_not_seen(query, candidates, at_once, monkeypatch):
    how = {"candidates": candidates, "exclude": query.history}
    plain = recommend(SimpleNamespace(score=Alike().score), query, 12, **how)
    monkeypatch.setattr("metier.models.base.SCORES", at_once)
    ranking = recommend(Alike(), query, 12, **how)
    np.testing.assert_array_equal(ranking.items, plain.items)
    np.testing.assert_array_equal(ranking.scores, plain.scores)


def test_another_seed_orders_only_equal_scores(query):
    one, two = (recommend(Inner(), query, 12, seed=seed) for seed in (0, 1))
    assert (one.items != two.items).any()
    np.testing.assert_array_equal(one.scores, two.scores)


def test_many_people_are_answered_in_parts_without_a_seam(query):
    many = np.resize(query.users, 8192 + 100)
    whole = recommend(Inner(), Query(many, CSR(query.history[many])), 3)
    once = recommend(Inner(), query, 3)
    np.testing.assert_array_equal(whole.items, once.items[many])

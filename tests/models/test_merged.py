"""The best of all items are the best among the best of any parts of them, ties included, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data import CSR, Query
from metier.features.assemble import assemble
from metier.models.base import Factored, Neighbour, merged, recommend, tie_order
from metier.models.registry import create
from metier.testing.worlds import small_town


class Products(Factored):
    """Inner products of small whole numbers: many are equal."""

    def __init__(self, queries, items):
        self.queries, self.items = queries, items

    def query_vectors(self, query):
        return self.queries

    def item_vectors(self):
        return self.items


class Reached(Neighbour):
    """Some scores of a few values."""

    def __init__(self, scores):
        self.scores = scores

    def score_sparse(self, query):
        return self.scores


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 12), st.booleans())
def test_any_parts_give_the_whole(seed, parts, k, sparse):
    rng = np.random.default_rng(seed)
    people, size = 3, int(rng.integers(1, 60))
    history = CSR((rng.random((people, size)) < 0.1).astype(np.float32))
    query = Query(np.full(people, -1, np.int32), history, None)
    if sparse:
        model = Reached(CSR(rng.integers(0, 3, (people, size)).astype(np.float32)))
    else:
        vectors = rng.integers(-1, 2, (size, 2)).astype(np.float32)
        vectors[rng.random(size) < 0.1] = np.nan
        model = Products(rng.integers(-1, 2, (people, 2)).astype(np.float32), vectors)
    of = rng.integers(parts, size=size)
    check(model, query, k, [np.flatnonzero(of == part).astype(np.int32) for part in range(parts)])


def check(model, query, k, parts):
    size = query.history.shape[1]
    whole = recommend(model, query, k, exclude=query.history)
    lists = [recommend(model, query, k, candidates=rows, exclude=query.history) for rows in parts]
    found = merged(lists, k, size)
    np.testing.assert_array_equal(found.items, whole.items)
    assert found.scores.tobytes() == whole.scores.tobytes() or np.array_equal(
        found.scores, whole.scores, equal_nan=True
    )
    assert (found.items.dtype, found.scores.dtype) == (np.int32, np.float32)


@pytest.mark.parametrize("name", ["popularity", "item-knn", "rp3beta", "svd"])
def test_trained_models(name):
    data = assemble(small_town(), "newest").dataset
    model = create(name, {})
    assert isinstance(model, Factored | Neighbour)
    model.fit(data, rng=np.random.default_rng(0))
    query = data.query(np.arange(40, dtype=np.int32))
    of = np.random.default_rng(1).integers(4, size=len(data.items))
    check(model, query, 10, [np.flatnonzero(of == part).astype(np.int32) for part in range(4)])


def test_fewer_than_asked_for():
    model, query = (
        Products(np.ones((1, 1), np.float32), np.ones((3, 1), np.float32)),
        Query(np.full(1, -1, np.int32), CSR((1, 3), dtype=np.float32), None),
    )
    found = merged([recommend(model, query, 1, candidates=np.array([row], np.int32)) for row in (2, 0)], 5, 3)
    order = tie_order(3, 0)
    assert found.items.tolist() == [[*sorted([0, 2], key=lambda row: order[row]), -1, -1, -1]]
    assert found.scores[0, :2].tolist() == [1.0, 1.0]
    assert np.isnan(found.scores[0, 2:]).all()

"""Candidates: what each model names, nothing seen, nothing closed; and the scores of every face."""

import numpy as np
import pytest

from metier.bundle import restore, state
from metier.data import CSR, Ranking
from metier.data.splits import folds
from metier.errors import ConfigError
from metier.features.assemble import assemble
from metier.models.base import Factored, Neighbour, recommend
from metier.models.sources import Sources, union
from metier.testing.worlds import small_town

FACES = {"svd": {"embedding_size": 4}, "item-knn": {}, "content": {}}
"""A factored model, a neighbour model and one without a face."""
EACH = 6


@pytest.fixture(scope="module")
def data():
    return assemble(next(iter(folds(small_town(), "temporal"))).train).dataset


@pytest.fixture(scope="module")
def sources(data):
    return Sources(FACES).fit(data, np.random.default_rng(0))


@pytest.fixture
def query(data):
    return data.query(np.arange(0, 120, 3, dtype=np.int32))


def test_the_three_faces_are_there(sources):
    assert isinstance(sources["svd"], Factored)
    assert isinstance(sources["item-knn"], Neighbour)
    assert not isinstance(sources["content"], (Factored, Neighbour))


@pytest.mark.parametrize("open_", [np.arange(80, dtype=np.int32), np.arange(0, 80, 2, dtype=np.int32)])
def test_the_union_is_what_each_model_names(sources, query, open_):
    extra = CSR((np.ones(5, np.float32), (np.zeros(5, np.int32), np.arange(5))), shape=(40, 80))
    lists = sources.lists(query, EACH, open_)
    row, item = union(lists.values(), extra, query.history, open_)
    assert row.dtype == item.dtype == np.int32
    assert (np.diff(row.astype(np.int64) * 80 + item) > 0).all(), "ascending, each pair once"
    for person in range(40):
        named = set(range(5)) if person == 0 else set()
        for name in FACES:
            best = recommend(sources[name], query, EACH, candidates=open_, exclude=query.history).items[person]
            named |= set(best[best >= 0].tolist())
        seen = set(query.history[[person]].indices.tolist())
        assert set(item[row == person].tolist()) == (named - seen) & set(open_.tolist())


def test_an_extra_candidate_counts_by_being_there():
    """A stored 0 names an item; two lists that cancel to nothing name theirs."""
    extra = CSR((np.zeros(1, np.float32), np.array([2]), np.array([0, 1, 1])), shape=(2, 4))
    best = Ranking(np.array([[1, -1], [3, 0]], np.int32), np.array([[-1, np.nan], [2, -2]], np.float32))
    row, item = union(
        [best], extra, CSR(np.array([[0, 1, 0, 0], [0, 0, 0, 0]], np.float32)), np.arange(3, dtype=np.int32)
    )
    assert list(zip(row.tolist(), item.tolist(), strict=True)) == [(0, 2), (1, 0)]


def test_scores_are_those_of_the_models(sources, query):
    lists = sources.lists(query, EACH)
    row, item = union(lists.values(), CSR((40, 80), dtype=np.float32), query.history, np.arange(80, dtype=np.int32))
    found = sources.scores(query, lists, row, item)
    assert set(found) == {f"{name}{part}" for name in FACES for part in ("", " behind", " place")}
    for name in FACES:
        whole = sources[name].score(query)
        np.testing.assert_allclose(found[name], whole[row, item], rtol=1e-4, atol=1e-6)
        for p, (person, job) in enumerate(zip(row, item, strict=True)):
            listed = lists[name].items[person].tolist()
            assert found[f"{name} place"][p] == (listed.index(job) + 1 if job in listed else EACH + 1)
            if np.isfinite(found[name][p]):
                behind = found[name][p] - lists[name].scores[person, 0]
                assert found[f"{name} behind"][p] == pytest.approx(behind, nan_ok=True, abs=1e-6)
    assert np.isnan(found["item-knn"]).any(), "the world must have a pair that one model cannot score"


def test_each_model_draws_from_its_own_stream(data):
    """What one model is does not depend on which others run after it."""
    alone = Sources({"bpr": {"epochs": 1, "embedding_size": 4}})
    first = Sources({"bpr": {"epochs": 1, "embedding_size": 4}, "item-knn": {}})
    one, two = (s.fit(data, np.random.default_rng(5))["bpr"].item_vectors() for s in (alone, first))
    np.testing.assert_array_equal(one, two)


def test_state_goes_through_a_bundle(sources, query):
    again = restore(Sources(FACES), *state(sources))
    for name in FACES:
        np.testing.assert_array_equal(again[name].score(query), sources[name].score(query))


def test_a_wrong_setting_names_the_source():
    with pytest.raises(ConfigError, match="'item-knn'"):
        Sources({"item-knn": {"no_such": 1}})

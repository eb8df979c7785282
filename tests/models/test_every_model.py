"""What every model of the registry promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data import CSR, Query
from metier.data.splits import folds
from metier.errors import NotFittedError, UsageError
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.registry import MODELS, config_class, create
from metier.testing.contract import check_contract
from metier.testing.worlds import checkerboard, small_town

LEARNERS = {
    "place": {},
    "user-knn": {},
    "item-knn": {},
    "rp3beta": {},
    "ease": {},
    "svd": {"embedding_size": 2},
    "ials": {},
    "content": {},
    "two-tower": {},
    "lgir": {"learning_rate": 0.01, "epochs": 40},
    "lgir-fm": {},
    "lightgcn": {"embedding_size": 16},
}
"""Models that must see the two colours of the checkerboard, with the settings that fit its size."""


@pytest.mark.parametrize("name", MODELS)
def test_contract(name):
    check_contract(lambda: create(name))


@pytest.mark.parametrize("name", MODELS)
def test_a_job_without_applications_is_scored_as_declared(name):
    data = assemble(next(iter(folds(small_town(), "temporal"))).train).dataset
    model = create(name).fit(data, rng=np.random.default_rng(0))
    unseen = np.flatnonzero(np.diff(data.matrix.tocsc().indptr) == 0).astype(np.int32)
    assert len(unseen), "the town must have a job without applications"
    busy = np.flatnonzero(np.diff(data.matrix.indptr) > 1).astype(np.int32)
    assert np.isfinite(model.score(data.query(busy), unseen)).any() == model.scores_new_items


@pytest.mark.parametrize("name", MODELS)
def test_asking_before_fit_names_the_cure(name):
    query = Query(np.zeros(1, np.int32), CSR((1, 3), dtype=np.float32))
    with pytest.raises(NotFittedError, match="fit"):
        create(name).score(query)


@pytest.mark.parametrize("name", MODELS)
def test_every_setting_is_documented(name):
    undocumented = [key for key, field in config_class(name).model_fields.items() if not field.description]
    assert not undocumented


@pytest.mark.parametrize("name", LEARNERS)
def test_checkerboard_hidden_jobs_come_first(name):
    fold = next(iter(folds(checkerboard(), "given")))
    data = assemble(fold.train).dataset
    model = create(name, LEARNERS[name]).fit(data, rng=np.random.default_rng(0))
    query = data.query(data.users.numbers(fold.truth["person"]))
    best = recommend(model, query, 1, exclude=query.history).items[:, 0]
    np.testing.assert_array_equal(best, data.items.numbers(fold.truth["job"]))


@pytest.mark.parametrize("name", ["user-knn", "item-knn", "rp3beta", "ease", "svd", "ials", "content", "popularity"])
@given(st.lists(st.integers(0, 79), max_size=6, unique=True))
@settings(max_examples=15, deadline=None)
def test_a_new_person_is_served_as_a_known_one_with_that_history(name, jobs):
    """The score depends on the history asked with, not on who is remembered."""
    data, model = _town(name)
    history = CSR((np.ones(len(jobs), np.float32), (np.zeros(len(jobs), np.int32), jobs)), shape=(1, len(data.items)))
    scores = model.score(Query(np.full(1, -1, np.int32), history, texts=[""]))
    stranger = len(data.users) - 1  # applied to nothing, so nobody's neighbour
    known = model.score(Query(np.full(1, stranger, np.int32), history, texts=[""]))
    np.testing.assert_array_equal(scores, known)
    if not jobs and name != "popularity":
        assert np.isnan(scores).all()


_fitted: dict[str, tuple] = {}


def _town(name):
    if name not in _fitted:
        data = assemble(next(iter(folds(small_town(), "temporal"))).train).dataset
        _fitted[name] = data, create(name).fit(data, rng=np.random.default_rng(0))
    return _fitted[name]


def test_a_misspelt_model_is_suggested():
    with pytest.raises(UsageError, match=r"did you mean 'item-knn'.*there are random"):
        create("itemknn")

"""BPR and SVD++ find the checkerboard; the naive rating models stay at chance; training leaves the target out."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from metier.data import CSR, Dataset, Query
from metier.data.splits import folds
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.bpr import BPR
from metier.models.factorization import FactorizationConfig, HistoryUse, NegativeSampler, factorize
from metier.models.fm import FM, FMNoResume
from metier.models.svd_naive import NaiveSVD
from metier.models.svdpp import SVDpp
from metier.models.svdpp_naive import NaiveSVDpp
from metier.testing.worlds import checkerboard, small_town


def hidden_on_top(model_class: type) -> float:
    """Share of people whose hidden job of the own colour is first among the 26 jobs they have not applied to."""
    fold = next(iter(folds(checkerboard(), "given")))
    data = assemble(fold.train).dataset
    asked = data.query(data.users.numbers(fold.truth["person"]))
    model = model_class().fit(data, rng=np.random.default_rng(0))
    best = recommend(model, asked, 1, exclude=asked.history).items[:, 0]
    return float(np.mean(best == data.items.numbers(fold.truth["job"])))


@pytest.mark.parametrize("model_class", [BPR, SVDpp])
def test_trained_for_ranking_finds_the_hidden_job(model_class: type) -> None:
    assert hidden_on_top(model_class) > 0.9


@pytest.mark.parametrize("model_class", [NaiveSVD, NaiveSVDpp])
def test_rating_models_on_ones_learn_nothing(model_class: type) -> None:
    assert hidden_on_top(model_class) < 0.2  # chance is 1 in 26


def single_applications() -> Dataset:
    tables = small_town()
    once = tables.interactions.unique("person", keep="first", maintain_order=True)
    return assemble(tables.replace(interactions=once)).dataset


def test_target_is_left_out_of_the_bag() -> None:
    """With one application a person the bag is always empty, so the features of past jobs never move."""
    data = single_applications()
    (users, items), use = data.shape, HistoryUse(0.3, 50, 0.5, 0.5)
    people = CSR((users, 2 * items), dtype=np.float32)
    jobs = CSR(sparse.eye_array(items, 2 * items, dtype=np.float32))
    pasts = CSR(sparse.eye_array(items, 2 * items, k=items, dtype=np.float32))
    config = FactorizationConfig(epochs=2, average_from=0, embedding_size=4)
    vectors, _ = factorize(people, jobs, pasts, data, config, use, np.random.default_rng(0))
    start = np.random.default_rng(0).standard_normal((2 * items, 4), dtype=np.float32) * np.float32(0.05)
    np.testing.assert_array_equal(vectors[items:], start[items:])


def test_negatives_come_from_the_place_of_the_job() -> None:
    data = assemble(small_town()).dataset
    draw = NegativeSampler(data, FactorizationConfig(negatives=8, same_state=0.5, same_city=0.25))
    drawn = draw(np.arange(80, dtype=np.int32), np.random.default_rng(0))
    state = data.item_features.field("state").matrix.indices
    city = data.item_features.field("city").matrix.indices
    assert (state[drawn[:, :4]] == state[:80, None]).all()
    assert (city[drawn[:, 4:6]] == city[:80, None]).all()
    assert (state[drawn[:, 6:]] != state[:80, None]).any()


@pytest.mark.parametrize("model_class", [SVDpp, FM, FMNoResume])
def test_who_never_applied_has_no_vector_of_their_own(model_class: type) -> None:
    """A random start is not a preference: without applications and words, everyone of one place gets one ranking."""
    data = assemble(small_town()).dataset
    model = model_class().fit(data, rng=np.random.default_rng(0))
    cold = np.flatnonzero(np.diff(data.matrix.indptr) == 0).astype(np.int32)
    empty = CSR((len(cold), len(data.items)), dtype=np.float32)
    known, unknown = (model.score(Query(users, empty)) for users in (cold, np.full_like(cold, -1)))
    np.testing.assert_array_equal(known, known[:1].repeat(len(cold), axis=0))
    if model_class is not SVDpp:  # which cannot score a stranger without history
        np.testing.assert_array_equal(known, unknown)


@pytest.mark.parametrize("model_class", [FM, SVDpp])
def test_people_without_times_are_ranked_alone_as_in_a_batch(model_class: type) -> None:
    tables = small_town()
    odd = pl.col("person").str.strip_prefix("p").cast(pl.Int32) % 2 == 1
    timeless = tables.interactions.with_columns(time=pl.when(odd).then(None).otherwise(pl.col("time")))
    data = assemble(tables.replace(interactions=timeless)).dataset
    model = model_class().fit(data, rng=np.random.default_rng(0))
    people = np.arange(40, dtype=np.int32)
    together = model.score(data.query(people))
    alone = np.concatenate([model.score(data.query(people[[row]])) for row in range(40)])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5)


def test_more_near_negatives_than_negatives_are_refused() -> None:
    with pytest.raises(ValueError, match="more than all negatives"):
        FactorizationConfig(same_state=0.7, same_city=0.4)


def test_averaging_keeps_the_mean_of_the_epochs() -> None:
    """Averaging from the last epoch on is that epoch."""
    data = single_applications()
    eye = CSR(sparse.eye_array(len(data.items), dtype=np.float32))
    nobody = CSR((len(data.users), len(data.items)), dtype=np.float32)

    def learn(average_from: int) -> np.ndarray:
        config = FactorizationConfig(epochs=3, average_from=average_from, embedding_size=4)
        return factorize(nobody, eye, eye, data, config, HistoryUse(0, 5, 0, 0), np.random.default_rng(0))[1]

    np.testing.assert_array_equal(learn(3), learn(0))
    assert np.abs(learn(1)).max() < np.abs(learn(0)).max()

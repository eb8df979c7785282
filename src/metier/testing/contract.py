"""The contract every model keeps. `check_contract(make)` runs all of it; a new model's test calls it and no more.

A new model costs one file and one test:

    from metier.testing.contract import check_contract

    def test_contract() -> None:
        check_contract(MyModel)
"""

from collections.abc import Callable

import numpy as np

from metier.bundle import restore, state
from metier.data import CSR, Dataset, Query
from metier.data.splits import folds
from metier.features.assemble import assemble
from metier.models.base import Factored, Grouped, Neighbour, Recommender, densify, recommend
from metier.testing.worlds import small_town

Make = Callable[[], Recommender]


def check_contract(make: Make) -> None:
    """Fit on a small town, then hold every promise of `Recommender` to account."""
    fold = next(iter(folds(small_town(), "temporal")))
    data = assemble(fold.train).dataset
    model = make().fit(data, rng=np.random.default_rng(0))
    query = data.query(np.arange(len(data.users), dtype=np.int32))
    check_shapes(model, data, query)
    check_batches_agree(model, query)
    check_same_seed_same_scores(make, data, query)
    check_faces_agree(model, query)
    check_history_is_excluded(model, query)
    check_new_users(model, data)
    check_input_untouched(make, data)
    check_stored_state(make, model, query)


def check_shapes(model: Recommender, data: Dataset, query: Query) -> None:
    """float32 (b, m), no infinities, some scores; `items` selects columns."""
    scores = model.score(query)
    assert scores.shape == (len(query), len(data.items)), scores.shape
    assert scores.dtype == np.float32, scores.dtype
    assert not np.isinf(scores).any()
    assert np.isfinite(scores).any(), "the model can score nobody"
    some = np.array([3, 0, 7], dtype=np.int32)
    np.testing.assert_allclose(model.score(query, some), scores[:, some], rtol=1e-4, atol=1e-5)


def check_batches_agree(model: Recommender, query: Query) -> None:
    """A person's scores do not depend on who else is in the batch."""
    from metier.models.base import take

    whole = model.score(query)
    half = model.score(take(query, np.arange(5, 25, dtype=np.int32)))
    np.testing.assert_allclose(half, whole[5:25], rtol=1e-4, atol=1e-5)


def check_same_seed_same_scores(make: Make, data: Dataset, query: Query) -> None:
    """Two fits with one seed are identical."""
    one, two = (make().fit(data, rng=np.random.default_rng(3)).score(query) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def check_faces_agree(model: Recommender, query: Query) -> None:
    """`query_vectors`/`item_vectors` and `score_sparse` say what `score` says, and so does each of a group."""
    if isinstance(model, Factored):
        product = model.query_vectors(query) @ model.item_vectors().T
        np.testing.assert_allclose(product, model.score(query), rtol=1e-4, atol=1e-5)
    if isinstance(model, Neighbour):
        np.testing.assert_allclose(densify(model.score_sparse(query)), model.score(query), rtol=1e-5)
    if isinstance(model, Grouped):
        _, first, group = np.unique(model.groups(query), return_index=True, return_inverse=True)
        np.testing.assert_array_equal(model.score(query)[first][group], model.score(query))


def check_history_is_excluded(model: Recommender, query: Query) -> None:
    """`recommend` returns distinct, finite, descending items, none of them seen."""
    ranking = recommend(model, query, 10, exclude=query.history)
    for row, items in enumerate(ranking.items):
        kept = items[items >= 0]
        seen = query.history.indices[query.history.indptr[row] : query.history.indptr[row + 1]]
        assert len(set(kept.tolist())) == len(kept)
        assert not set(kept.tolist()) & set(seen.tolist())
        scores = ranking.scores[row][: len(kept)]
        assert np.isfinite(scores).all()
        assert (np.diff(scores) <= 0).all()


def check_new_users(model: Recommender, data: Dataset) -> None:
    """Row number -1: scored from history, features and texts when the model says it can, NaN otherwise."""
    known = data.query(np.flatnonzero(np.diff(data.matrix.indptr) > 1)[:4].astype(np.int32))
    unknown = Query(np.full(4, -1, np.int32), known.history, known.features, known.texts)
    assert np.isfinite(model.score(unknown)).any() == model.scores_new_users
    nobody = Query(np.full(1, -1, np.int32), CSR((1, len(data.items)), dtype=np.float32))
    assert model.score(nobody).shape == (1, len(data.items))


def check_input_untouched(make: Make, data: Dataset) -> None:
    """`fit` changes nothing it was given."""
    before = data.matrix.copy(), data.user_features.matrix.copy(), data.item_features.matrix.copy()
    make().fit(data, rng=np.random.default_rng(1))
    after = data.matrix, data.user_features.matrix, data.item_features.matrix
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old.toarray(), new.toarray())


def check_stored_state(make: Make, model: Recommender, query: Query) -> None:
    """The learned state goes through safetensors and JSON unchanged."""
    again = restore(make(), *state(model))
    np.testing.assert_array_equal(again.score(query), model.score(query))

"""The oracle: true preferences, the best ranking there is, and a careful reader of its files."""

import json
from pathlib import Path

import numpy as np
import pytest

from metier.data import Dataset, Floats, Query
from metier.data.splits import Fold, folds
from metier.errors import DataRejectedError, NotFittedError
from metier.features.assemble import assemble
from metier.models.base import Recommender, recommend
from metier.sources.market import Market, MarketKnobs, generate, load_truth, save_truth
from metier.sources.market.oracle import Oracle


@pytest.fixture(scope="module")
def market() -> Market:
    return generate(MarketKnobs(people=1200, windows=2), seed=3)


@pytest.fixture(scope="module")
def fold(market: Market) -> Fold:
    return next(folds(market.tables, "temporal"))


@pytest.fixture(scope="module")
def data(fold: Fold) -> Dataset:
    return assemble(fold.train).dataset


def fitted(market: Market, data: Dataset) -> Oracle:
    return Oracle(market.truth).fit(data, rng=np.random.default_rng(0))


def test_it_is_a_recommender(market: Market) -> None:
    assert isinstance(Oracle(market.truth), Recommender)


def test_scores_are_log_probabilities(market: Market, data: Dataset) -> None:
    scores = fitted(market, data).score(data.query(np.arange(20, dtype=np.int32)))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores.astype(np.float64)).sum(1), 1, rtol=1e-4)


def test_probabilities_are_the_frequencies_of_choice() -> None:
    """The mean chance of live postings of the own occupation, and of the own city, is how often they are chosen."""
    market = generate(MarketKnobs(people=1500, windows=1), seed=8)
    data = assemble(market.tables).dataset
    users, first = np.unique(data.interactions.users, return_index=True)
    chosen, seconds = data.interactions.items[first], data.interactions.times[first]
    opens, closes = (market.tables.jobs[name].dt.epoch("us").to_numpy() / 1e6 for name in ("start", "end"))
    chance = np.exp(fitted(market, data).score(data.query(users)).astype(np.float64))
    chance *= (opens <= seconds[:, None]) & (seconds[:, None] <= closes)
    chance /= chance.sum(1, keepdims=True)
    for latent in ("occupation", "city"):
        same = market.truth.people[latent].to_numpy()[users][:, None] == market.truth.jobs[latent].to_numpy()
        frequency = same[np.arange(len(users)), chosen].mean()
        assert (chance * same).sum(1).mean() == pytest.approx(frequency, abs=0.04), latent


def test_it_ranks_far_better_than_popularity(market: Market, fold: Fold, data: Dataset) -> None:
    people = fold.truth["person"].unique(maintain_order=True)
    query, live = data.query(data.users.numbers(people)), data.items.numbers(fold.candidates)
    relevant = {(p, j) for p, j in fold.truth.rows()}

    def recall(model: Recommender) -> float:
        items = recommend(model, query, 25, candidates=live, exclude=query.history).items
        hits = [(p, data.items.ids[i]) in relevant for p, row in zip(people, items, strict=True) for i in row if i >= 0]
        return sum(hits) / len(relevant)

    assert recall(fitted(market, data)) > 2 * recall(_Popularity().fit(data, rng=np.random.default_rng(0)))


class _Popularity:
    def fit(self, data: Dataset, *, rng: np.random.Generator) -> "_Popularity":
        self.counts = np.asarray(data.matrix.sum(axis=0), dtype=np.float32)
        return self

    def score(self, query: Query, items: np.ndarray | None = None) -> Floats:
        return np.tile(self.counts if items is None else self.counts[items], (len(query), 1))


def test_what_it_cannot_know_is_nan(market: Market, data: Dataset) -> None:
    whole = assemble(market.tables).dataset
    strangers = Dataset(
        users=type(whole.users)("person", [f"x{i}" if i < 3 else one for i, one in enumerate(whole.users.ids)]),
        items=type(whole.items)("job", [f"x{i}" if i < 5 else one for i, one in enumerate(whole.items.ids)]),
        interactions=whole.interactions,
        user_features=whole.user_features,
        item_features=whole.item_features,
        user_texts=whole.user_texts,
        item_texts=whole.item_texts,
    )
    query = strangers.query(np.arange(6, dtype=np.int32))
    new = Query(np.full(1, -1, np.int32), query.history[:1])
    oracle = Oracle(market.truth).fit(strangers, rng=np.random.default_rng(0))
    scores = oracle.score(query)
    assert np.isnan(scores[:3]).all()
    assert np.isnan(scores[:, :5]).all()
    other_window = market.truth.jobs["window"].to_numpy() != market.truth.people["window"][4]
    assert np.isnan(scores[4, other_window]).all()
    assert np.isfinite(scores[4, ~other_window][5:]).any()
    assert np.isnan(oracle.score(new)).all()
    some = np.array([9, 6], dtype=np.int32)
    np.testing.assert_array_equal(oracle.score(query, some), scores[:, some])


def test_score_before_fit_says_so(market: Market, data: Dataset) -> None:
    with pytest.raises(NotFittedError, match="fit first"):
        Oracle(market.truth).score(data.query(np.arange(1, dtype=np.int32)))


def test_saved_and_loaded_it_scores_the_same(market: Market, data: Dataset, tmp_path: Path) -> None:
    save_truth(market, tmp_path / "oracle")
    loaded = Oracle.load(tmp_path / "oracle").fit(data, rng=np.random.default_rng(0))
    query = data.query(np.arange(5, dtype=np.int32))
    np.testing.assert_array_equal(loaded.score(query), fitted(market, data).score(query))
    assert load_truth(tmp_path / "oracle").knobs == market.truth.knobs


def test_files_that_are_absent_or_foreign_are_refused(market: Market, tmp_path: Path) -> None:
    with pytest.raises(DataRejectedError, match="no readable market"):
        load_truth(tmp_path)
    save_truth(market, tmp_path)
    about = json.loads((tmp_path / "market.json").read_text())
    (tmp_path / "market.json").write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(DataRejectedError, match="format 99"):
        load_truth(tmp_path)

"""FM computes Rendle's equation, learns from what people say, and never sees its target in the bag."""

import numpy as np
import pytest

from metier.data import Dataset
from metier.data.splits import folds
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.factorization import HistoryUse, past_shares
from metier.models.fm import FM, FMConfig, FMNoResume
from metier.testing.worlds import checkerboard, small_town


def town() -> Dataset:
    return assemble(next(iter(folds(small_town(people=300), "temporal"))).train).dataset


def test_scores_differ_between_jobs_as_equation_1_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs of all features, person and job together, summed by brute force."""
    data, seen = town(), {}
    rng = np.random.default_rng(4)

    def planted(people, jobs, pasts, data, config, use, rng_, **options):
        seen.update(people=people.toarray(), jobs=jobs.toarray(), pasts=pasts.toarray())
        seen.update(v=rng.standard_normal((people.shape[1], 5)), w=rng.standard_normal(people.shape[1]))
        return seen["v"].astype(np.float32), seen["w"].astype(np.float32)

    monkeypatch.setattr("metier.models.fm.factorize", planted)
    config = FMConfig(embedding_size=5, pairs_inside_job=True)
    model = FM(config).fit(data, rng=np.random.default_rng(0))
    asked = data.query(np.array([3, 50], dtype=np.int32))
    scores = model.score(asked)
    use = HistoryUse(config.history_decay, config.history, config.history_power, config.silence)
    bag = (past_shares(asked, use) @ seen["pasts"])[:, None]  # (2, 1, F)
    people = seen["people"][[3, 50]][:, None] + bag
    for row in range(2):
        # Features of the candidate are indicators of their own, beside the same features of past jobs.
        x = np.concatenate([np.broadcast_to(people[row], seen["jobs"].shape), seen["jobs"]], axis=1)  # (I, 2F)
        v, w = np.concatenate([seen["v"]] * 2), np.concatenate([seen["w"]] * 2)
        pairs = [sum(x[j, f] * x[j, g] * v[f] @ v[g] for f in np.flatnonzero(x[j]) for g in np.flatnonzero(x[j])
                     if f < g) for j in range(6)]  # fmt: skip
        y = x[:6] @ w + np.array(pairs)
        np.testing.assert_allclose(scores[row, :6] - scores[row, 0], y - y[0], rtol=1e-3, atol=1e-3)


def test_cold_person_is_ranked_by_words() -> None:
    """A person of whom only the text is known gets jobs of the trade the text names; without the résumé, not."""
    data = town()
    cold = np.flatnonzero(np.diff(data.matrix.indptr) == 0)[:60].astype(np.int32)
    asked = data.query(cold)
    hits = {}
    for kind in (FM, FMNoResume):
        model = kind(kind.__annotations__["config"](attributes=False)) if kind is FM else FMNoResume()
        best = recommend(model.fit(data, rng=np.random.default_rng(0)), asked, 5).items
        trades = [text.split()[3] for text in asked.texts]
        hits[kind] = np.mean(
            [trade in data.item_texts[item] for trade, row in zip(trades, best, strict=True) for item in row]
        )
    assert hits[FM] > 0.8
    assert hits[FMNoResume] < 0.6


def test_recovers_the_checkerboard() -> None:
    fold = next(iter(folds(checkerboard(), "given")))
    data = assemble(fold.train).dataset
    model = FM(FMConfig(attributes=False, job_text=False, person_text=False)).fit(data, rng=np.random.default_rng(0))
    asked = data.query(np.arange(50, dtype=np.int32))
    best = recommend(model, asked, 1, exclude=asked.history).items[:, 0]
    hidden = data.items.numbers(fold.truth.sort("person")["job"])
    who = data.users.numbers(fold.truth.sort("person")["person"])
    assert np.mean(best[who] == hidden) > 0.9


def test_later_applications_weigh_more() -> None:
    data = town()
    asked = data.query(np.flatnonzero(np.diff(data.matrix.indptr) >= 3)[:20].astype(np.int32))
    shares = past_shares(asked, HistoryUse(decay=1.0, longest=50, power=1.0, silence=0.0))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    for row in range(20):
        span = slice(shares.indptr[row], shares.indptr[row + 1])
        by_time = shares.data[span][np.argsort(asked.times.data[span], kind="stable")]
        assert (np.diff(by_time) > 0).all()
        np.testing.assert_allclose(by_time[1:] / by_time[:-1], np.e, rtol=1e-4)


def test_attributes_are_scaled_to_a_length() -> None:
    data = town()
    model = FM(FMConfig(attribute_length=0.5))
    scaled = model._scaled(data.user_features.matrix)
    length = np.sqrt(scaled.power(2).sum(axis=1))
    np.testing.assert_allclose(length[np.diff(scaled.indptr) > 0], 0.5, rtol=1e-5)
    np.testing.assert_array_equal(scaled.indices, data.user_features.matrix.indices)


@pytest.mark.parametrize("scale", [0.0, 0.01])
def test_past_applications_add_a_vector_of_their_own(scale: float) -> None:
    model = FM(FMConfig(past_scale=scale, epochs=2)).fit(town(), rng=np.random.default_rng(0))
    same = np.allclose(model.past_vectors_, model.job_vectors_[:, :-1], atol=1e-6)
    assert same == (scale == 0)

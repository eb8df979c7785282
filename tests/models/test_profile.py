"""Profile: text or place decides where they are planted; the formula pair by pair; nobody counts for themselves."""

import numpy as np
import polars as pl
import pytest
from planted import alike, market

from metier.data import CSR, Query
from metier.features.assemble import assemble
from metier.features.distance import km, positions
from metier.features.text import StaticEmbedder, Tfidf
from metier.models import profile
from metier.models.base import recommend
from metier.models.factorization import past_shares
from metier.models.profile import PAST, Profile, ProfileConfig

QUICK = ProfileConfig(examples=300, negatives=30, topics=8)


def fitted(tables, config=QUICK):
    data = assemble(tables).dataset
    return data, Profile(config).fit(data, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def both():
    return fitted(market())


@pytest.mark.parametrize("rule", [{"texts": True, "places": False}, {"texts": False, "places": True}, {}])
def test_what_is_planted_decides_for_known_and_new_people(rule):
    data, model = fitted(market(**rule))
    for users in (np.arange(0, 24, dtype=np.int32), np.arange(108, 120, dtype=np.int32)):
        known = data.query(users)
        stranger = Query(
            np.full(len(users), -1, np.int32), CSR((len(users), 96), dtype=np.float32), known.features, known.texts
        )
        for query in (known, stranger):
            best = recommend(model, query, 4, exclude=query.history).items
            hits = [alike(int(user), int(job), **rule) for user, row in zip(users, best, strict=True) for job in row]
            assert np.mean(hits) > 0.95, f"{rule}, history {query.history.nnz > 0}"


def entries(features, row):
    """{column name: value} of a row of (n, f) features; {} for what is not there."""
    line = features.matrix[[row]]
    return {features.names[column]: value for column, value in zip(line.indices, line.data, strict=True)}


def unit(vector):
    return vector / (np.linalg.norm(vector) or 1)


def like(model, meaning, topics):
    """Mean topics of the sampled postings, by exp of the standardised sum of both cosines."""
    if not meaning.any() and not topics.any():
        return np.zeros_like(topics)
    alike = np.array([model.meaning_[one] @ meaning + model.topic_[one] @ topics for one in model.sample_])
    weigh = np.exp((alike - alike.mean()) / alike.std() / model.config.temperature)
    return unit(sum(weight * model.topic_[one] for weight, one in zip(weigh, model.sample_, strict=True)))


def naive(model, data, user, job):
    """w . x written out for one known person and one job."""
    query = data.query(np.array([user], np.int32))
    shares = past_shares(query, PAST)
    past = dict(zip(shares.indices.tolist(), shares.data.tolist(), strict=True))
    words = Tfidf(model.topics_.vocabulary_, model.topics_.idf_).encode(query.texts).toarray()[0]
    x = [
        StaticEmbedder().embed(query.texts)[0] @ model.meaning_[job],
        unit(words @ model.topics_.axes_) @ model.topic_[job],
        like(model, StaticEmbedder().embed(query.texts)[0], unit(words @ model.topics_.axes_)) @ model.topic_[job],
    ]
    for vectors in (model.meaning_, model.topic_):
        x.append(
            unit(sum((share * vectors[h] for h, share in past.items()), np.zeros(vectors.shape[1]))) @ vectors[job]
        )
    theirs, own = entries(data.item_features, job), entries(data.user_features, user)
    for side in ("profile", "past"):
        for field in [field for field in data.item_features.field_names if field in profile.PLACES]:
            match = 0.0
            for name, value in theirs.items():
                if name.startswith(f"{field}="):
                    before = sum(share * entries(data.item_features, h).get(name, 0.0) for h, share in past.items())
                    match += value * (own.get(name, 0.0) if side == "profile" else before)
            x.append(match)
    x += [np.log((data.interactions.items == job).sum() + model.config.prior), 0.0]
    x.append(np.log1p(km(positions(query.features, model.person_places_)[0], model.at_[job]) / 25))
    return float(np.asarray(x) @ (model.beside_ if past else model.alone_))


def test_scores_are_the_formula_pair_by_pair(both):
    data, model = both
    users, some = np.array([0, 5, 40, 110, 119], np.int32), np.array([50, 0, 95, 13], np.int32)
    scores = model.score(data.query(users), some)
    expected = [[naive(model, data, user, job) for job in some] for user in users]
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(model.score(data.query(users))[:, some], scores, rtol=1e-4, atol=1e-4)


def examples(tables, monkeypatch):
    """Features, labels and groups that the two sets of weights are learned from, and the columns of ln(n + a)."""
    seen = []

    def spy(x, label, row, *, reg):
        seen.append((x, label, row))
        return np.zeros(x.shape[1], np.float32)

    monkeypatch.setattr(profile, "likeliest", spy)
    return *fitted(tables, ProfileConfig(examples=10_000, negatives=20, topics=8)), *seen


def test_an_application_does_not_explain_itself(monkeypatch):
    """The only applicant of a job meets it with a count of 0, and without it in the past."""
    data, _, (new, label, _), (old, old_label, old_row) = examples(market(), monkeypatch)
    pairs, chosen = data.interactions, label == 1
    count = np.bincount(pairs.items, minlength=96)
    assert (count == 1).any(), "the world must have a job with one applicant"
    counted = np.log(count[pairs.items] - 1 + 0.65).astype(np.float32)  # all of them are drawn, in their order
    np.testing.assert_allclose(new[chosen, -3], counted, rtol=1e-5)
    fields = (new.shape[1] - 8) // 2
    assert not new[:, [3, 4, *range(5 + fields, 5 + 2 * fields)]].any(), "a new person has no past"
    history = np.bincount(pairs.users, minlength=120)[pairs.users]
    assert np.unique(old_row).size == (old_label == 1).sum() == (history > 1).sum()
    alone = np.bincount(pairs.users, minlength=120) == 2  # of two applications the other one is the past
    assert alone.any()
    last = old[old_label == 1, 4 + fields : 4 + 2 * fields][alone[pairs.users[history > 1]]]
    np.testing.assert_allclose(last, 1, rtol=1e-5, err_msg="one past job in the same place, normalised")


def test_with_one_application_there_is_no_past_to_explain_it_by(monkeypatch):
    tables = market()
    once = tables.replace(interactions=tables.interactions.unique("person", keep="first", maintain_order=True))
    data, model, *seen = examples(once, monkeypatch)
    assert len(seen) == 1
    assert (seen[0][1] == 1).sum() == len(data.interactions)
    np.testing.assert_array_equal(model.beside_, model.alone_)


def test_nobody_passed_over_what_they_applied_to(monkeypatch):
    data, _, (x, label, row), _ = examples(market(people=48, jobs=72), monkeypatch)
    assert (np.bincount(row, label) == 1).all()
    assert len(x) < len(data.interactions) * 21, "negatives among a person's own jobs are left out"


def test_days_open_need_both_a_start_and_a_moment():
    tables = market(people=48, jobs=72)
    started = tables.jobs.with_columns(
        start=pl.when(pl.int_range(pl.len()) > 0).then(pl.lit(tables.interactions["time"].max()) - pl.duration(days=2))
    )
    _, model = fitted(tables.replace(jobs=started))
    np.testing.assert_allclose(model.appeal_[:, 1], np.log(2), rtol=1e-5, err_msg="an unknown start is the mean")
    _, model = fitted(tables)
    np.testing.assert_array_equal(model.appeal_[:, 1], 0)


@pytest.mark.parametrize("missing", ["texts", "places", "times", "attributes"])
def test_what_is_missing_is_done_without(missing):
    data, model = fitted(market(people=48, jobs=72, **{missing: False}))
    assert np.isfinite(model.score(data.query(np.arange(48, dtype=np.int32)))).all()


def test_without_any_application_nothing_is_learned_and_everybody_is_scored():
    tables = market(people=48, jobs=72)
    data, model = fitted(tables.replace(interactions=tables.interactions.clear()))
    np.testing.assert_array_equal(model.alone_, 0)
    assert np.isfinite(model.score(data.query(np.arange(3, dtype=np.int32)))).all()

"""The ranker on a planted market: features decide, groups can be left out, everybody and every posting is served."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from planted import alike, market
from threadpoolctl import threadpool_limits

from metier import bundle
from metier.data import CSR, Query
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.evidence import GROUPS
from metier.models.ranker import GROUP_OF_SOURCE, Ranker, RankerConfig

QUICK = {
    "sources": ("rp3beta", "content", "profile"),
    "source_settings": {"profile": {"examples": 200, "negatives": 30, "topics": 8}},
    "each": 15,
    "cuts": 2,
    "rounds": 10,
    "min_leaf": 10,
}
COLD, NEVER = np.arange(108, 120), np.arange(84, 96)
"""The people and the jobs of `market` without an application."""


@pytest.fixture(autouse=True)
def one_thread():
    """Worlds this small are slower on many threads."""
    with threadpool_limits(1):
        yield


def fitted(tables, seed=0, **settings):
    data = assemble(tables, "newest" if settings.pop("asked", False) else None).dataset
    return data, Ranker(RankerConfig(**QUICK | settings)).fit(data, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def town():
    with threadpool_limits(1):
        return fitted(market())


def hits(model, query, users, k=4, **rule):
    """Share of the k best that lie in the person's own trade and place."""
    best = recommend(model, query, k, exclude=query.history).items
    return np.mean([alike(int(user), int(job), **rule) for user, row in zip(users, best, strict=True) for job in row])


def test_four_corners(town):
    """Known and new people, jobs with and without applications: all are scored, and the planted rule is found."""
    data, model = town
    for users in (np.arange(24), COLD):
        query = data.query(users.astype(np.int32))
        nothing = CSR(query.history.shape, dtype=np.float32)
        stranger = replace(query, users=np.full(len(users), -1, np.int32), history=nothing, times=None)
        for asked in (query, stranger):
            assert hits(model, asked, users) > 0.9
            never = model.score(asked, NEVER.astype(np.int32))
            assert np.isfinite(never).any(axis=1).all()
            own = [never[row, [alike(int(user), int(job)) for job in NEVER]] for row, user in enumerate(users)]
            assert np.mean(np.concatenate(own) > np.nanmedian(never, axis=1)) > 0.9


def test_what_was_applied_to_and_what_no_source_names_is_not_scored(town):
    data, model = town
    query = data.query(np.arange(10, dtype=np.int32))
    scores = model.score(query)
    assert np.isnan(scores[query.history.nonzero()]).all()
    named = np.isfinite(scores).sum(axis=1)
    assert (named >= 15).all()
    assert (named <= 45).all(), "three sources name fifteen each"


def test_asked_among_few_jobs_the_best_of_those_are_named(town):
    """The candidates are the best open jobs; a job's own score does not depend on what else is open."""
    data, model = town
    query, some = data.query(np.arange(30, dtype=np.int32)), np.arange(0, 96, 7, dtype=np.int32)
    few, whole = model.score(query, some), model.score(query)[:, some]
    seen = query.history[:, some].toarray() > 0
    np.testing.assert_array_equal(np.isnan(few), seen)
    both = np.isfinite(few) & np.isfinite(whole)
    np.testing.assert_allclose(few[both], whole[both], rtol=1e-4, atol=1e-5)


def test_candidates_features_decide():
    """Every source names the whole catalogue, so only what is learned can put the own trade and place first."""
    data, model = fitted(market(), each=96, sources=("popularity", "profile"), source_settings=QUICK["source_settings"])
    _, blind = fitted(market(), each=96, sources=("popularity",), source_settings={},
                      without=tuple(group for group in GROUPS if group != "popularity"))  # fmt: skip
    users = np.arange(36)
    query = data.query(users.astype(np.int32))
    assert hits(model, query, users) > 0.9
    assert hits(blind, query, users) < 0.4
    assert {name.split(": ")[0] for name in blind.names_} <= {"popularity", "factors"}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_that_is_left_out_is_left_out(town, group):
    """Exactly its features go. Names are compared without training: a lesson-less fit sees the same columns."""
    data, model = town
    query = data.query(np.arange(3, dtype=np.int32))
    less = Ranker(RankerConfig(**QUICK, without=(group,)))
    open_ = np.arange(96, dtype=np.int32)
    found, *_ = less._described(model.sources_, model.evidence_, query, np.zeros(3), open_)
    everything = [name for name in model.names_ if not name.startswith(f"{group}: ")]
    assert list(found) == everything
    assert len(everything) < len(model.names_) or group == "factors", "no source of the test is a factor model"


def test_every_source_and_feature_has_a_group(town):
    assert set(GROUP_OF_SOURCE.values()) <= set(GROUPS)
    assert {name.split(": ")[0] for name in town[1].names_} <= set(GROUPS)
    assert set(RankerConfig().sources) == set(GROUP_OF_SOURCE)


def test_every_feature_is_explained(town):
    """docs/reference/ranker.md writes F for a column and NAME for a source."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "ranker.md").read_text(encoding="utf-8")
    shown = set()
    for name in town[1].names_:
        group, rest = name.split(": ")
        source = rest.split(" ")[0]
        if source in GROUP_OF_SOURCE:
            shown.add(f"`NAME{rest.removeprefix(source)}`")
        elif group in {"place", "attributes"}:
            rest = re.sub(r"^\w+ of the (past|last|profile)$", r"F of the \1", rest)
            rest = re.sub(r"(the same|lift of) \w+$", r"\1 F", rest)
            shown.add(f"`{group}: {rest}`")
        else:
            shown.add(f"`{re.sub('.*within (?=[0-9])', '', name)}`")  # a span stands alone
    assert not {name for name in shown if name not in page}


@pytest.mark.parametrize("missing", ["texts", "places", "times", "attributes"])
def test_what_is_missing_is_done_without(missing):
    rule = {missing: False} if missing in {"texts", "places"} else {}
    data, model = fitted(market(people=72, **{missing: False}))
    query = data.query(np.arange(24, dtype=np.int32))
    assert hits(model, query, np.arange(24), k=2, **rule) > 0.8


def test_people_without_any_features_are_ranked_by_their_history():
    tables = market()
    bare = tables.replace(people=tables.people.select("id", "window", pl.lit(None, pl.String).alias("text")))
    data, model = fitted(bare)
    assert hits(model, data.query(np.arange(36, dtype=np.int32)), np.arange(36), k=2) > 0.8
    assert np.isfinite(model.score(data.query(COLD.astype(np.int32)))).any(axis=1).all()


def test_it_learns_from_cuts_in_time_too():
    data, model = fitted(market(), asked=True)
    assert np.isfinite(model.asked_).all()
    assert hits(model, data.query(COLD.astype(np.int32)), COLD, k=2) > 0.8


def test_without_a_single_lesson_everybody_still_gets_candidates():
    tables = market(people=48)
    once = tables.replace(interactions=tables.interactions.unique("person", keep="first", maintain_order=True))
    data, model = fitted(once)
    assert model.trees_ == ""
    assert np.isfinite(model.score(data.query(np.arange(48, dtype=np.int32)))).any(axis=1).all()


def test_the_same_seed_gives_the_same_bytes():
    one, two, other = (fitted(market(people=72), seed=seed)[1] for seed in (1, 1, 2))
    assert bundle.state(one)[1] == bundle.state(two)[1]
    tensors, again = bundle.state(one)[0], bundle.state(two)[0]
    assert {name: array.tobytes() for name, array in tensors.items()} == {k: a.tobytes() for k, a in again.items()}
    assert one.trees_ != other.trees_


def test_two_threads_give_the_same_trees():
    with threadpool_limits(2):
        two = fitted(market(people=72))[1]
    assert two.trees_ == fitted(market(people=72))[1].trees_


def test_a_bundle_answers_alike(town, tmp_path):
    data, model = town
    again = bundle.restore(Ranker(model.config), *bundle.state(model))
    query = data.query(np.arange(0, 120, 9, dtype=np.int32))
    np.testing.assert_array_equal(again.score(query), model.score(query))
    unknown = Query(np.array([-1], np.int32), CSR((1, 96), dtype=np.float32), texts=["I am a nurse"])
    np.testing.assert_array_equal(again.score(unknown), model.score(unknown))
    best = recommend(again, unknown, 5).items[0]
    assert {job % 12 // 3 for job in best.tolist()} == {0}, "words alone find the nurses' jobs"

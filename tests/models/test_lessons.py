"""Earlier cuts: what came after a cut is an answer and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from metier.data import CSR, Dataset, Features, Interactions, Query, Vocabulary
from metier.models.lessons import lessons, moments, newest, without

CUTS = 3


def board(seed=0, *, asked=True, timeless=False):
    """Two windows of people, asked at 100 and at 1000; the last person of each has no application."""
    rng = np.random.default_rng(seed)
    ends = np.repeat([100.0, 1000.0], 12)
    pairs = []
    for person in [*range(11), *range(12, 23)]:
        low, high = (0, 100) if person < 12 else (500, 1000)
        items = rng.choice(30, rng.integers(1, 8), replace=False)
        times = rng.permutation(np.arange(low, high))[: len(items)]  # nobody does two things at once
        pairs += [(person, item, time) for item, time in zip(items, times, strict=True)]
    users, items, times = (np.array(side) for side in zip(*pairs, strict=True))
    people = Features(
        CSR(np.eye(24, dtype=np.float32)), tuple(f"x={u}" for u in range(24)), np.zeros(24, np.int16), ("x",)
    )
    return Dataset(
        Vocabulary("person", [f"p{u}" for u in range(24)]),
        Vocabulary("job", [f"j{i}" for i in range(30)]),
        Interactions(
            users.astype(np.int32),
            items.astype(np.int32),
            np.ones(len(pairs), np.float32),
            np.full(len(pairs), np.nan) if timeless else times.astype(np.float64),
        ),
        people,
        Features.empty(30),
        [f"I am {u}" for u in range(24)],
        [""] * 30,
        asked=ends if asked else None,
    )


def taught(data, cold=0.0, seed=1):
    return list(lessons(data, CUTS, cold, np.random.default_rng(seed)))


def cells(matrix, users):
    """{(user, item)} of a (b, I) CSR."""
    rows, items = matrix.nonzero()
    return {(int(users[row]), int(item)) for row, item in zip(rows, items, strict=True)}


def known(pairs):
    return set(zip(pairs.users.tolist(), pairs.items.tolist(), strict=True))


def test_each_window_is_cut_at_its_own_fractions():
    data = board()
    theirs = [data.interactions.times[data.interactions.users // 12 == window] for window in (0, 1)]
    for number, lesson in enumerate(taught(data)):
        for window, end in enumerate((100.0, 1000.0)):
            first = theirs[window].min()
            cut = first + (end - first) * (number + 2) / 5
            np.testing.assert_allclose(lesson.past.asked[12 * window : 12 * window + 12], cut)
            np.testing.assert_allclose(lesson.now[lesson.query.users // 12 == window], cut)


@pytest.mark.parametrize("seed", range(4))
def test_at_a_common_moment_past_and_answers_are_the_two_sides_of_the_cut(seed):
    data = board(seed)
    pairs = data.interactions
    shown = taught(data)
    assert len(shown) == CUTS
    for lesson in shown:
        before = pairs.times < lesson.past.asked[pairs.users]
        assert known(lesson.past.interactions) == set(
            zip(pairs.users[before].tolist(), pairs.items[before].tolist(), strict=True)
        )
        assert (lesson.past.interactions.times < lesson.past.asked[lesson.past.interactions.users]).all()
        after = known(pairs) - known(lesson.past.interactions)
        assert cells(lesson.answers, lesson.query.users) == after
        assert set(lesson.query.users.tolist()) == {user for user, _ in after}
        assert cells(lesson.query.history, lesson.query.users) <= known(lesson.past.interactions)
        assert (lesson.query.times.data < np.repeat(lesson.now, np.diff(lesson.query.times.indptr))).all()


def test_people_without_a_past_are_asked_too():
    first = taught(board(1))[0]
    new = np.flatnonzero(np.diff(first.query.history.indptr) == 0)
    assert len(new)
    assert (first.query.users[new] >= 0).all()
    assert (np.diff(first.answers.indptr)[new] > 0).all()


@pytest.mark.parametrize("asked", [True, False])
def test_a_planted_future_stays_in_the_future(asked):
    """An application on the last day is an answer of every lesson that can have it and in nobody's past before it; one
    on the first day is a past everywhere."""
    data = board(asked=asked)
    pairs, person = data.interactions, 3
    others = pairs.users != person
    planted = Interactions(
        np.append(pairs.users[others], [person, person]).astype(np.int32),
        np.append(pairs.items[others], [0, 29]).astype(np.int32),
        np.ones(others.sum() + 2, np.float32),
        np.append(pairs.times[others], [0.0, 99.5]),
    )
    answered = 0
    for lesson in taught(replace(data, interactions=planted)):
        assert (person, 0) in known(lesson.past.interactions)
        for row in np.flatnonzero(lesson.query.users == person):
            assert lesson.query.history[[row]].indices.tolist() == [0]
            assert lesson.query.times[[row]].data.tolist() == [0.0]
            assert lesson.answers[[row]].indices.tolist() == [29]
            assert (person, 29) not in known(lesson.past.interactions)
            answered += 1
    assert answered == (CUTS if asked else 1)


@pytest.mark.parametrize("seed", range(4))
def test_one_by_one_each_answer_is_held_out_and_what_came_before_is_asked_with(seed):
    data = board(seed, asked=False)
    when = {(u, i): t for u, i, t in zip(*(getattr(data.interactions, n).tolist() for n in ("users", "items", "times")),
                                        strict=True)}  # fmt: skip
    answered = []
    for lesson in taught(data):
        users = lesson.query.users
        held = cells(lesson.answers, users)
        assert (np.diff(lesson.answers.indptr) == 1).all()
        first = {user: when[user, item] for user, item in held}
        later = {(u, i) for (u, i), t in when.items() if t > first.get(u, np.inf)}
        assert known(lesson.past.interactions) == set(when) - held - later
        for row, user in enumerate(users.tolist()):
            target = int(lesson.answers[[row]].indices[0])
            history = lesson.query.history[[row]].indices.tolist()
            earlier = {i for (u, i), t in when.items() if u == user and t < when[user, target]}
            assert set(history) == earlier
            np.testing.assert_array_equal(lesson.query.times[[row]].data, [when[user, i] for i in history])
            assert not lesson.now[row] > when[user, target] or not history
        answered += sorted(held)
    expected = []
    for user in range(24):
        mine = sorted((i for u, i in when if u == user), key=lambda i: when[user, i])
        expected += [(user, i) for i in mine[1:][-CUTS:]]
    assert len(set(answered)) == len(answered), "each once"
    assert set(answered) <= set(expected), "the last interactions but nobody's only one"
    assert {user for user, _ in answered} == {user for user, _ in expected}


def test_without_times_any_interaction_may_be_the_last():
    data = board(asked=False, timeless=True)
    first, other = (
        {pair for lesson in taught(data, seed=seed) for pair in cells(lesson.answers, lesson.query.users)}
        for seed in (1, 2)
    )
    assert first != other
    for lesson in taught(data):
        assert known(lesson.past.interactions) == known(data.interactions) - cells(lesson.answers, lesson.query.users)
        assert np.isnan(lesson.now).all()


@pytest.mark.parametrize("cold", [0.0, 0.5, 1.0])
def test_a_share_is_asked_as_if_new(cold):
    """No row number and no history, but words and attributes; the moment stays the person's own."""
    data = board(asked=False)
    asked = new = 0
    for warm, lesson in zip(taught(data), taught(data, cold), strict=True):
        query = lesson.query
        unknown = query.users < 0
        assert (np.diff(query.history.indptr)[unknown] == 0).all()
        assert (np.diff(query.times.indptr)[unknown] == 0).all()
        assert list(query.texts) == [f"I am {u}" for u in warm.query.users]
        np.testing.assert_array_equal(query.features.toarray(), warm.query.features.toarray())
        np.testing.assert_array_equal(lesson.now, warm.now)
        np.testing.assert_array_equal(query.users[~unknown], warm.query.users[~unknown])
        asked, new = asked + len(query), new + int(unknown.sum())
    assert abs(new / asked - cold) <= (0.2 if cold == 0.5 else 0)


def test_a_job_that_opens_after_the_cut_is_no_answer():
    spans = np.full((30, 2), np.nan)
    spans[:10, 0] = 95.0  # after every cut of the first window, before those of the second
    data = board()
    for open_, lesson in zip(taught(data), taught(replace(data, spans=spans)), strict=True):
        expected = {(u, i) for u, i in cells(open_.answers, open_.query.users) if not (u < 12 and i < 10)}
        assert expected < cells(open_.answers, open_.query.users), "the world must have such an answer"
        assert cells(lesson.answers, lesson.query.users) == expected
        assert lesson.answers.shape == open_.answers.shape


def test_moments_fall_back_from_cut_off_to_history_to_newest():
    history = CSR(np.array([[1, 1], [1, 1], [1, 0], [0, 0]], np.float32))
    times = CSR(([5.0, 7.0, 5.0, np.nan, np.nan], history.indices, history.indptr), shape=(4, 2))
    query = Query(np.array([0, 1, -1, -1], np.int32), history, times=times)
    asked = np.array([9.0, np.nan])
    np.testing.assert_array_equal(moments(query, asked, 20.0), [9, 5, 20, 20])
    np.testing.assert_array_equal(moments(query, None, 20.0), [7, 5, 20, 20])
    np.testing.assert_array_equal(moments(replace(query, times=None), None, np.nan), [np.nan] * 4)


def test_the_newest_moment_is_a_cut_off_or_an_interaction():
    data = board()
    assert newest(data) == 1000
    assert newest(replace(data, asked=None)) == data.interactions.times.max()
    assert np.isnan(newest(board(asked=False, timeless=True)))


def test_entries_are_dropped_from_history_and_times_alike():
    query = board().query(np.array([0, 3], np.int32))
    drop = np.zeros(query.history.nnz, np.bool_)
    drop[0] = True
    shorter = without(query, drop)
    assert shorter.history.nnz == query.history.nnz - 1
    np.testing.assert_array_equal(shorter.history.indices, query.history.indices[1:])
    np.testing.assert_array_equal(shorter.times.data, query.times.data[1:])
    np.testing.assert_array_equal(np.diff(shorter.history.indptr), np.diff(query.history.indptr) - [1, 0])

"""Earlier cut-offs inside the data: the questions, with known answers, that a ranker learns from.

A lesson is a past, people who are asked "what next?" in it, and what they did next. The sources of a ranker are fitted
on that past alone, so their scores are as honest on the answers as they will be on the day the ranker is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metier.data import CSR, Dataset, Interactions, Nums, Query
from metier.data.types import Times


@dataclass(frozen=True)
class Lesson:
    """One earlier cut.

    Parameters
    ----------
    past : what was known then.
    query : the b people who are asked.
    now : (b,) seconds, the moment each is asked at; NaN where no time is known.
    answers : (b, I) CSR, the applications that followed.
    """

    past: Dataset
    query: Query
    now: Times
    answers: CSR


def lessons(data: Dataset, cuts: int, cold: float, rng: np.random.Generator) -> Iterator[Lesson]:
    """`cuts` lessons from the data.

    Where people are asked at a common moment (`data.asked`), the period before it is cut at even fractions and the
    answers are all that followed, by people with and without a past alike. Where each person is asked right after
    their last interaction, each of everybody's last `cuts` interactions falls to one lesson; a lesson asks each person
    for the first of theirs, with what came before, and what the person did since is in no past of that lesson. A share
    `cold` of the people is then asked as if they were new, by profile alone.
    """
    if data.asked is not None and np.isfinite(data.asked).any():
        yield from _by_time(data, data.asked, cuts)
    else:
        yield from _one_by_one(data, cuts, cold, rng)


def moments(query: Query, asked: Times | None, newest: float) -> Times:
    """(b,) seconds: `asked` of known users, else their latest interaction, else `newest`."""
    now = np.full(len(query), np.nan)
    if asked is not None:
        now = np.where(query.users >= 0, asked[np.maximum(query.users, 0)], now)
    if query.times is not None:
        row = np.repeat(np.arange(len(query)), np.diff(query.times.indptr))
        latest = np.full(len(query), -np.inf)
        np.fmax.at(latest, row, query.times.data)
        now = np.where(np.isnan(now) & np.isfinite(latest), latest, now)
    return np.where(np.isnan(now), newest, now)


def newest(data: Dataset) -> float:
    """The latest known moment: of a cut-off, else of an interaction; NaN without any."""
    known = np.concatenate([data.interactions.times, [] if data.asked is None else data.asked])
    return float(np.nanmax(known)) if np.isfinite(known).any() else float("nan")


def _by_time(data: Dataset, asked: Times, cuts: int) -> Iterator[Lesson]:
    pairs = data.interactions
    first: dict[float, float] = {}  # asked -> first interaction of those asked then
    for moment in np.unique(asked[np.isfinite(asked)]):
        theirs = pairs.times[asked[pairs.users] == moment]
        first[float(moment)] = float(np.nanmin(theirs)) if np.isfinite(theirs).any() else float(moment)
    begin = np.array([first.get(float(moment), np.nan) for moment in asked])
    for number in range(cuts):
        cut = begin + (asked - begin) * (number + 2) / (cuts + 2)  # (U,) 2/5, 3/5, 4/5 for three
        later = pairs.times >= cut[pairs.users]
        past = replace(data, interactions=_some(pairs, ~later), asked=cut)
        users = np.unique(pairs.users[later]).astype(np.int32)
        if not len(users):
            continue
        answers = _live(CSR(_some(pairs, later).matrix(data.shape)[users]), data.spans, cut[users])
        yield Lesson(past, past.query(users), cut[users], answers)


def _live(answers: CSR, spans: Times | None, now: Times) -> CSR:
    """`answers` without the items that had not opened yet."""
    if spans is None:
        return answers
    row = np.repeat(np.arange(len(now)), np.diff(answers.indptr))
    open_ = ~(spans[answers.indices, 0] > now[row])
    pointers = np.concatenate([[0], np.cumsum(open_)])[answers.indptr]
    return CSR((answers.data[open_], answers.indices[open_], pointers), shape=answers.shape)


def _one_by_one(data: Dataset, cuts: int, cold: float, rng: np.random.Generator) -> Iterator[Lesson]:
    pairs = data.interactions
    tie = rng.random(len(pairs))  # without times any interaction may be the last
    order = np.lexsort((tie, np.nan_to_num(pairs.times, nan=-np.inf), pairs.users))
    start = np.searchsorted(pairs.users[order], np.arange(len(data.users) + 1))
    owner = pairs.users[order]
    from_start, from_end = np.arange(len(order)) - start[owner], start[owner + 1] - 1 - np.arange(len(order))
    eligible = order[(from_start >= 1) & (from_end < cuts)]
    part = rng.integers(0, cuts, len(eligible))
    for number in range(cuts):
        mine = eligible[part == number]  # by person and time
        held = np.sort(mine[np.append(True, np.diff(pairs.users[mine]) > 0)[: len(mine)]])
        if not len(held):
            continue
        since = np.full(len(data.users), np.inf)
        since[pairs.users[held]] = np.nan_to_num(pairs.times[held], nan=np.inf)
        kept = ~(pairs.times > since[pairs.users])  # without times nothing is later
        kept[held] = False
        past = replace(data, interactions=_some(pairs, kept))
        users, items = pairs.users[held], pairs.items[held]
        answers = CSR(
            (np.ones(len(held), np.float32), (np.arange(len(held)), items)), shape=(len(held), len(data.items))
        )
        query = past.query(users)
        now = moments(query, None, newest(past))
        yield Lesson(past, _forget(query, rng.random(len(held)) < cold), now, answers)


def _forget(query: Query, who: NDArray[np.bool_]) -> Query:
    """Some people as if they were new: no row number, no history."""
    row = np.repeat(np.arange(len(query)), np.diff(query.history.indptr))
    return replace(without(query, who[row]), users=np.where(who, np.int32(-1), query.users))


def without(query: Query, dropped: NDArray[np.bool_]) -> Query:
    """The query without the entries of its history where `dropped` (nnz,)."""
    history, kept = query.history, ~dropped
    pointers = np.concatenate([[0], np.cumsum(kept)])[history.indptr]
    shorter, times = (
        None if one is None else CSR((one.data[kept], history.indices[kept], pointers), shape=history.shape)
        for one in (history, query.times)
    )
    return replace(query, history=shorter, times=times)


def _some(pairs: Interactions, kept: Nums | NDArray[np.bool_]) -> Interactions:
    return Interactions(pairs.users[kept], pairs.items[kept], pairs.weights[kept], pairs.times[kept])

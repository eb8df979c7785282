"""Who applies to what, when: sessions in bursts, and in each a choice among live postings by utility.

P(job | person, session) is proportional to exp(U / noise), where, up to a constant,

    U = occupation match(sought, job) + state [same] - distance ln(1 + km / 25)        by occupation and city
      + popularity z(job)                                                             by job
      - skills (1 - share of asked skills that the person has) - seniority |level gap|  by person and job

over the jobs live at that moment that the person has not applied to. This is sampled exactly and without a people x
jobs matrix: draw occupation, then city, then job from the first two lines, and accept with the exp of the third. The
few applications that find nothing so, because their corner of the market is thin, weigh every posting.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.sources.market.draws import RowDraws
from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.sessions import Wishes
from metier.sources.market.world import Floats64, World

ROUNDS, POSTINGS_PER_ROUND = 50, 150
"""Proposals for each application before all postings are weighed for it; the more postings, the longer that takes, so
one more for each 150 of them."""


@dataclass(frozen=True)
class Tastes:
    """The factors of exp(U / noise) that depend on occupation and place only.

    match : (O, O) by sought occupation and that of the job; near : (C, C) by city of search and that of the job.
    """

    world: World
    knobs: MarketKnobs

    @cached_property
    def match(self) -> Floats64:
        same = np.eye(len(self.world.occupations))
        return np.asarray(
            np.exp(self.knobs.occupation * np.maximum(same, 0.5 * self.world.same_family) / self.knobs.noise)
        )

    @cached_property
    def near(self) -> Floats64:
        lost = self.knobs.distance * np.log1p(self.world.km / 25) - self.knobs.state * self.world.same_state
        return np.exp(-lost / self.knobs.noise)

    def attraction(self, jobs: pl.DataFrame) -> Floats64:
        """(n,) the factor of each posting's popularity."""
        return np.exp(self.knobs.popularity * jobs["popularity"].to_numpy().astype(np.float64) / self.knobs.noise)

    def mass(self, jobs: pl.DataFrame) -> Floats64:
        """(O, C) attraction of the postings of each occupation in each city."""
        mass = np.zeros((len(self.world.occupations), len(self.world.city)))
        np.add.at(mass, (jobs["occupation"].to_numpy(), jobs["city"].to_numpy()), self.attraction(jobs))
        return mass

    def fit(self, overlap: NDArray[Any], gap: NDArray[Any]) -> NDArray[Any]:
        """exp of the person-and-job part, at most 1, from the share of skills and the difference of levels."""
        lost = self.knobs.skills * (1 - overlap) + self.knobs.seniority * np.abs(gap)
        return np.asarray(np.exp(-lost / self.knobs.noise))


def choose(
    tastes: Tastes,
    wishes: Wishes,
    people: pl.DataFrame,
    jobs: pl.DataFrame,
    lives: tuple[Floats64, Floats64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """(n,) the posting of each wish, -1 where nothing live is left.

    Parameters
    ----------
    people, jobs : the truth of one window.
    lives : (J,), (J,) seconds since the start of the window when each posting starts and ends.
    """
    proposals, liking = _Proposals(tastes, jobs), Liking(tastes, people, jobs)
    chosen = np.full(len(wishes.person), -1, dtype=np.int64)
    taken = np.empty(0, dtype=np.int64)
    open_ = np.arange(len(chosen))
    for _ in range(ROUNDS + len(jobs) // POSTINGS_PER_ROUND):
        person, at = wishes.person[open_], wishes.seconds[open_]
        job = proposals.draw(wishes.occupation[open_], wishes.city[open_], rng)
        accepted = rng.random(len(open_)) < liking.of(person, job)
        pair = person * len(jobs) + job
        keep = np.flatnonzero(accepted & (lives[0][job] <= at) & (at <= lives[1][job]))
        keep = keep[np.unique(pair[keep], return_index=True)[1]]  # of one person's equal choices, the first
        place = np.searchsorted(taken, pair[keep])  # `taken` is sorted
        is_new = np.append(taken, -1)[place] != pair[keep]
        keep = keep[is_new]
        chosen[open_[keep]] = job[keep]
        taken = np.insert(taken, place[is_new], pair[keep])
        open_ = np.delete(open_, keep)
    return _weigh_all(tastes, wishes, liking, jobs, lives, chosen, rng)


def _weigh_all(
    tastes: Tastes,
    wishes: Wishes,
    liking: "Liking",
    jobs: pl.DataFrame,
    lives: tuple[Floats64, Floats64],
    chosen: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """`chosen` with the open wishes filled, session by session, from the weights of all postings.

    A draw of several postings without replacement is an exponential race: the fastest of weight / Exp(1). A posting's
    liking is at most 1, so it is worked out only for those that could still win.
    """
    filled = chosen.copy()
    attraction = tastes.attraction(jobs)
    cell = jobs["occupation"].to_numpy().astype(np.int64) * len(tastes.near) + jobs["city"].to_numpy()
    open_ = np.flatnonzero(chosen < 0)
    sessions = np.split(open_, np.flatnonzero(np.diff(wishes.session[open_])) + 1) if len(open_) else []
    for group in sessions:
        one, last = group[0], group[-1]
        weight = (
            np.outer(tastes.match[wishes.occupation[one]], tastes.near[wishes.city[one]]).ravel()[cell] * attraction
        )
        weight *= (lives[0] <= wishes.seconds[one]) & (wishes.seconds[last] <= lives[1])
        low, high = np.searchsorted(wishes.person, [wishes.person[one], wishes.person[one] + 1])
        already = filled[low:high]
        weight[already[already >= 0]] = 0
        bound = weight / rng.standard_exponential(len(jobs))
        size = 4 * len(group) + 128
        while True:
            size = min(size, len(jobs))
            front = np.argpartition(-bound, size - 1)[:size]
            speed = bound[front] * liking.of(wishes.person[one, None], front)
            order = np.argsort(-speed)
            n = min(len(group), np.count_nonzero(speed))
            if size == len(jobs) or speed[order[len(group) - 1]] >= bound[front].min():
                break
            size *= 4
        filled[group[:n]] = front[order[:n]]
    return filled


class Liking:
    """The person-and-job factor of the utility."""

    def __init__(self, tastes: Tastes, people: pl.DataFrame, jobs: pl.DataFrame) -> None:
        self.tastes = tastes
        self.able, self.asked = people["skills"].to_numpy(), jobs["skills"].to_numpy()
        self.n_asked = np.maximum(np.bitwise_count(self.asked).sum(1), 1)
        self.level, self.job_level = people["seniority"].to_numpy(), jobs["seniority"].to_numpy()

    def of(self, person: NDArray[np.int64], job: NDArray[np.int64]) -> Floats64:
        """The factor of pairs of row numbers, broadcast against each other; at most 1."""
        overlap = np.bitwise_count(self.able[person] & self.asked[job]).sum(-1) / self.n_asked[job]
        return self.tastes.fit(overlap, self.level[person] - self.job_level[job])


class _Proposals:
    """Draws postings with probability proportional to match x near x attraction: occupation, city, then posting."""

    def __init__(self, tastes: Tastes, jobs: pl.DataFrame) -> None:
        mass = tastes.mass(jobs)  # (O, C) by the job's occupation and city
        self.cities = mass.shape[1]
        by_search = mass @ tastes.near.T  # (O, C): occupation of the job, city of search
        self.occupation = RowDraws((tastes.match[:, None, :] * by_search.T).reshape(-1, len(mass)))  # (O C, O)
        self.city = RowDraws((mass[:, None, :] * tastes.near).reshape(-1, self.cities))  # (O C, C)
        cell = jobs["occupation"].to_numpy().astype(np.int64) * self.cities + jobs["city"].to_numpy()
        self.order = np.argsort(cell, kind="stable")
        self.line = np.cumsum(tastes.attraction(jobs)[self.order])
        edges = np.searchsorted(cell[self.order], np.arange(mass.size + 1))
        self.edges = np.concatenate([[0.0], self.line])[edges]

    def draw(self, sought: NDArray[Any], around: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) postings for searches by occupation and city."""
        occupation = self.occupation.draw(sought * self.cities + around, rng)
        city = self.city.draw(occupation * self.cities + around, rng)
        cell = occupation * self.cities + city
        at = self.edges[cell] + rng.random(len(cell)) * (self.edges[cell + 1] - self.edges[cell])
        found = np.searchsorted(self.line, at, side="right")
        return np.asarray(self.order[np.minimum(found, len(self.line) - 1)])

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
from metier.sources.market.people import seek
from metier.sources.market.world import Floats64, World

ROUNDS = 100
"""Proposals for each application before all postings are weighed for it."""
CHUNK = 64
"""Applications weighed against all postings at a time."""
GAP_SECONDS, GAP_SPREAD = 45.0, 1.6
"""Median and log-spread of the pauses inside a session; with `new_session` the median of all gaps is the published
89 seconds."""
HOURS = np.array([3, 2, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 9, 8, 8, 7, 6, 6, 6, 6, 5, 4], dtype=np.float64)
"""Sessions by hour of the day (assumption, after the shape of the public sample)."""


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


@dataclass(frozen=True)
class Wishes:
    """n applications that people set out to make, by person and time: what each session looks for and when."""

    person: NDArray[np.int64]
    occupation: NDArray[np.int64]
    city: NDArray[np.int64]
    seconds: Floats64
    """Since the start of the window."""


def plan(world: World, knobs: MarketKnobs, people: pl.DataFrame, days: int, rng: np.random.Generator) -> Wishes:
    """Split each person's applications into sessions, with a time, an occupation and a city each."""
    counts = people["applications"].to_numpy()
    person = np.repeat(np.arange(len(people)), counts)
    opens = rng.random(len(person)) < knobs.new_session
    opens[(np.cumsum(counts) - counts)[counts > 0]] = True
    session = np.cumsum(opens) - 1
    owner = person[opens]
    begins = rng.integers(0, days, len(owner)) * 86400.0
    begins += rng.choice(24, len(owner), p=HOURS / HOURS.sum()) * 3600.0
    begins += rng.uniform(0, 3600, len(owner))
    begins = begins[np.lexsort((begins, owner))]
    pause = np.minimum(GAP_SECONDS * np.exp(GAP_SPREAD * rng.normal(size=len(person))), 1800.0)
    total = np.cumsum(np.where(opens, 0.0, pause))
    seconds = np.minimum(begins[session] + total - total[opens][session], days * 86400.0 - 1)
    sought = people["occupation"].to_numpy().astype(np.int64)[owner]
    sought = seek(world, sought, rng.random(len(owner)) < knobs.detour, rng)
    away = rng.choice(len(world.city), len(owner), p=world.city_share)
    around = np.where(rng.random(len(owner)) < knobs.travel, away, people["city"].to_numpy()[owner])
    return Wishes(person, sought[session], around[session], seconds)


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
    proposals = _Proposals(tastes, jobs)
    liking = Liking(tastes, people, jobs)
    chosen = np.full(len(wishes.person), -1, dtype=np.int64)
    taken = np.empty(0, dtype=np.int64)
    open_ = np.arange(len(chosen))
    for _ in range(ROUNDS):
        person, at = wishes.person[open_], wishes.seconds[open_]
        job = proposals.draw(wishes.occupation[open_], wishes.city[open_], rng)
        accepted = rng.random(len(open_)) < liking.of(person, job)
        pair = person * len(jobs) + job
        keep = np.flatnonzero(accepted & (lives[0][job] <= at) & (at <= lives[1][job]) & ~np.isin(pair, taken))
        keep = keep[np.unique(pair[keep], return_index=True)[1]]  # of one person's equal choices, the first
        chosen[open_[keep]] = job[keep]
        taken = np.concatenate([taken, pair[keep]])
        open_ = np.delete(open_, keep)
    while len(open_):
        turn = np.unique(wishes.person[open_], return_index=True)[1]  # one of each person: the next excludes it
        for part in np.array_split(open_[turn], range(CHUNK, len(turn), CHUNK)):
            chosen[part] = _weigh_all(tastes, wishes, liking, jobs, lives, chosen, part, rng)
        open_ = np.delete(open_, turn)
    return chosen


def _weigh_all(
    tastes: Tastes,
    wishes: Wishes,
    liking: "Liking",
    jobs: pl.DataFrame,
    lives: tuple[Floats64, Floats64],
    chosen: NDArray[np.int64],
    part: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """(c,) the postings of the wishes `part`, of different people, drawn with probability proportional to weight.

    The draw is an exponential race: of independent Exp(1) / weight the smallest wins.
    """
    everything = np.arange(len(jobs))
    at = wishes.seconds[part, None]
    weight = tastes.match[wishes.occupation[part]][:, jobs["occupation"].to_numpy()]  # (c, J)
    weight *= tastes.near[wishes.city[part]][:, jobs["city"].to_numpy()] * tastes.attraction(jobs)
    weight *= liking.of(wishes.person[part, None], everything) * ((lives[0] <= at) & (at <= lives[1]))
    first, end = (np.searchsorted(wishes.person, wishes.person[part], side=side) for side in ("left", "right"))
    for row, (low, high) in enumerate(zip(first, end, strict=True)):
        already = chosen[low:high]
        weight[row, already[already >= 0]] = 0
    race = weight / rng.standard_exponential(weight.shape)
    best = race.argmax(1)
    return np.asarray(np.where(race[np.arange(len(part)), best] > 0, best, -1))


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

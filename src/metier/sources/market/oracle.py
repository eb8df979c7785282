"""The ceiling on a synthetic market: a recommender that knows what the generator knows."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from metier.data import CSR, Dataset, Floats, Nums, Query, Vocabulary
from metier.errors import NotFittedError
from metier.models.base import ModelConfig
from metier.sources.market.applications import Liking, Tastes
from metier.sources.market.generate import world_of
from metier.sources.market.people import stray_table
from metier.sources.market.truth import Truth, load_truth

CHUNK = 32
"""People scored at a time: bounds memory at CHUNK x (O C + I) floats."""


class OracleConfig(ModelConfig):
    """Nothing to set: the market's knobs are part of the truth."""


class Oracle:
    """Ranks postings by the probability that the person's next application goes there.

    log P(job | person) = log sum over (occupation, city) searched for of P(search | person) exp(U) / Z(search, person),
    U as in `metier.sources.market.applications` with the true latents, Z its sum over the postings of the person's
    window that `fit` saw. What it cannot know is what nobody can: the draw of each session and of the noise. It does
    not look at the history, which tells nothing about a session that is still to begin. A session under way at the
    cut-off is another matter: its first applications betray what it looks for, and there the oracle is below the
    ceiling (at 4,000 people about one later application in a thousand). People and jobs that are not of the market,
    and pairs of different windows, get NaN.
    """

    scores_new_users: ClassVar[bool] = False
    scores_new_items: ClassVar[bool] = True
    config: OracleConfig

    def __init__(self, truth: Truth) -> None:
        self.config = OracleConfig()
        self._truth = truth
        self._world = world_of(truth.knobs)
        self._tastes = Tastes(self._world, truth.knobs)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """From the folder written by `metier.sources.market.save_truth`; DataRejectedError where it is unfit."""
        return cls(load_truth(folder))

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Keep which rows of the truth the people and jobs of `data` are; `rng` is not used."""
        truth = self._truth
        self.person_ = Vocabulary("person", truth.people["id"].to_list()).numbers(data.users.ids, missing="negative")
        self.job_ = Vocabulary("job", truth.jobs["id"].to_list()).numbers(data.items.ids, missing="negative")
        known = np.flatnonzero(self.job_ >= 0)
        self._jobs = truth.jobs[self.job_[known]]
        self._columns = known
        cell = (
            self._jobs["occupation"].to_numpy().astype(np.int64) * len(self._world.city) + self._jobs["city"].to_numpy()
        )
        cells = len(self._world.occupations) * len(self._world.city)
        self._cell = cell
        self._in_cell = CSR((np.ones(len(cell)), (np.arange(len(cell)), cell)), shape=(len(cell), cells))
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) log-probabilities of the next application."""
        if not hasattr(self, "job_"):
            raise NotFittedError("the oracle has not seen the dataset's ids; cure: call fit first")
        scores = np.full((len(query), len(self.job_)), np.nan, dtype=np.float32)
        rows = np.where(query.users >= 0, self.person_[query.users], -1)
        known = np.flatnonzero(rows >= 0)
        for start in range(0, len(known), CHUNK):
            chunk = known[start : start + CHUNK]
            scores[np.ix_(chunk, self._columns)] = self._log_chance(rows[chunk])
        return scores if items is None else scores[:, items]

    def _log_chance(self, rows: Nums) -> Floats:
        """(c, j) of people given by row of the truth and the j known jobs; NaN in other windows."""
        world, tastes, knobs, jobs = self._world, self._tastes, self._truth.knobs, self._jobs
        people = self._truth.people[rows]
        liking = Liking(tastes, people, jobs).of(np.arange(len(rows))[:, None], np.arange(len(jobs)))  # (c, j)
        liking *= tastes.attraction(jobs)
        liking[people["window"].to_numpy()[:, None] != jobs["window"].to_numpy()] = 0
        shape = (len(rows), len(world.occupations), len(world.city))
        mass = np.asarray(liking @ self._in_cell).reshape(shape)  # (c, O, C) by occupation and city of the job
        total = tastes.match @ mass @ tastes.near.T  # (c, O, C) by occupation and city of the search
        occupation = np.eye(shape[1]) * (1 - knobs.detour) + stray_table(world) * knobs.detour
        city = np.eye(shape[2]) * (1 - knobs.travel) + world.city_share * knobs.travel
        search = occupation[people["occupation"].to_numpy()][:, :, None] * city[people["city"].to_numpy()][:, None, :]
        share = np.divide(search, total, out=np.zeros(shape), where=total > 0)
        by_cell = tastes.match.T @ share @ tastes.near  # (c, O, C) by occupation and city of the job
        chance = by_cell.reshape(len(rows), -1)[:, self._cell] * liking
        scores = np.log(chance, out=np.full(chance.shape, np.nan), where=chance > 0)
        return np.asarray(scores, dtype=np.float32)

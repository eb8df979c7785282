"""A model that can answer: who is asking, which jobs are open to them, and the best of those."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from metier.bundle.state import Facts
from metier.data import CSR, Dataset, Interactions, Nums, Query, Ranking
from metier.features.encoder import Encoder
from metier.models.base import Recommender, recommend, take
from metier.models.profile import Profile


@dataclass(frozen=True)
class ProfilePart:
    """What of a bundle people without a history are answered from: its `profile` and the jobs.

    Parameters
    ----------
    folder, name : where it lies, and the name of its model in the registry.
    digest : SHA-256 of its manifest, 64 hex digits.
    people_table : (U) rows of id, window and place.
    job_table : (I) rows of id, window, title, place, dates, text and the attributes of an offer.
    """

    folder: Path
    name: str
    digest: str
    profile: Profile
    people: Encoder
    jobs: Encoder
    people_table: pl.DataFrame
    job_table: pl.DataFrame
    interactions: Interactions


@dataclass(frozen=True)
class Bundle:
    """A trained model with the data it answers from.

    Parameters
    ----------
    name : the model's name in the registry.
    dataset, people, jobs : the data it was trained on and the encoders of their features.
    people_table : (U) rows of id, window, text.
    job_table : (I) rows of id, window, title, city, state, country, start, end, text.
    about : where it came from (dataset, seed).
    """

    name: str
    model: Recommender
    dataset: Dataset
    people: Encoder
    jobs: Encoder
    people_table: pl.DataFrame
    job_table: pl.DataFrame
    about: Facts

    @cached_property
    def windows(self) -> Nums:
        """(U,) the window of each person; -1 where the data has none."""
        return self.people_table["window"].cast(pl.Int32).fill_null(-1).to_numpy()

    def live_jobs(self, window: int) -> Nums:
        """(m,) row numbers of the jobs of a window (-1 = of all) that are open at its newest interaction."""
        jobs, pairs = self.job_table, self.dataset.interactions
        open_ = np.ones(len(jobs), np.bool_)
        times = pairs.times
        if window >= 0:
            open_ &= (jobs["window"].cast(pl.Int32).fill_null(window) == window).to_numpy()
            times = times[self.windows[pairs.users] == window]
        if np.isfinite(times).any():
            now = np.nanmax(times)
            start, end = ((jobs[name].dt.epoch("us") / 1e6).to_numpy() for name in ("start", "end"))
            open_ &= ~(start > now) & ~(end < now)  # a date that is unknown (NaN) hides no job
        return np.flatnonzero(open_).astype(np.int32)

    def newcomer(
        self, text: str, *, city: str | None = None, state: str | None = None, country: str | None = None
    ) -> Query:
        """The question of one person never seen before: users (1,) = -1, no history, a text and perhaps a place."""
        place = pl.DataFrame({"city": [city], "state": [state], "country": [country]}).cast(pl.String)
        history = CSR((1, len(self.dataset.items)), dtype=np.float32)
        return Query(np.full(1, -1, np.int32), history, self.people.encode(place).matrix, [text])

    def recommend(self, query: Query, k: int) -> Ranking:
        """The k best open jobs of each person's own window, none of them seen; newcomers are in the newest window."""
        newest = int(self.windows.max(initial=-1))
        windows = np.where(query.users < 0, newest, self.windows[query.users])
        best = Ranking(np.full((len(query), k), -1, np.int32), np.full((len(query), k), np.nan, np.float32))
        for window in np.unique(windows):
            rows = np.flatnonzero(windows == window).astype(np.int32)
            part = take(query, rows)
            found = recommend(self.model, part, k, candidates=self.live_jobs(int(window)), exclude=part.history)
            best.items[rows], best.scores[rows] = found.items, found.scores
        return best

"""Popularity: what most people applied to."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from metier.data import Dataset, Floats, Query
from metier.models.base import Factored, ModelConfig
from metier.models.search import Search

DAY = 86400.0
"""Seconds."""


class PopularityConfig(ModelConfig):
    """How applications are counted."""

    half_life_days: Annotated[float | None, Search(choices=(None, 1.0, 2.0, 4.0, 7.0, 14.0, 30.0))] = Field(
        default=None, gt=0
    )
    """An application this many days before the newest one counts half; None counts all alike."""


class Popularity(Factored):
    """The jobs most people applied to.

    score(u, i) = sum over the applications to i of 0.5 ^ (age / half-life), the plain number of them by default.

    The same order for everyone, known or new. A job without applications scores 0: that it has none is known.
    """

    config: PopularityConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    popularity_: Floats

    def __init__(self, config: PopularityConfig = PopularityConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Count."""
        self.popularity_ = popularity(data, self.config.half_life_days)
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, 1) ones."""
        return np.ones((len(query), 1), np.float32)

    def item_vectors(self) -> Floats:
        """(I, 1) popularity."""
        return self.popularity_[:, None]


def popularity(data: Dataset, half_life_days: float | None = None) -> Floats:
    """(I,) float32 applications of each job, older ones discounted; those of unknown time count in full."""
    pairs = data.interactions
    weights = None
    if half_life_days is not None and not np.isnan(pairs.times).all():
        age = np.nan_to_num(np.nanmax(pairs.times) - pairs.times)
        weights = 0.5 ** (age / DAY / half_life_days)
    return np.bincount(pairs.items, weights=weights, minlength=len(data.items)).astype(np.float32)

"""Place: the nearest jobs first."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Features, Floats, Nums, Query
from metier.models.base import Grouped, ModelConfig
from metier.models.popularity import popularity
from metier.models.search import Search

LEVELS = ("city", "state", "country")


class PlaceConfig(ModelConfig):
    """How popularity inside a place is counted."""

    half_life_days: Annotated[float | None, Search(choices=(None, 1.0, 2.0, 4.0, 7.0, 14.0, 30.0))] = Field(
        default=None, gt=0
    )
    """An application this many days before the newest one counts half; None counts all alike."""


class Place(Grouped):
    """Jobs of the same city first, then of the same state, then of the same country; popularity inside.

    score(u, i) = number of place levels that u and i share + popularity(i) / (1 + largest popularity).

    Places nest (a city belongs to a state, a state to a country), so sharing the city means sharing every level that
    is known of the person: the whole part orders by nearness, the fraction by popularity inside. A person without a
    place gets popularity.
    """

    config: PlaceConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    popularity_: Floats  # (I,) in [0, 1)
    columns_: Nums  # (f,) user feature column -> row of jobs_, -1 for what is no place
    jobs_: CSR  # (P, I) the jobs of each place

    def __init__(self, config: PlaceConfig = PlaceConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """List the jobs of each place and count their applications."""
        counts = popularity(data, self.config.half_life_days)
        self.popularity_ = counts / (1 + counts.max(initial=0))
        places = data.item_features.select(LEVELS)
        self.jobs_ = CSR(places.matrix.T)
        self.columns_ = _matching(data.user_features, places)
        return self

    def groups(self, query: Query) -> Nums:
        """(b,) people with the same places share a number."""
        known = np.flatnonzero(self.columns_ >= 0)
        if query.features is None or not len(known):
            return np.zeros(len(query), np.int32)
        mine = CSR(query.features[:, known])
        mine.sort_indices()
        row = np.repeat(np.arange(len(query)), np.diff(mine.indptr))
        places = np.full((len(query), int(np.diff(mine.indptr).max(initial=0)) + 1), -1)  # (b, places + 1)
        places[row, np.arange(mine.nnz) - mine.indptr[row]] = mine.indices
        return np.unique(places, axis=0, return_inverse=True)[1].astype(np.int32)

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) float32 in [0, 4)."""
        scores = np.tile(self.popularity_, (len(query), 1))  # (b, I)
        if query.features is not None:
            rows, columns = query.features.nonzero()
            for row, place in zip(rows, self.columns_[columns], strict=True):
                if place >= 0:
                    scores[row, self.jobs_.indices[self.jobs_.indptr[place] : self.jobs_.indptr[place + 1]]] += 1
        return scores if items is None else scores[:, items]


def _matching(people: Features, places: Features) -> Nums:
    """(f,) for each user feature column the number of the equally named place, or -1."""
    number = {name: place for place, name in enumerate(places.names)}
    return np.array([number.get(name, -1) for name in people.names], dtype=np.int32)

"""Random: an order that knows nothing."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from metier.data import Dataset, Floats, Nums, Query
from metier.models.base import Fitted, ModelConfig


class RandomConfig(ModelConfig):
    """Nothing to set."""


class Random(Fitted):
    """Random order, the floor under every other row.

    A uniform score in [0, 1) for each (person, job), fixed by the seed drawn at `fit`. It is a hash of (seed, person,
    job), so it does not depend on the batch. All new people (-1) share one order. The expected MAP@k with one relevant
    job among I is H_k / I, H_k being the harmonic number.
    """

    config: RandomConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    seed_: int
    n_items_: int

    def __init__(self, config: RandomConfig = RandomConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Draw the seed."""
        self.seed_ = int(rng.integers(2**62))
        self.n_items_ = len(data.items)
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) float32 in [0, 1)."""
        columns = np.arange(self.n_items_) if items is None else items
        people = mix(np.uint64(self.seed_) + query.users.astype(np.uint64))  # (b,)
        noise = mix(people[:, None] + columns.astype(np.uint64)[None, :])  # (b, m)
        return (noise >> np.uint64(40)).astype(np.float32) / np.float32(2**24)


def mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64 (Steele, Lea & Flood 2014): equidistributed 64 bits for each counter value."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))

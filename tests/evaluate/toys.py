"""Recommenders whose lists are known."""

from typing import ClassVar, Self

import numpy as np

from metier.data import Dataset, Floats, Nums, Query
from metier.models.base import ModelConfig


class ByJobConfig(ModelConfig):
    sign: float = 1.0
    """-1 turns the order around."""


class ByJob:
    """The same list for everybody: later jobs of the table first."""

    config: ByJobConfig
    note: ClassVar[str] = "A <toy>, for tests."
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    def __init__(self, config: ByJobConfig = ByJobConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        self.order_ = self.config.sign * np.arange(len(data.items), dtype=np.float32)
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        scores = np.tile(self.order_.astype(np.float32), (len(query), 1))
        return scores if items is None else scores[:, items]


class Shuffled(ByJob):
    """A random list, one for all, from the rng it is given."""

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        self.order_ = rng.random(len(data.items)).astype(np.float32)
        return self


class Silent(ByJob):
    """Cannot score anybody."""

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        return np.full_like(super().score(query, items), np.nan)


class Broken(ByJob):
    """Fails while it learns."""

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        raise FloatingPointError("it does not converge")


TOYS = {"by-job": ByJob, "shuffled": Shuffled, "silent": Silent, "broken": Broken}

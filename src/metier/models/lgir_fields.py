"""Factorization machines that also read who a person is to LGIR."""

from dataclasses import replace
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Features, Floats, Nums, Query
from metier.models.afm import AFM
from metier.models.afm_training import AFMConfig
from metier.models.base import Factored, Fitted, ModelConfig
from metier.models.fm import FM, FMConfig
from metier.models.lgir import LGIR, LGIRConfig
from metier.models.search import Search
from metier.models.text_vectors import unit

FIELD = "lgir"
"""The field that people and jobs get."""


class FrozenLGIRConfig(LGIRConfig):
    """The settings of LGIR, by default without ids: a vector that knows a person's applications by heart would give
    away, while the machine learns, the application that it is to predict."""

    ids: bool = False
    """Whether people and jobs have learned vectors of their own."""


class LGIRFMConfig(ModelConfig):
    """The field, and the models on both sides of it."""

    size: Annotated[int, Search(8, 128, log=True)] = Field(default=32, ge=1)
    """Numbers of the field: LGIR's vectors on the main axes of those of the jobs."""
    lgir: FrozenLGIRConfig = FrozenLGIRConfig()
    """Settings of LGIR; without ids unless they say so."""
    machine: FMConfig = FMConfig()
    """Settings of FM."""


class LGIRAFMConfig(ModelConfig):
    """The field, and the models on both sides of it."""

    size: Annotated[int, Search(8, 128, log=True)] = Field(default=32, ge=1)
    """Numbers of the field: LGIR's vectors on the main axes of those of the jobs."""
    lgir: FrozenLGIRConfig = FrozenLGIRConfig()
    """Settings of LGIR; without ids unless they say so."""
    machine: AFMConfig = AFMConfig()
    """Settings of AFM."""


class _WithField(Fitted):
    """LGIR is fitted first, and frozen; then the machine, on data that have its vectors as one more field.

    The vectors under the head, whose inner product is LGIR's score, are turned to the main axes of the jobs' ones
    (Deerwester et al. 1990) and scaled to length 1: `size` numbers beside the other fields.
    """

    config: LGIRFMConfig | LGIRAFMConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    lgir_: LGIR
    axes_: Floats  # (D, size)
    width_: int  # columns of a person's other fields
    machine_: FM | AFM

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Both; MissingExtraError without torch."""
        first, second = rng.spawn(2)
        self.lgir_.fit(data, rng=first)
        jobs = self.lgir_.item_vectors()[:, :-1]
        self.axes_, self.width_ = _main_axes(jobs, self.config.size), len(data.user_features.names)
        everybody = self._vectors(data.query(np.arange(len(data.users), dtype=np.int32)))
        told = replace(
            data,
            user_features=_beside(data.user_features, everybody),
            item_features=_beside(data.item_features, unit(jobs @ self.axes_)),
        )
        self.machine_.fit(told, rng=second)
        return self

    def _vectors(self, query: Query) -> Floats:
        """(b, size)"""
        return unit(self.lgir_.query_vectors(query)[:, :-1] @ self.axes_)

    def _told(self, query: Query) -> Query:
        """`query` with the field."""
        nothing = CSR((len(query), self.width_), dtype=np.float32)
        parts = [nothing if query.features is None else query.features, CSR(self._vectors(query))]
        return replace(query, features=CSR(sparse.hstack(parts)))


class LGIRFM(_WithField, Factored):
    """FM with LGIR's refined vector of the person and its vector of the job as a field of either side."""

    config: LGIRFMConfig
    machine_: FM

    def __init__(self, config: LGIRFMConfig = LGIRFMConfig()) -> None:
        self.config = config
        self.lgir_, self.machine_ = LGIR(config.lgir), FM(config.machine)

    def query_vectors(self, query: Query) -> Floats:
        """The machine's."""
        return self.machine_.query_vectors(self._told(query))

    def item_vectors(self) -> Floats:
        """The machine's."""
        return self.machine_.item_vectors()


class LGIRAFM(_WithField):
    """AFM with the same field: attention weighs its pairs with all others."""

    config: LGIRAFMConfig
    machine_: AFM

    def __init__(self, config: LGIRAFMConfig = LGIRAFMConfig()) -> None:
        self.config = config
        self.lgir_, self.machine_ = LGIR(config.lgir), AFM(config.machine)

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) scores of the machine."""
        return self.machine_.score(self._told(query), items)


def _main_axes(rows: Floats, size: int) -> Floats:
    """(D, size) leading right singular vectors, fewer where there are fewer."""
    wide = rows.astype(np.float64)
    _, vectors = np.linalg.eigh(wide.T @ wide)  # ascending
    return np.ascontiguousarray(vectors[:, ::-1][:, :size], np.float32)


def _beside(features: Features, vectors: Floats) -> Features:
    """The features with the vectors as one more field."""
    return Features(
        CSR(sparse.hstack([features.matrix, CSR(vectors)]), dtype=np.float32),
        (*features.names, *(f"{FIELD}={column}" for column in range(vectors.shape[1]))),
        np.append(features.fields, np.full(vectors.shape[1], len(features.field_names), np.int16)),
        (*features.field_names, FIELD),
    )

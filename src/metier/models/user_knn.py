"""User-kNN: neighbours among people."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Floats, Query
from metier.kernels.product import product
from metier.kernels.similarity import Measure, similarity, squares, strongest, without
from metier.models.base import ModelConfig, Neighbour
from metier.models.search import Search


class UserKNNConfig(ModelConfig):
    """Which people are neighbours, and how near."""

    similarity: Annotated[Measure, Search(choices=("cosine", "jaccard"))] = "cosine"
    """Of two people's sets of applications."""
    neighbours: Annotated[int, Search(choices=(0, 25, 50, 100, 200, 400, 800))] = Field(default=0, ge=0)
    """Number of nearest people that vote; 0 lets everyone vote."""
    shrink: Annotated[float, Search(0, 20)] = Field(default=0.0, ge=0)
    """Added to the similarity's denominator: distrust of short histories."""


class UserKNN(Neighbour):
    """Jobs that people with similar applications applied to.

    score(u, i) = sum over neighbours v of sim(u, v) R_vi   (Resnick et al. 1994, without ratings; Sarwar et
    al. 2000).

    The query's history is compared with everyone's, so a new person who has a history is served as a known one is. A
    known person is not their own neighbour.
    """

    config: UserKNNConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    matrix_: CSR  # (U, I)
    applicants_: CSR  # (I, U)
    lengths_: Floats  # (U,) squared length of each person's row

    def __init__(self, config: UserKNNConfig = UserKNNConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Keep the applications by person and by job."""
        self.matrix_ = data.matrix
        self.applicants_ = CSR(data.matrix.T)
        self.lengths_ = squares(data.matrix)
        return self

    def score_sparse(self, query: Query) -> CSR:
        """(b, I) votes; no entry where no neighbour applied."""
        config = self.config
        shared = without(product(query.history, self.applicants_), query.users)  # (b, U)
        near = similarity(shared, squares(query.history), self.lengths_, config.similarity, config.shrink)
        return product(strongest(near, config.neighbours), self.matrix_)

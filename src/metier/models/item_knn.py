"""Item-kNN: neighbours among jobs."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Query
from metier.kernels.product import product
from metier.kernels.similarity import Measure, similarity, squares, strongest, without
from metier.models.base import ModelConfig, Neighbour
from metier.models.search import Search


class ItemKNNConfig(ModelConfig):
    """Which jobs are neighbours, and how near."""

    similarity: Annotated[Measure, Search(choices=("cosine", "jaccard"))] = "cosine"
    """Of two jobs' sets of applicants."""
    neighbours: Annotated[int, Search(choices=(0, 25, 50, 100, 200, 400))] = Field(default=0, ge=0)
    """Number of nearest jobs kept for each job; 0 keeps all."""
    shrink: Annotated[float, Search(0, 20)] = Field(default=0.0, ge=0)
    """Added to the similarity's denominator: distrust of jobs with few applicants."""


class ItemKNN(Neighbour):
    """Jobs that the applicants of one's own jobs applied to as well.

    score(u, i) = sum over the jobs j in u's history of R_uj sim(j, i)   (Sarwar et al. 2001; Deshpande &
    Karypis 2004).

    sim(i, i) is left out. With k neighbours, row j of the similarities keeps the k jobs nearest to j.
    """

    config: ItemKNNConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    similarity_: CSR  # (I, I)

    def __init__(self, config: ItemKNNConfig = ItemKNNConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Compare all pairs of jobs that share an applicant."""
        config, applicants = self.config, CSR(data.matrix.T)  # (I, U)
        shared = without(product(applicants, data.matrix), np.arange(len(data.items)))  # (I, I)
        sizes = squares(applicants)
        self.similarity_ = strongest(
            similarity(shared, sizes, sizes, config.similarity, config.shrink), config.neighbours
        )
        return self

    def score_sparse(self, query: Query) -> CSR:
        """(b, I); no entry where no job of the history has a neighbour."""
        return product(query.history, self.similarity_)

"""RP3beta: a random walk over applications."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Floats, Query
from metier.kernels.product import product
from metier.kernels.similarity import strongest
from metier.models.base import ModelConfig, Neighbour
from metier.models.search import Search


class RP3BetaConfig(ModelConfig):
    """The walk and its correction."""

    alpha: Annotated[float, Search(0.2, 2)] = Field(default=0.6, ge=0)
    """Power of each step's transition probability; 1 is the plain random walk (P3)."""
    beta: Annotated[float, Search(0, 1)] = Field(default=0.15, ge=0)
    """Power of a job's number of applications that its score is divided by; 0 is P3alpha."""
    neighbours: Annotated[int, Search(choices=(0, 25, 50, 100, 200, 400))] = Field(default=0, ge=0)
    """Number of strongest two-step links kept for each job; 0 keeps all."""


class RP3Beta(Neighbour):
    """Where a three-step random walk person, job, person, job ends, popular jobs held back.

    score(u, i) = (P_ui^a P_iu^a P_ui^a)_ui / d_i^beta   (Paudel et al. 2017 over P3alpha of Cooper et al.
    2014; a = alpha).

    P_ui = D_u^-1 R steps from a person to one of their jobs, P_iu = D_i^-1 R^T from a job to one of its applicants;
    d_i is the number of applications to job i and the power a is taken entry by entry. The first step uses the query's
    history, so new people are served alike.
    """

    config: RP3BetaConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    links_: CSR  # (I, I), the last two steps over d_i^beta

    def __init__(self, config: RP3BetaConfig = RP3BetaConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Multiply the steps job -> person -> job."""
        people = step(data.matrix, self.config.alpha)  # (U, I)
        jobs = step(CSR(data.matrix.T), self.config.alpha)  # (I, U)
        links = product(jobs, people)  # (I, I)
        applications = np.asarray(data.matrix.sum(axis=0), np.float32).ravel()
        links.data /= applications[links.indices] ** np.float32(self.config.beta)
        self.links_ = strongest(links, self.config.neighbours)
        return self

    def score_sparse(self, query: Query) -> CSR:
        """(b, I); no entry where the walk does not lead."""
        return product(step(query.history, self.config.alpha), self.links_)


def step(matrix: CSR, alpha: float) -> CSR:
    """Rows divided by their sums, each entry to the power alpha."""
    sums: Floats = np.asarray(matrix.sum(axis=1), np.float32).ravel()
    data = (matrix.data / np.repeat(sums, np.diff(matrix.indptr))) ** np.float32(alpha)
    return CSR((data, matrix.indices, matrix.indptr), shape=matrix.shape)

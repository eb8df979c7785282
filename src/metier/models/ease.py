"""EASE: each job predicted linearly from all others."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy import linalg

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.errors import MetierError
from metier.models.base import Fitted, ModelConfig
from metier.models.search import Search


class EASEConfig(ModelConfig):
    """The penalty and the size of the core. Memory: 16 bytes x core^2 at `fit`, 4 bytes x core^2 after."""

    reg: Annotated[float, Search(1, 3_000, log=True)] = Field(default=100.0, gt=0)
    """L2 penalty on the weights (lambda in the paper)."""
    min_count: Annotated[int, Search(1, 5)] = Field(default=1, ge=1)
    """Jobs with fewer applications stay out of the core and get no score."""
    max_items: Annotated[int, Search(2_000, 8_000, log=True)] = Field(default=6_000, ge=2)
    """Largest core: the most applied-to jobs stay."""


class EASE(Fitted):
    """A linear item-item model in closed form, on the jobs with most applications.

    score(u, .) = x_u B, B = argmin |X - XB|^2 + reg |B|^2 with diag(B) = 0   (Steck 2019).

    With P = (X^T X + reg I)^-1 the optimum is B_ij = -P_ij / P_jj off the diagonal (equation 8). Only jobs of the core
    are scored; a person none of whose jobs is in the core is not.
    """

    config: EASEConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    core_: Nums  # (n,) the scored jobs, ascending
    weights_: Floats  # (n, n) B
    n_items_: int

    def __init__(self, config: EASEConfig = EASEConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Invert the regularised Gram matrix of the core by Cholesky."""
        config = self.config
        counts = np.diff(data.matrix.tocsc().indptr)
        order = np.argsort(-counts, kind="stable")[: config.max_items]
        self.core_ = np.sort(order[counts[order] >= config.min_count]).astype(np.int32)
        self.n_items_ = len(data.items)
        x = data.matrix[:, self.core_].astype(np.float64)
        gram = np.asfortranarray((x.T @ x).toarray())
        gram[np.diag_indices_from(gram)] += config.reg
        inverse = _inverse(gram)
        diagonal = inverse.diagonal().astype(np.float32)
        weights = np.tril(inverse.astype(np.float32), -1)
        weights += weights.T
        weights /= -diagonal
        self.weights_ = weights
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) float32, NaN outside the core."""
        history = CSR(query.history[:, self.core_])  # (b, n)
        scores = np.full((len(query), self.n_items_), np.nan, np.float32)
        told = np.flatnonzero(np.diff(history.indptr))
        scores[np.ix_(told, self.core_)] = history[told] @ self.weights_
        return scores if items is None else scores[:, items]


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Lower triangle of the inverse of an (n, n) float64 positive definite matrix, which is overwritten."""
    if not len(gram):
        return gram
    factor, failed = linalg.lapack.dpotrf(gram, lower=1, overwrite_a=1)
    inverse, singular = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed or singular:
        raise MetierError("EASE: X^T X + reg I is not positive definite; cure: a larger reg")
    return np.asarray(inverse)

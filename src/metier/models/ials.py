"""iALS: implicit alternating least squares."""

from typing import Annotated, ClassVar, Self

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import Field
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from metier.data import Dataset, Floats, Query
from metier.models.base import Factored, ModelConfig
from metier.models.search import Search


class IALSConfig(ModelConfig):
    """Size, weights and length of training."""

    embedding_size: Annotated[int, Search(16, 512, log=True)] = Field(default=128, ge=1)
    """Numbers a person or job is described by."""
    alpha: Annotated[float, Search(1, 500, log=True)] = Field(default=50.0, gt=0)
    """Confidence of an application (c_ui = alpha r_ui); an absent pair has confidence 1."""
    reg: Annotated[float, Search(0.1, 500, log=True)] = Field(default=30.0, ge=0)
    """L2 penalty on every vector (lambda in the paper)."""
    iterations: Annotated[int, Search(5, 30)] = Field(default=15, ge=1)
    """Alternations: all people, then all jobs."""


class IALS(Factored):
    """Matrix factorisation that takes every absent pair for a weak "no".

    score(u, i) = x_u y_i, minimising sum_ui c_ui (p_ui - x_u y_i)^2 + reg (|X|^2 + |Y|^2)   (Hu, Koren & Volinsky
    2008, equation 3), p_ui being 1 for an application and 0 for every other pair.

    Trained by the `implicit` library. At query time everyone's vector is solved for afresh from the query's history
    (equation 4): x_u = (Y^T C_u Y + reg I)^-1 Y^T C_u p_u. For a known person that is their trained vector after one
    more half step, and a new person needs no other way.
    """

    config: IALSConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    item_vectors_: Floats  # (I, d), NaN for jobs nobody applied to

    def __init__(self, config: IALSConfig = IALSConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Alternate least squares."""
        seed = int(rng.integers(2**31))
        with threadpool_limits(1, "blas"):  # the solver runs its own threads, and warns of others
            solver = self._solver(seed)
            solver.fit(csr_matrix(data.matrix), show_progress=False)
        self.item_vectors_ = solver.item_factors
        self.item_vectors_[np.diff(data.matrix.tocsc().indptr) == 0] = np.nan
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, d) solved for; NaN for a person none of whose jobs is known."""
        known = (~np.isnan(self.item_vectors_[:, 0])).astype(np.float32)
        with threadpool_limits(1, "blas"):
            solver = self._solver(seed=0)
            solver.item_factors = np.nan_to_num(self.item_vectors_)
            vectors: Floats = solver.recalculate_user(np.arange(len(query)), csr_matrix(query.history))
        vectors[query.history @ known == 0] = np.nan
        return vectors

    def item_vectors(self) -> Floats:
        """(I, d)"""
        return self.item_vectors_

    def _solver(self, seed: int) -> AlternatingLeastSquares:
        config = self.config
        return AlternatingLeastSquares(
            factors=config.embedding_size,
            regularization=config.reg,
            alpha=config.alpha,
            iterations=config.iterations,
            random_state=seed,
        )

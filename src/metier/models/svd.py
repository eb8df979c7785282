"""Pure SVD: factors of the whole matrix."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from metier.data import Dataset, Floats, Query
from metier.models.base import Factored, ModelConfig
from metier.models.search import Search


class PureSVDConfig(ModelConfig):
    """Size and precision of the factorisation."""

    embedding_size: Annotated[int, Search(16, 1_024, log=True)] = Field(default=256, ge=1)
    """Number of singular vectors; at most min(U, I) are used."""
    iterations: Annotated[int, Search(1, 8)] = Field(default=4, ge=0)
    """Power iterations of the randomised solver: more bring it nearer to the exact vectors."""


class PureSVD(Factored):
    """The best low-rank picture of all applications, absent pairs being zeros.

    score(u, .) = r_u Q Q^T, the columns of Q being the leading right singular vectors of R   (Cremonesi, Koren &
    Turrin 2010, PureSVD). The zeros are what makes it a ranking model.

    R = U S Q^T is found by the randomised method of Halko, Martinsson & Tropp 2011 (scikit-learn). The query's history
    is r_u, so a new person who has one is served as a known one is.
    """

    config: PureSVDConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    item_vectors_: Floats  # (I, d) Q, NaN for jobs nobody applied to

    def __init__(self, config: PureSVDConfig = PureSVDConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Factorise."""
        size = min(self.config.embedding_size, *data.shape)
        seed = int(rng.integers(2**31))
        with threadpool_limits(1, "blas"):  # sums run in one order, so the vectors repeat bit by bit on any number
            _, _, q = randomized_svd(
                data.matrix, size, n_iter=self.config.iterations, random_state=seed, flip_sign=False
            )
        self.item_vectors_ = np.ascontiguousarray(q.T, dtype=np.float32)
        self.item_vectors_[np.diff(data.matrix.tocsc().indptr) == 0] = np.nan
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, d) r_u Q; NaN for a person none of whose jobs is known."""
        known = (~np.isnan(self.item_vectors_[:, 0])).astype(np.float32)
        vectors: Floats = query.history @ np.nan_to_num(self.item_vectors_)
        vectors[query.history @ known == 0] = np.nan
        return vectors

    def item_vectors(self) -> Floats:
        """(I, d) Q."""
        return self.item_vectors_

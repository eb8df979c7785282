"""BPR: matrix factorization that ranks."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Query
from metier.kernels.ranking_loss import Loss
from metier.models.base import Factored
from metier.models.factorization import NO_HISTORY, FactorizationConfig, factorize
from metier.models.search import Search


class BPRConfig(FactorizationConfig):
    """Ids only, pairwise loss, negatives from the whole catalogue."""

    loss: Loss = "bpr"
    """bpr is the paper's; the others are there for comparison."""
    negatives: Annotated[int, Search(4, 96, log=True)] = Field(default=8, ge=1)
    """Jobs of the catalogue that each application is ranked against."""
    same_state: float = Field(default=0.0, ge=0, le=1)
    """Share of the negatives drawn from the state of the job applied to."""
    same_city: float = Field(default=0.0, ge=0, le=1)
    """Share of the negatives drawn from its city."""
    epochs: int = Field(default=60, ge=1)
    """Passes over all applications."""


class BPR(Factored):
    """Bayesian personalised ranking of a matrix factorization (Rendle et al. 2009, equation 4 and section 4.3.1).

    y(u, i) = b_i + q_i . p_u, learned by ln sigma(y(u, i) - y(u, j)) over jobs j that u did not apply to.
    """

    config: BPRConfig
    scores_new_users: ClassVar[bool] = False
    scores_new_items: ClassVar[bool] = False

    user_vectors_: Floats  # (U, k)
    item_vectors_: Floats  # (I, k + 1): q_i and b_i

    def __init__(self, config: BPRConfig = BPRConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """A factorization machine with one feature a person and one a job."""
        n_users, n_items = data.shape
        people = CSR(sparse.eye_array(n_users, n_users + n_items, dtype=np.float32))
        jobs = CSR(sparse.eye_array(n_items, n_users + n_items, k=n_users, dtype=np.float32))
        vectors, weights = factorize(people, jobs, jobs, data, self.config, NO_HISTORY, rng)
        self.user_vectors_ = vectors[:n_users]
        self.user_vectors_[np.diff(data.matrix.indptr) == 0] = np.nan
        self.item_vectors_ = np.column_stack([vectors[n_users:], weights[n_users:]])
        self.item_vectors_[np.bincount(data.interactions.items, minlength=n_items) == 0] = np.nan
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, k + 1): p_u and a 1; NaN for a person who never applied."""
        p = self.user_vectors_[np.maximum(query.users, 0)]
        whole = np.column_stack([p, np.ones(len(query))]).astype(np.float32)
        whole[query.users < 0] = np.nan
        return whole

    def item_vectors(self) -> Floats:
        """(I, k + 1): q_i and b_i; NaN for a job nobody applied to."""
        return self.item_vectors_

"""SVD as a rating model on all-ones data: the public experiment's row, kept to show why it equals random."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Floats, Query
from metier.kernels.rating import RatingModel, rating_epoch
from metier.models.base import Factored, ModelConfig
from metier.models.search import Search


class NaiveSVDConfig(ModelConfig):
    """The customary defaults of rating libraries."""

    embedding_size: Annotated[int, Search(16, 256, log=True)] = Field(default=100, ge=1)
    """Length k of each vector."""
    epochs: Annotated[int, Search(5, 60, log=True)] = Field(default=20, ge=1)
    """Passes over all ratings."""
    learning_rate: Annotated[float, Search(1e-3, 0.1, log=True)] = Field(default=0.005, gt=0)
    """Step of the stochastic gradient."""
    reg: Annotated[float, Search(1e-3, 1, log=True)] = Field(default=0.02, ge=0)
    """L2 on biases and vectors."""
    init_scale: Annotated[float, Search(0.01, 1, log=True)] = Field(default=0.1, gt=0)
    """Standard deviation of the first vectors."""


class NaiveSVD(Factored):
    """Biased matrix factorization of ratings (Koren 2008, equation 5), misused: every application is a rating of 1.

    r(u, i) = mu + b_u + b_i + q_i . p_u. With nothing but ones, mu = 1 already predicts every observed rating, so all
    that training does is to shrink the random start; unobserved pairs are never visited and their order stays noise.
    `svd` and `svdpp` are the right uses of the same ideas.
    """

    note: ClassVar[str] = "naive: rating model on all-ones data"
    implicit: ClassVar[bool] = False
    config: NaiveSVDConfig
    scores_new_users: ClassVar[bool] = False
    scores_new_items: ClassVar[bool] = True

    user_vectors_: Floats  # (U, k), the implicit part included; b_u is the same for all items and left out
    item_vectors_: Floats  # (I, k + 1): q_i and mu + b_i

    def __init__(self, config: NaiveSVDConfig = NaiveSVDConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Stochastic gradient on the observed ones."""
        config, (n_users, n_items) = self.config, data.shape
        ratings = CSR((np.ones_like(data.matrix.data), data.matrix.indices, data.matrix.indptr), shape=data.shape)

        def vectors(n: int) -> Floats:
            return (rng.standard_normal((n, config.embedding_size)) * config.init_scale).astype(np.float32)

        model = RatingModel(
            np.zeros(n_users, np.float32), np.zeros(n_items, np.float32),
            vectors(n_users), vectors(n_items), vectors(n_items if self.implicit else 0),
        )  # fmt: skip
        owner = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(ratings.indptr))
        mean = float(ratings.data.mean()) if ratings.nnz else 0.0
        for _ in range(config.epochs):
            places = rng.permutation(ratings.nnz).astype(np.int32)
            rating_epoch(ratings, owner[places], places, mean, model, config.learning_rate, config.reg)
        self.user_vectors_ = model.user_vectors
        if self.implicit:
            norm = np.maximum(np.diff(ratings.indptr), 1)[:, None] ** -0.5
            self.user_vectors_ = (model.user_vectors + norm * (ratings @ model.implicit_vectors)).astype(np.float32)
        self.user_vectors_[np.diff(ratings.indptr) == 0] = 0  # nothing rated: mu + b_i, as rating libraries do
        self.item_vectors_ = np.column_stack([model.item_vectors, mean + model.item_bias]).astype(np.float32)
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, k + 1): p_u and a 1 that picks up the item's bias; NaN for a person who was not there in training."""
        p = self.user_vectors_[np.maximum(query.users, 0)]
        whole = np.column_stack([p, np.ones(len(query))]).astype(np.float32)
        whole[query.users < 0] = np.nan
        return whole

    def item_vectors(self) -> Floats:
        """(I, k + 1): q_i and mu + b_i."""
        return self.item_vectors_

"""SVD++ trained properly on implicit feedback."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Query
from metier.models.base import Factored
from metier.models.factorization import FactorizationConfig, HistoryUse, factorize, past_shares
from metier.models.search import Search


class SVDppConfig(FactorizationConfig):
    """Ids only; what the applications against sampled jobs teach."""

    history: int = Field(default=1000, ge=1)
    """Past applications in N(u)."""
    silence: Annotated[float, Search(0.0, 0.9)] = Field(default=0.6, ge=0, lt=1)
    """Share of training steps without p_u, so that N(u) learns to answer alone."""


class SVDpp(Factored):
    """SVD++ learned by ranking: the person and the set of past applications, against jobs not applied to.

    y(u, i) = b_i + q_i . (p_u + |N(u)|^-1/2 sum_{j in N(u)} y_j)   (Koren 2008, equation 15, without mu and b_u).

    The score of the paper, but learned by ranking each application above jobs that were not applied to; the target is
    left out of its own N(u). Mu and b_u are the same for all items.
    """

    config: SVDppConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    user_vectors_: Floats  # (U, k)
    past_vectors_: Floats  # (I, k): y_j
    item_vectors_: Floats  # (I, k + 1): q_i and b_i

    def __init__(self, config: SVDppConfig = SVDppConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Features: the person, the job as candidate, the job as past application."""
        n_users, n_items = data.shape
        blocks = [n_users, n_items, n_items]
        people, jobs, pasts = (_one_hot(blocks, at) for at in range(3))
        vectors, weights = factorize(people, jobs, pasts, data, self.config, self._history_use, rng)
        self.user_vectors_, items, self.past_vectors_ = np.split(vectors, np.cumsum(blocks)[:-1])
        self.user_vectors_[np.diff(data.matrix.indptr) == 0] = 0  # never moved from the random start
        self.item_vectors_ = np.column_stack([items, weights[n_users : n_users + n_items]])
        never = np.bincount(data.interactions.items, minlength=n_items) == 0
        self.item_vectors_[never] = np.nan
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, k + 1): the person's sum and a 1 that picks up b_i; NaN for a new person without history."""
        p = np.where(query.users[:, None] >= 0, self.user_vectors_[np.maximum(query.users, 0)], np.float32(0))
        p = p + past_shares(query, self._history_use) @ self.past_vectors_
        whole = np.column_stack([p, np.ones(len(query))]).astype(np.float32)
        whole[(query.users < 0) & (np.diff(query.history.indptr) == 0)] = np.nan
        return whole

    def item_vectors(self) -> Floats:
        """(I, k + 1): q_i and b_i; NaN for a job nobody applied to."""
        return self.item_vectors_

    @property
    def _history_use(self) -> HistoryUse:
        return HistoryUse(decay=0.0, longest=self.config.history, power=0.5, silence=self.config.silence)


def _one_hot(blocks: list[int], at: int) -> CSR:
    """(n, F) with the identity in one block of columns."""
    n = blocks[at]
    parts = [sparse.eye_array(n, dtype=np.float32) if b == at else CSR((n, w)) for b, w in enumerate(blocks)]
    return CSR(sparse.hstack(parts), dtype=np.float32)

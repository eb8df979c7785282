"""People side by side, each a question of `metier.live.matching`, so that a posting is compared with all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import sparse

from metier.data import CSR, Floats, Nums
from metier.features.distance import log_km
from metier.live.matching import Encoded
from metier.live.scan import Question


@dataclass(frozen=True)
class Pool:
    """n people. They are as they were when they were encoded, and good for the bundle that encoded them.

    Parameters
    ----------
    ids : (n,)
    hidden : (n,) ids of the jobs that each dismissed.
    vectors, homes, far, appeal : (n, d), (n, 3), (n,), (n, 2) of `Question`.
    places : (n, f + 1) of `Question`.
    usual : (n,) ln of the mean of exp(score) over a sample of jobs.
    """

    ids: tuple[str, ...]
    hidden: tuple[frozenset[str], ...]
    vectors: Floats
    places: CSR
    homes: Floats
    far: Floats
    appeal: Floats
    usual: Floats

    @classmethod
    def of(
        cls, ids: Sequence[str], questions: Sequence[Question], hidden: Sequence[frozenset[str]], sample: Encoded
    ) -> Self:
        """sample : jobs that a person's scores are set against; n is at least 1."""
        homes, appeal = np.stack([one.home for one in questions]), np.stack([one.appeal for one in questions])
        vectors, places = np.stack([one.vector for one in questions]), np.stack([one.places for one in questions])
        far, usual = np.array([one.far for one in questions], np.float32), np.zeros(len(questions), np.float32)
        pool = cls(tuple(ids), tuple(hidden), vectors, CSR(places), homes, far, appeal, usual)
        if not len(sample.at):
            return pool
        sums = np.logaddexp.reduce(pool.scores(sample).astype(np.float64), axis=1)
        return replace(pool, usual=(sums - np.log(len(sample.at))).astype(np.float32))

    def scores(self, jobs: Encoded) -> Floats:
        """(n, m) scores of m jobs."""
        columns = jobs.places % self.places.shape[1]  # the last stands for unknown places
        of = np.repeat(np.arange(len(columns)), columns.shape[1])
        here = CSR((np.ones(len(of), np.float32), (columns.ravel(), of)), (self.places.shape[1], len(columns)))
        near = self.far[:, None] * log_km(self.homes[:, None], jobs.at[None])
        # `@` would round a row by how many rows there are, and a person's score depend on who else is asked about.
        words = np.einsum("nd,md->nm", self.vectors, jobs.vectors) + np.einsum("nd,md->nm", self.appeal, jobs.appeal)
        return np.asarray(words + (self.places @ here).toarray() + near, np.float32)

    def take(self, rows: Nums) -> "Pool":
        """Some of them."""
        kept = {name: values[rows] for name, values in vars(self).items() if name not in ("ids", "hidden")}
        chosen = rows.tolist()
        return Pool(tuple(self.ids[row] for row in chosen), tuple(self.hidden[row] for row in chosen), **kept)

    @classmethod
    def join(cls, pools: Sequence["Pool"]) -> "Pool":
        """All people of at least one pool, in this order."""
        both = {name: [vars(one)[name] for one in pools] for name in vars(pools[0])}
        places = CSR(sparse.vstack(both.pop("places")))
        ids, hidden = (tuple(one for part in both.pop(name) for one in part) for name in ("ids", "hidden"))
        return Pool(ids, hidden, places=places, **{name: np.concatenate(parts) for name, parts in both.items()})

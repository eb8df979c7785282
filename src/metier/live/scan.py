"""The best jobs of a bundle for one person, by the logit of `metier.models.profile`: all of its jobs, or some."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from metier.bundle import ProfilePart
from metier.data import CSR, Floats, Nums
from metier.features.distance import log_km
from metier.features.encoder import PLACES
from metier.kernels.scan import Bias, VectorIndex
from metier.models.base import tie_order


@dataclass(frozen=True)
class Question:
    """One person: the score of a posting is vector . v + the sum of `places` of its columns + `far` ln(1 + km / 25) +
    `appeal` . its appeal."""

    vector: Floats
    """(d,)"""
    places: Floats
    """(f + 1,) by place column; the last is 0, for unknown places"""
    home: Floats
    """(3,)"""
    far: float
    appeal: Floats
    """(2,)"""
    heard: bool | None
    """Whether it is somebody with past applications; None where the appeal of postings does not count."""


class Searched(Protocol):
    """Whatever finds the best of a bundle's jobs."""

    def best(self, question: Question, k: int, allowed: NDArray[np.bool_]) -> tuple[Nums, Floats]:
        """Row numbers and scores of the k best jobs among those allowed, best first; fewer where there are fewer."""
        ...


class Sites(NamedTuple):
    """The places of I jobs, each of g different ones once. Made of the whole bundle, they have the same numbers
    wherever some of its jobs are searched."""

    group: Nums
    """(I,) number of each job's place"""
    places: Nums
    """(g, 4) columns of city, state, country and zip3; -1 unknown"""
    at: Floats
    """(g, 3) where they are, 0 unknown"""

    @classmethod
    def of(cls, part: ProfilePart) -> Self:
        """Of a bundle's jobs."""
        model = part.profile
        found, numbers = np.unique(_four(model.places_, model.kind_), axis=0, return_inverse=True)
        group: Nums = numbers.reshape(-1).astype(np.int32)
        first = np.zeros(len(found), np.int64)
        first[group[::-1]] = np.arange(len(group))[::-1]
        return cls(group, found.astype(np.int32), model.at_[first])


class Scan:
    """Some jobs of a bundle, ready to be searched; built once, never changed.

    A score is worked out from its own job alone, and of two equal ones the order of the whole bundle decides, so the
    best of all jobs are the best among the best of any parts (`metier.models.base.merged`), to the last bit.

    Parameters
    ----------
    rows : (m,) ascending row numbers of the jobs; all when None.
    """

    def __init__(self, part: ProfilePart, sites: Sites, rows: Nums | None = None) -> None:
        model, size = part.profile, len(sites.group)
        self.rows = np.arange(size, dtype=np.int32) if rows is None else rows
        self._sites = sites
        weights = {heard: model.weights(heard=heard) for heard in (False, True)}
        appeal = model.appeal_[self.rows]
        vectors = np.hstack([model.topic_[self.rows], model.meaning_[self.rows]])
        liked = {heard: np.einsum("md,d->m", appeal, w.appeal).astype(np.float32) for heard, w in weights.items()}
        ties, group = tie_order(size, 0)[self.rows], sites.group[self.rows]
        self._index = VectorIndex.build(vectors, group, ties, model.topic_.shape[1], near=-liked[False])
        self._place = self._index.rows(len(self.rows))
        self._bias: dict[bool | None, Bias | None] = {
            heard: Bias.of(values[self._index.items]) for heard, values in liked.items()
        }
        self._bias[None] = None

    def vectors(self, places: Nums) -> Floats:
        """(n, d) vectors of jobs by their places among `rows`."""
        return self._index.vectors[self._place[places]]

    def best(self, question: Question, k: int, allowed: NDArray[np.bool_]) -> tuple[Nums, Floats]:
        """Row numbers and scores of the k best jobs among those allowed (m,); fewer where there are fewer."""
        offsets = from_place(question, self._sites.places, self._sites.at)
        bias = self._bias[question.heard]
        found, scores = self._index.query(question.vector, k, allowed=allowed, offsets=offsets, bias=bias)
        return self.rows[found[found >= 0]], scores[found >= 0]


def from_place(question: Question, places: Nums, at: Floats) -> Floats:
    """(m,) what places add to the score."""
    return np.asarray(question.places[places].sum(axis=1) + question.far * log_km(question.home, at), np.float32)


def _four(places: CSR, kind: NDArray[np.int16]) -> Nums:
    """(I, 4) the column of each place field of a job; -1 unknown."""
    found = np.full((places.shape[0], len(PLACES)), -1, np.int32)
    row = np.repeat(np.arange(places.shape[0]), np.diff(places.indptr))
    found[row, kind[places.indices]] = places.indices
    return found

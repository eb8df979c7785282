"""What the compiled epoch of a factorization machine works on: features by row, parameters, visits, settings."""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from metier.data import CSR, Floats, Nums

PARTS = 4
"""Features are dealt into so many parts by their number; each lane of `fm_epoch` moves the features of some parts."""
LINE = 16
"""float32 in a cache line."""


class Rows(NamedTuple):
    """A CSR matrix taken apart for the compiled code."""

    start: NDArray[np.int64]
    """(n + 1,) where each row begins"""
    column: Nums
    """(nnz,) feature numbers"""
    value: Floats
    """(nnz,)"""


class DealtRows(NamedTuple):
    """The same with the entries of each row ordered by part, column % PARTS."""

    start: Nums
    """(n * PARTS + 1,) where each part of each row begins"""
    column: Nums
    """(nnz,)"""
    value: Floats
    """(nnz,)"""
    rarest: Nums
    """(n,) the feature of each row that the fewest rows have (0 for an empty row): the one to fetch early"""


class Parameters(NamedTuple):
    """What is learned, with the running sums of squared gradients that set each row's step.

    A feature's numbers lie side by side on whole cache lines, because most features are met once in a while.
    """

    table: Floats
    """(F, w) v_f (k numbers), w_f, s_f and the sum of squared gradients of w_f; the rest is unused"""
    size: int
    """k"""

    @property
    def vectors(self) -> Floats:
        """(F, k) view"""
        return self.table[:, : self.size]

    @property
    def vector_squares(self) -> Floats:
        """(F,) view of s_f"""
        return self.table[:, self.size + 1]

    @property
    def weights(self) -> Floats:
        """(F,) view"""
        return self.table[:, self.size]

    @property
    def weight_squares(self) -> Floats:
        """(F,) view"""
        return self.table[:, self.size + 2]


class Histories(NamedTuple):
    """Each person's applications in order of time; a row of the arrays is one application."""

    start: NDArray[np.int64]
    """(U + 1,) where each person begins"""
    item: Nums
    """(nnz,)"""
    place: Nums
    """(nnz,) position in time, from 0; all equal when no time is known"""


class Visits(NamedTuple):
    """Histories of the people of an epoch, in the order in which they are visited; everyone has an application."""

    user: Nums
    """(n,)"""
    start: NDArray[np.int64]
    """(n + 1,)"""
    item: Nums
    """(nnz,)"""
    place: Nums
    """(nnz,)"""


class Settings(NamedTuple):
    """The scalars of one epoch."""

    loss: int
    """position in LOSSES"""
    learning_rate: float
    reg: float
    """L2 on every vector and weight at each meeting"""
    power: float
    """a: 0 sums the past jobs, 1 averages them"""
    boost: float
    """factor on a person's own features in the steps in which they speak"""
    pairs: int
    """e: 1 with the pairs inside the job, 0 without"""
    batch: int
    """a batch is closed at so many applications"""
    lanes: int
    """what may run side by side, at most PARTS; changes nothing but the time"""


def rows_of(matrix: CSR) -> Rows:
    """The parts of a CSR in the dtypes that the kernels are compiled for."""
    return Rows(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32, copy=False)
    )


def dealt(matrix: CSR) -> DealtRows:
    """The entries of each row by part, those of a part by column."""
    n = matrix.shape[0]
    row = np.repeat(np.arange(n, dtype=np.int64), np.diff(matrix.indptr))
    part = row * PARTS + matrix.indices % PARTS
    order = np.lexsort((matrix.indices, part))
    start = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=n * PARTS))])
    often_first = np.argsort(-np.bincount(matrix.indices, minlength=matrix.shape[1])[matrix.indices], kind="stable")
    rarest = np.zeros(n, np.int32)
    rarest[row[often_first]] = matrix.indices[often_first]  # of the assignments to a row the last one stays
    return DealtRows(
        start.astype(np.int32),
        matrix.indices[order].astype(np.int32),
        matrix.data[order].astype(np.float32, copy=False),
        rarest,
    )


def initial(size: int, scale: Floats, rng: np.random.Generator) -> Parameters:
    """Normal vectors of `size` with the standard deviations `scale` (F,), weights 0."""
    features, width = len(scale), -(-(size + 3) // LINE) * LINE
    room = np.zeros(features * width + LINE, np.float32)
    first = -(room.ctypes.data // room.itemsize) % LINE  # the first float on a cache line
    parameters = Parameters(room[first : first + features * width].reshape(features, width), size)
    parameters.vectors[:] = rng.standard_normal((features, size), dtype=np.float32) * scale[:, None]
    parameters.table[:, size + 1 : size + 3] = 1e-3  # keeps the first step finite
    return parameters


def visits(histories: Histories, order: Nums) -> Visits:
    """The histories of the people in `order`, without those who never applied."""
    order = order[np.diff(histories.start)[order] > 0]
    length = np.diff(histories.start)[order]
    start = np.concatenate([[0], np.cumsum(length)])
    at = np.repeat(histories.start[order] - start[:-1], length) + np.arange(start[-1])
    return Visits(order.astype(np.int32), start, histories.item[at], histories.place[at])


@njit(cache=True, parallel=True)
def average(mean, latest, n):  # type: ignore[no-untyped-def]
    """Take `latest` (F, k) into the mean of n - 1 such arrays, in place."""
    for f in prange(len(mean)):
        for d in range(mean.shape[1]):
            mean[f, d] += (latest[f, d] - mean[f, d]) / np.float32(n)

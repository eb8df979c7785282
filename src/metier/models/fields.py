"""The features of people and jobs under one numbering, and the fields they fill."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from metier.data import CSR, Floats, Nums
from metier.kernels.afm_data import Fields


class Block(NamedTuple):
    """f features of one kind."""

    people: CSR
    """(U, f) who has them"""
    jobs: CSR
    """(I, f)"""
    pasts: CSR
    """(I, f) of a job as a past application"""
    field: NDArray[np.integer]
    """(f,) the field of each within the block, from 0"""
    scale: float
    """standard deviation of the first vectors"""


class Numbering(NamedTuple):
    """Blocks side by side: F features in M fields of a person, the past applications being the last, and N of a job."""

    people: CSR
    """(U, F)"""
    jobs: CSR
    """(I, F)"""
    pasts: CSR
    """(I, F)"""
    scale: Floats
    """(F,) standard deviation of each feature's first vector"""
    fields: Fields


def number(blocks: Sequence[Block], *, history: bool) -> Numbering:
    """Number all features, and the fields that somebody fills; with `history` past applications are one of them."""
    people, jobs, pasts = (CSR(sparse.hstack([block[side] for block in blocks])) for side in range(3))
    first = np.cumsum([0] + [int(block.field.max(initial=-1)) + 1 for block in blocks])
    field = np.concatenate([start + block.field for start, block in zip(first, blocks, strict=False)])
    (person, own), (job, theirs) = (_filled(field, side) for side in (people, jobs))
    scale = np.concatenate([np.full(len(block.field), block.scale, np.float32) for block in blocks])
    past = np.full(len(field), own if history else -1, np.int32)
    return Numbering(people, jobs, pasts, scale, Fields(person, past, job, own + history, theirs))


def _filled(field: NDArray[np.integer], side: CSR) -> tuple[Nums, int]:
    """(F,) numbers of the fields that this side fills, -1 for the others; and how many there are."""
    filled = np.unique(field[np.bincount(side.indices, minlength=len(field)) > 0])
    filled = filled if len(filled) else field[:1]  # one field that is always empty, so that there are pairs
    numbers = np.full(int(field.max(initial=-1)) + 1, -1, np.int32)
    numbers[filled] = np.arange(len(filled))
    return numbers[field], len(filled)


def values(jobs: CSR, vectors: Floats, fields: Fields) -> tuple[Floats, Nums]:
    """The distinct vectors that fields of jobs have, and which job has which.

    Parameters
    ----------
    jobs : (I, F), vectors : (F, k).

    Returns
    -------
    (S, k) float32 and (I, N) int32 rows of them.
    """
    found, places = [np.empty((0, vectors.shape[1]), np.float32)], np.empty((jobs.shape[0], fields.jobs), np.int32)
    for g in range(fields.jobs):
        columns = np.flatnonzero(fields.job == g)
        part, start = CSR(jobs[:, columns]), sum(map(len, found))
        known: dict[bytes, int] = {}
        first = []
        for row in range(part.shape[0]):
            span = slice(part.indptr[row], part.indptr[row + 1])
            key = part.indices[span].tobytes() + part.data[span].tobytes()
            if key not in known:
                known[key] = start + len(known)
                first.append(row)
            places[row, g] = known[key]
        found.append(np.asarray(part[first] @ vectors[columns], np.float32))
    return np.concatenate(found), places


def indicators(numbers: Nums, size: int) -> CSR:
    """(n, size) with a 1 in column numbers[row]; -1 leaves a row empty."""
    rows = np.flatnonzero(numbers >= 0)
    return CSR((np.ones(len(rows), np.float32), (rows, numbers[rows])), shape=(len(numbers), size))


def scaled(matrix: CSR, length: float | None) -> CSR:
    """Rows of the given length, as they are when it is None; a row of zeros stays."""
    if length is None:
        return matrix
    lengths = np.sqrt(np.asarray(matrix.power(2).sum(axis=1)))
    return CSR(sparse.diags_array((length / np.where(lengths > 0, lengths, 1)).astype(np.float32)) @ matrix)


def nobody(rows: int, columns: int) -> CSR:
    """(rows, columns) without an entry."""
    return CSR((rows, columns), dtype=np.float32)

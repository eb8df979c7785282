"""Similarities between sparse rows, computed on the entries of their dot products."""

from typing import Literal

import numpy as np

from metier.data import CSR, Floats
from metier.kernels.topk import top_k_sparse

Measure = Literal["cosine", "jaccard"]


def squares(matrix: CSR) -> Floats:
    """(n,) float32 squared length of each row; the number of entries when all are 1."""
    return np.asarray(matrix.multiply(matrix).sum(axis=1), dtype=np.float32).ravel()


def similarity(dot: CSR, left: Floats, right: Floats, measure: Measure = "cosine", shrink: float = 0.0) -> CSR:
    """Turn dot products of rows a, b into similarities, entry by entry.

    cosine: ab / (|a| |b| + shrink). jaccard: ab / (|a|^2 + |b|^2 - ab + shrink), which for rows of ones is the size of
    the intersection over the size of the union. `shrink` (Bell & Koren 2007) lowers similarities that rest
    on short rows.

    Parameters
    ----------
    dot : (n, m) CSR of products a @ b.T.
    left, right : (n,), (m,) squared lengths of the rows a and b, see `squares`.
    """
    a = np.repeat(left, np.diff(dot.indptr))
    b = right[dot.indices]
    whole = np.sqrt(a) * np.sqrt(b) if measure == "cosine" else a + b - dot.data
    return CSR(((dot.data / (whole + np.float32(shrink))), dot.indices, dot.indptr), shape=dot.shape)


def strongest(matrix: CSR, k: int) -> CSR:
    """The k largest entries of each row, all when k is 0; of equal entries a fixed random one stays, for the order of
    the columns may tell of the order in which things happened."""
    if k == 0:
        return matrix
    rows, columns = matrix.shape
    nothing = CSR(matrix.shape, dtype=np.float32)
    order = np.random.default_rng(0).permutation(columns).astype(np.int32)
    items, values = top_k_sparse(matrix, nothing, np.ones(columns, np.bool_), order, k)
    row, place = np.nonzero(items >= 0)
    return CSR((values[row, place], (row, items[row, place])), shape=(rows, columns))


def without(matrix: CSR, columns: np.ndarray) -> CSR:
    """`matrix` without entry (row, columns[row]); -1 removes nothing from that row."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    kept = matrix.indices != columns[rows]
    pointers = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return CSR((matrix.data[kept], matrix.indices[kept], pointers), shape=matrix.shape)

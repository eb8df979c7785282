"""Exact maximum inner product search for many queries at once, without ever holding the (b, I) scores.

Items lie in tiles of `WIDTH`, longest vectors first. A query multiplies one tile after the other and is done as soon as
Cauchy and Schwarz say that no later item can enter its k best: q.v <= |q| |v| (Teflioudi, Gemulla & Mykytiuk 2015,
LEMP). Products are first taken in float32, four queries at a time; what comes near enough to the k-th best to matter is
taken again in float64. So a score is the float64 product rounded to float32, whatever the processor, the number of
threads and the other queries of the batch.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from metier.data import CSR, Floats, Nums
from metier.kernels.topk import _drain, _offer, _worse, top_k_reference

WIDTH = 448
"""Items of a tile: seven chunks of 64; not a power of two, whose strides would meet in the same lines of the cache."""
ROWS = 128
"""Queries of a block; one thread takes a block through all tiles."""

TINY = 1e-40
"""More than a sum of float32 products can lose by falling below the smallest of them."""


class Catalogue(NamedTuple):
    """Items ready to be searched: t tiles, d padded with zeros to a multiple of 4."""

    tiles: Floats
    """(t, d, WIDTH) vectors as columns, longest first; NaN behind the last item"""
    lengths: NDArray[np.float64]
    """(t,) length of the longest vector of each tile"""
    items: Nums
    """(t, WIDTH) row numbers; -1 behind the last item"""
    ties: Nums
    """(t, WIDTH) of two equal scores the smaller `tie` wins"""


def catalogue(vectors: Floats, items: Nums, tie: Nums) -> Catalogue:
    """Arrange the rows `items` (m,) of `vectors` (I, d) float32; rows with a NaN are left out. `tie` is (I,) int32."""
    if tie.shape != vectors.shape[:1] or not 0 <= items.min(initial=0) <= items.max(initial=-1) + 1 <= len(tie):
        raise ValueError(f"vectors {vectors.shape}, tie {tie.shape}, items up to {items.max(initial=-1)} do not fit")
    lengths = _lengths(vectors)[items]
    order = np.lexsort((tie[items], -lengths))  # NaN comes last
    order = order[: len(order) - np.count_nonzero(np.isnan(lengths))]
    tiles = -(-len(order) // WIDTH)
    numbers = np.full((tiles, WIDTH), -1, np.int32)
    numbers.flat[: len(order)] = items[order]
    return Catalogue(
        _transpose(vectors, numbers, -(-vectors.shape[1] // 4) * 4),
        lengths[order[::WIDTH]],
        numbers,
        np.where(numbers >= 0, tie[numbers], np.int32(2**31 - 1)),
    )


def top_products(catalogue: Catalogue, queries: Floats, banned: CSR, k: int) -> tuple[Nums, Floats]:
    """The k items of largest inner product with each query.

    Parameters
    ----------
    queries : (b, d) float32; a row with a NaN finds nothing.
    banned : (b, I) CSR; stored entries are skipped.

    Returns
    -------
    items (b, k) int32 padded with -1, scores (b, k) float32 padded with NaN.

    ValueError when the sizes do not fit or products leave the range of float32.
    """
    tiles, lengths, items, ties = catalogue
    padding = tiles.shape[1] - queries.shape[1]
    if banned.shape[0] != len(queries) or not 0 <= padding < 4 or k < 1:
        raise ValueError(f"queries {queries.shape}, banned {banned.shape}, tiles {tiles.shape}, k {k} do not fit")
    query_lengths = _lengths(queries)
    largest = np.fmax.reduce(query_lengths, initial=0.0) * lengths.max(initial=0.0)
    if not largest < np.finfo(np.float32).max:
        raise ValueError(f"products up to {largest:.3g} leave the range of float32; cure: scale the vectors down")
    banned = banned if banned.has_sorted_indices else banned.sorted_indices()
    return _search(
        np.pad(queries.astype(np.float32, copy=False), ((0, 0), (0, padding))),
        query_lengths,
        tiles,
        lengths,
        items,
        ties,
        ties.min(axis=1, initial=2**31 - 1),
        banned.indptr.astype(np.int64),
        banned.indices.astype(np.int32, copy=False),
        k,
        # Higham 2002, section 3.1: a sum of d products is off by at most d u |q| |v|, u = 2^-24. Taken twice.
        (2 * tiles.shape[1] + 8) * 2.0**-24,
    )


def top_products_reference(
    vectors: Floats, allowed: NDArray[np.bool_], tie: Nums, queries: Floats, banned: CSR, k: int
) -> tuple[Nums, Floats]:
    """The same from the whole (b, I) product: `vectors` (I, d), `allowed` (I,), `tie` (I,)."""
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    return top_k_reference(scores.astype(np.float32), banned, allowed, tie, k)


def _lengths(vectors: Floats) -> NDArray[np.float64]:
    """(n,) Euclidean lengths; NaN for a row with a NaN."""
    return np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))


@njit(cache=True, parallel=True)
def _transpose(vectors, numbers, size):  # type: ignore[no-untyped-def]
    """(t, size, WIDTH) rows of `vectors` as columns of tiles."""
    tiles = np.zeros((len(numbers), size, WIDTH), np.float32)
    for t in prange(len(numbers)):
        for j in range(WIDTH):
            item = numbers[t, j]
            for c in range(vectors.shape[1]):
                tiles[t, c, j] = vectors[item, c] if item >= 0 else np.nan
    return tiles


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _multiply(p, q, r, s, tile, out):  # type: ignore[no-untyped-def]
    """out (4, WIDTH) = [p, q, r, s] @ tile: sixteen coefficients stay in registers along j, the loop of vectors."""
    out[:] = 0
    out_p, out_q, out_r, out_s = out[0], out[1], out[2], out[3]
    for c in range(0, len(tile), 4):
        a, b, d, e = tile[c], tile[c + 1], tile[c + 2], tile[c + 3]
        pa, pb, pd, pe = p[c], p[c + 1], p[c + 2], p[c + 3]
        qa, qb, qd, qe = q[c], q[c + 1], q[c + 2], q[c + 3]
        ra, rb, rd, re = r[c], r[c + 1], r[c + 2], r[c + 3]
        sa, sb, sd, se = s[c], s[c + 1], s[c + 2], s[c + 3]
        for j in range(WIDTH):
            out_p[j] = out_p[j] + pa * a[j] + pb * b[j] + pd * d[j] + pe * e[j]
            out_q[j] = out_q[j] + qa * a[j] + qb * b[j] + qd * d[j] + qe * e[j]
            out_r[j] = out_r[j] + ra * a[j] + rb * b[j] + rd * d[j] + re * e[j]
            out_s[j] = out_s[j] + sa * a[j] + sb * b[j] + sd * d[j] + se * e[j]


@njit(cache=True)
def _collect(  # type: ignore[no-untyped-def]
    products, query, tile, numbers, tie, banned, items, values, ties, size, k, bound, error
):
    """Offer the products (WIDTH,) of one query with one tile to its heap; returns the heap's size."""
    threshold = np.float32(values[0] - error) if size == k else np.float32(-np.inf)
    for start in range(0, WIDTH, 64):
        near = 0
        for j in range(start, start + 64):
            near += products[j] >= threshold  # never for NaN
        if near == 0:
            continue
        for j in range(start, start + 64):
            if products[j] >= threshold:
                value = products[j]
                if bound > 0:  # else it is exactly 0
                    total = 0.0
                    for c in range(len(query)):
                        total += np.float64(query[c]) * np.float64(tile[c, j])
                    value = np.float32(total)
                if size == k and not _worse(values[0], ties[0], value, tie[j]):
                    continue
                at = np.searchsorted(banned, numbers[j])
                if at == len(banned) or banned[at] != numbers[j]:
                    size = _offer(items, values, ties, size, k, numbers[j], value, tie[j])
                    if size == k:
                        threshold = np.float32(values[0] - error)
    return size


@njit(cache=True, parallel=True)
def _search(  # type: ignore[no-untyped-def]
    queries, query_lengths, tiles, lengths, numbers, tie, least, ban_ptr, ban_idx, k, slack
):
    rows = len(queries)
    out_items, out_values = np.full((rows, k), -1, np.int32), np.full((rows, k), np.nan, np.float32)
    for block in prange((rows + ROWS - 1) // ROWS):
        first, end = block * ROWS, min(rows, (block + 1) * ROWS)
        items, ties = np.empty((ROWS, k), np.int32), np.empty((ROWS, k), np.int32)
        values, sizes = np.empty((ROWS, k), np.float32), np.zeros(ROWS, np.int64)
        asked, products = np.empty(ROWS + 3, np.int64), np.empty((4, WIDTH), np.float32)
        for t in range(len(tiles)):
            n, unfinished = 0, False
            for row in range(first, end):
                h = row - first
                bound = query_lengths[row] * lengths[t] * (1 + slack)
                if np.isnan(bound) or (sizes[h] == k and bound < values[h, 0]):
                    continue
                unfinished = True
                # Where all products are 0, only an earlier place among equals could enter.
                if not (bound == 0 and sizes[h] == k and values[h, 0] == 0 and least[t] > ties[h, 0]):
                    asked[n] = row
                    n += 1
            if not unfinished:
                break
            asked[n : n + 3] = asked[max(n - 1, 0)]
            for g in range(0, n, 4):
                a, b, c, d = asked[g], asked[g + 1], asked[g + 2], asked[g + 3]
                _multiply(queries[a], queries[b], queries[c], queries[d], tiles[t], products)
                for lane in range(min(4, n - g)):
                    row = asked[g + lane]
                    h = row - first
                    bound = query_lengths[row] * lengths[t]
                    banned = ban_idx[ban_ptr[row] : ban_ptr[row + 1]]
                    sizes[h] = _collect(
                        products[lane], queries[row], tiles[t], numbers[t], tie[t], banned,
                        items[h], values[h], ties[h], sizes[h], k, bound, bound * slack + TINY,
                    )  # fmt: skip
        for row in range(first, end):
            h = row - first
            _drain(items[h], values[h], ties[h], sizes[h], out_items[row], out_values[row])
    return out_items, out_values

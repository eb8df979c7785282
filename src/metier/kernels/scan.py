"""Exact maximum inner product search for one live query on one thread, by scanning rows of bytes.

Every row is kept twice: as float32 and as int8 with a scale and the length of what rounding took away. The scan reads
the bytes, a quarter of the memory, and knows of each row an interval that holds its score; only rows whose upper end
reaches the k-th best lower end are read as float32. Nothing is approximate: the answer is that of a float64 product
rounded to float32. Rows of one group (a state, say) lie side by side, so that a query for some groups reads no other.

A query may add to every score an offset of the row's group and a bias of the row. Groups are then read from the largest
offset on, and a row is multiplied only while the longest possible product could lift it to the k-th best lower end; of
BLOCK rows at once none is looked at where their largest bias and length could not. Where the first columns say most
(`head`), they are multiplied first and the others only while these could do so.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from metier.data import CSR, Floats, Nums
from metier.kernels.topk import _drain, _offer, _worse, top_k_reference

LEVELS = 127
"""Largest int8 code; -128 is not used."""
NOTHING, EVERY = np.empty(0, np.int32), np.empty(0, np.bool_)
BLOCK = 64
"""Rows that are passed over at once."""
ROUNDING = 2.0**-22
"""More than what rounding to float32 takes from a number, and than what float64 sums lose."""


class Bias(NamedTuple):
    """What is added to the score of each row."""

    values: Floats
    """(n,) finite, in the order of `VectorIndex.items`"""
    peaks: Floats
    """(n / BLOCK, rounded up) the largest in each block of rows"""

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Worked out once, for many queries."""
        values = np.ascontiguousarray(values, np.float32)
        return cls(values, _peaks(values))


UNBIASED = Bias(np.empty(0, np.float32), np.empty(0, np.float32))


@dataclass(frozen=True)
class VectorIndex:
    """n rows of d numbers in the order of their groups. Arrays only, so that a bundle can store it."""

    vectors: Floats
    """(n, d)"""
    front: NDArray[np.int8]
    """(n, head) vectors / scales, rounded: the columns that are multiplied first, close together in memory"""
    back: NDArray[np.int8]
    """(n, d - head) the others"""
    scales: Floats
    """(n,) largest magnitude of each row / 127"""
    losses: Floats
    """(n,) length of what rounding took from vectors, rounded up"""
    lengths: Floats
    """(n,) length of vectors, rounded up"""
    tails: Floats
    """(n,) length of scales * back, rounded up"""
    longest: Floats
    """(n / BLOCK, rounded up) largest of `lengths` in each block of rows"""
    items: Nums
    """(n,) row numbers given to `build`"""
    ties: Nums
    """(n,) of two equal scores the smaller wins"""
    starts: NDArray[np.int64]
    """(g + 1,) group j has the rows starts[j] to starts[j + 1]; rows without a group come first"""

    @classmethod
    def build(
        cls,
        vectors: Floats,
        groups: Nums | None = None,
        tie: Nums | None = None,
        head: int | None = None,
        *,
        near: Floats | None = None,
    ) -> Self:
        """Index (N, d) float32 vectors; a row that holds NaN or infinity is left out and never found.

        Parameters
        ----------
        groups : (N,) group of each row, -1 for none; all -1 when None.
        tie : (N,) of two equal scores the smaller wins; the row number when None.
        head : columns that are multiplied first; all when None.
        near : (N,) rows of a group lie in this order, smallest first; it changes the time of a query, not its answer.
            Rows of about the same bias belong together.

        ValueError when the sizes do not fit.
        """
        number = np.arange(len(vectors), dtype=np.int32)
        groups, tie = np.full_like(number, -1) if groups is None else groups, number if tie is None else tie
        near = tie.astype(np.float32) if near is None else near
        if not groups.shape == tie.shape == near.shape == number.shape:
            raise ValueError(
                f"vectors {vectors.shape}, groups {groups.shape}, tie {tie.shape}, near {near.shape} do not fit"
            )
        finite = np.asarray(np.isfinite(vectors).all(axis=1))
        items = number[np.lexsort((near, groups))]
        items = items[finite[items]]
        starts = np.searchsorted(groups[items], np.arange(groups.max(initial=-1) + 2)).astype(np.int64)
        vectors = np.ascontiguousarray(vectors[items], dtype=np.float32)
        head = vectors.shape[1] if head is None else head
        codes, scales, losses, lengths, tails = _quantise(vectors, head)
        front, back = (np.ascontiguousarray(part) for part in np.split(codes, [head], axis=1))
        ties = tie[items].astype(np.int32)
        return cls(vectors, front, back, scales, losses, lengths, tails, _peaks(lengths), items, ties, starts)

    def query(
        self,
        vector: Floats,
        k: int,
        groups: Nums | None = None,
        banned: Nums = NOTHING,
        *,
        allowed: NDArray[np.bool_] | None = None,
        offsets: Floats | None = None,
        bias: Bias | None = None,
    ) -> tuple[Nums, Floats]:
        """The k rows of largest inner product with a (d,) vector, plus what is added; none when it is not finite.

        Parameters
        ----------
        groups : group numbers; only their rows are read. All rows when None; a group without rows is empty.
        banned : row numbers that are not wanted.
        allowed : (N,) by row number, whether it is wanted; all when None.
        offsets : (g,) finite, added to the scores of each group; 0 for rows without a group.
        bias : added to the score of each row.

        Returns
        -------
        items (k,) int32 padded with -1, scores (k,) float32 padded with NaN.

        ValueError when the sizes do not fit or a group is negative.
        """
        if vector.shape != self.vectors.shape[1:] or k < 1:
            raise ValueError(f"vector {vector.shape}, index {self.vectors.shape}, k {k} do not fit")
        if not np.isfinite(vector).all():
            return np.full(k, -1, np.int32), np.full(k, np.nan, np.float32)
        ranges = self._ranges(groups)
        added = np.zeros(len(ranges))
        if offsets is not None:
            ranges, added = self._descending(ranges, offsets)
        if bias is not None and len(bias.values) != len(self.items):
            raise ValueError(f"{len(bias.values)} values and an index of {len(self.items)} rows do not fit")
        return _search(
            self.vectors, self.front, self.back, self.scales, self.losses, self.lengths, self.tails, self.longest,
            self.items, self.ties, ranges, added, *(bias or UNBIASED), np.ascontiguousarray(vector, np.float32),
            np.unique(banned).astype(np.int32) if len(banned) else NOTHING,
            EVERY if allowed is None else self._sized(allowed, self._size, np.bool_), k,
        )  # fmt: skip

    def query_reference(
        self,
        vector: Floats,
        k: int,
        groups: Nums | None = None,
        banned: Nums = NOTHING,
        *,
        allowed: NDArray[np.bool_] | None = None,
        offsets: Floats | None = None,
        bias: Bias | None = None,
    ) -> tuple[Nums, Floats]:
        """The same by a product with every row of the groups."""
        ranges = self._ranges(groups)
        rows = np.concatenate([np.arange(*each) for each in ranges] or [np.empty(0, np.int64)])
        group = np.searchsorted(self.starts, rows, side="right") - 1
        added = np.zeros(len(rows)) if offsets is None else np.append(offsets, 0.0)[group]
        added = added + (0 if bias is None else bias.values[rows].astype(np.float64))
        scores = (self.vectors[rows].astype(np.float64) @ vector + added).astype(np.float32)[None]
        wanted = ~np.isin(self.items[rows], banned)
        allowed = wanted if allowed is None else wanted & allowed[self.items[rows]]
        found, values = top_k_reference(scores, CSR(scores.shape, dtype=np.float32), allowed, self.ties[rows], k)
        return np.append(self.items[rows], np.int32(-1))[found[0]], values[0]

    def rows(self, size: int) -> NDArray[np.int64]:
        """(size,) where each row number stands in the arrays; -1 for one that was left out."""
        place = np.full(size, -1, np.int64)
        place[self.items] = np.arange(len(self.items))
        return place

    @cached_property
    def _size(self) -> int:
        """One more than the largest row number."""
        return int(self.items.max(initial=-1)) + 1

    def _ranges(self, groups: Nums | None) -> NDArray[np.int64]:
        """(r, 2) first row and end of each group asked for."""
        if groups is None:
            return np.array([[0, len(self.items)]])
        known = np.unique(groups)
        if known.min(initial=0) < 0:
            raise ValueError(f"group {known[0]} cannot be asked for; cure: leave out the places that are unknown")
        known = known[known < len(self.starts) - 1]
        return np.stack([self.starts[known], self.starts[known + 1]], axis=1)

    def _descending(self, ranges: NDArray[np.int64], offsets: Floats) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The ranges cut into groups, those of the largest offset first, and (r,) their offsets."""
        offsets = self._sized(offsets, len(self.starts) - 1, np.float64)
        if len(ranges) == 1 and ranges[0, 1] - ranges[0, 0] == len(self.items):
            edges = np.append(0, self.starts)
            ranges = np.stack([edges[:-1], edges[1:]], axis=1)
            offsets = np.append(0.0, offsets[: len(self.starts) - 1])
        else:
            offsets = offsets[np.searchsorted(self.starts[:-1], ranges[:, 0], side="right") - 1]
        order = np.argsort(-offsets, kind="stable")
        return ranges[order], offsets[order].astype(np.float64)

    def _sized(self, values: NDArray[Any], least: int, dtype: type) -> NDArray[Any]:
        """Values in a type; ValueError when there are too few, because the compiled loops do not look."""
        if values.ndim != 1 or len(values) < least:
            raise ValueError(f"{values.shape} values and an index that needs {least} do not fit")
        return np.ascontiguousarray(values, dtype)


def _peaks(values: Floats) -> Floats:
    """The largest value of each block of rows."""
    return np.maximum.reduceat(values, np.arange(0, len(values), BLOCK)) if len(values) else values


@njit(cache=True, parallel=True)
def _quantise(vectors, head):  # type: ignore[no-untyped-def]
    """Codes (n, d) int8, scales, losses, lengths and tails (n,) float32."""
    codes = np.zeros(vectors.shape, np.int8)
    scales, losses = np.zeros(len(vectors), np.float32), np.empty(len(vectors), np.float32)
    lengths, tails = np.empty(len(vectors), np.float32), np.empty(len(vectors), np.float32)
    for row in prange(len(vectors)):
        largest, lost, whole, behind = 0.0, 0.0, 0.0, 0.0
        for c in range(vectors.shape[1]):
            largest = max(largest, abs(np.float64(vectors[row, c])))
        if largest > 1e-30:  # else its scale would lose digits; all is lost instead, which the bound allows
            scales[row] = largest / LEVELS
        for c in range(vectors.shape[1]):
            value = np.float64(vectors[row, c])
            if scales[row] > 0:
                codes[row, c] = np.int8(min(max(np.rint(value / scales[row]), -LEVELS), LEVELS))
            lost += (value - np.float64(scales[row]) * codes[row, c]) ** 2
            whole += value * value
            if c >= head:
                behind += (np.float64(scales[row]) * codes[row, c]) ** 2
        losses[row] = np.nextafter(np.float32(np.sqrt(lost)), np.float32(np.inf))
        lengths[row] = np.nextafter(np.float32(np.sqrt(whole)), np.float32(np.inf))
        tails[row] = np.nextafter(np.float32(np.sqrt(behind)), np.float32(np.inf))
    return codes, scales, losses, lengths, tails


@njit(cache=True, nogil=True, inline="always")
def _product(codes, query):  # type: ignore[no-untyped-def]
    """Product of int8 codes with an int16 vector in int32, which the compiler makes multiply-adds of pairs."""
    total = np.int32(0)
    for c in range(len(codes)):
        total += np.int32(codes[c]) * np.int32(query[c])
    return total


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    vectors, front, back, scales, losses, lengths, tails, longest, items, ties, ranges, offsets, bias, peaks, query,
    banned, allowed, k,
):  # fmt: skip
    size, head = len(query), front.shape[1]
    # The query in int16, as fine as sums in int32 allow, and what that loses.
    levels = min(32767, (2**31 - 1) // (LEVELS * max(size, 1)))
    largest, length, lost, behind = 0.0, 0.0, 0.0, 0.0
    for c in range(size):
        largest = max(largest, abs(np.float64(query[c])))
    step = largest / levels if largest > 0 else 1.0
    fine = np.empty(size, np.int16)
    for c in range(size):
        fine[c] = np.int16(np.rint(query[c] / step))
        length += np.float64(query[c]) ** 2
        lost += (query[c] - step * fine[c]) ** 2
        behind += (step * fine[c]) ** 2 if c >= head else 0.0
    length, lost, behind = np.sqrt(length), np.sqrt(lost), np.sqrt(behind) * (1 + ROUNDING)
    # |q.v - q'.v'| <= |q - q'| |v'| + |q| |v - v'|, |v'| <= 127 scale sqrt(d); the score's own rounding comes on top.
    reach = LEVELS * np.sqrt(size) * (lost + length * ROUNDING)

    most = (ranges[:, 1] - ranges[:, 0]).sum()
    tried, products, ends = np.empty(most, np.int32), np.empty(most, np.int32), np.zeros(len(ranges), np.int64)
    places, lowers, order = np.empty(k, np.int32), np.empty(k, np.float64), np.empty(k, np.int32)
    held, count = 0, 0
    for r in range(len(ranges)):
        first, end = ranges[r]
        for block in range(first // BLOCK, (end + BLOCK - 1) // BLOCK):
            if held == k:
                added = offsets[r] + (peaks[block] if len(bias) else 0.0)
                if added + abs(added) * ROUNDING + length * longest[block] * (1 + ROUNDING) < lowers[0]:
                    continue
            for row in range(max(first, block * BLOCK), min(end, (block + 1) * BLOCK)):
                added = offsets[r] + (bias[row] if len(bias) else 0.0)
                slack = abs(added) * ROUNDING
                if held == k and added + slack + length * lengths[row] * (1 + ROUNDING) < lowers[0]:
                    continue
                if len(allowed) and not allowed[items[row]]:
                    continue
                product = _product(front[row], fine[:head])
                around = reach * scales[row] + length * losses[row]
                if head < size:
                    upper = product * (step * scales[row]) + behind * tails[row] + around
                    if held == k and added + slack + upper < lowers[0]:
                        continue
                    product += _product(back[row], fine[head:])
                tried[count], products[count] = row, product
                count += 1
                lower = product * (step * scales[row]) - around + added - slack
                if (held < k or lower > lowers[0]) and not _among(items[row], banned):
                    held = _offer(places, lowers, order, held, k, row, lower, row)
        ends[r] = count

    found, scores, ranks = np.empty(k, np.int32), np.empty(k, np.float32), np.empty(k, np.int32)
    full, floor, r = 0, lowers[0] if held == k else -np.inf, 0
    for at in range(count):
        while at >= ends[r]:
            r += 1
        row = tried[at]
        added = offsets[r] + (bias[row] if len(bias) else 0.0)
        upper = products[at] * (step * scales[row]) + reach * scales[row] + length * losses[row]
        if upper + added + abs(added) * ROUNDING >= floor:
            total = 0.0
            for c in range(size):
                total += np.float64(query[c]) * np.float64(vectors[row, c])
            score = np.float32(total + added)
            better = full < k or _worse(scores[0], ranks[0], score, ties[row])
            if better and not _among(items[row], banned):
                full = _offer(found, scores, ranks, full, k, items[row], score, ties[row])
                if full == k:
                    floor = max(floor, np.float64(scores[0]))
    best, values = np.full(k, -1, np.int32), np.full(k, np.nan, np.float32)
    _drain(found, scores, ranks, full, best, values)
    return best, values


@njit(cache=True, nogil=True)
def _among(item, banned):  # type: ignore[no-untyped-def]
    """Whether a sorted array holds a number."""
    at = np.searchsorted(banned, item)
    return at < len(banned) and banned[at] == item

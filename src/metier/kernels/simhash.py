"""Fingerprints of texts: near-equal texts differ in few of 64 bits (Charikar 2002; Manku, Jain & Das Sarma 2007)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

WORDS = 3
"""Words of a shingle."""
NEAR = 10
"""Bits in which the fingerprints of near-equal texts differ at most. Texts that share nine of ten runs of words differ
in 9 bits in the mean, unlike ones in 32 (Charikar: 64 / pi times the angle between them)."""
_BASIS, _PRIME = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits
_MIX = 0x9E3779B97F4A7C15


def simhash(texts: Sequence[str]) -> NDArray[np.uint64]:
    """(n,) fingerprints. Bit b is set when most of a text's runs of three words have bit b in their hash.

    Words are runs of ASCII letters, of digits and of the bytes of other characters, in any case; a shorter text is
    one run, one without words is 0.
    """
    parts = [text.lower().encode() for text in texts]
    ends = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    return _simhash(np.frombuffer(b"".join(parts), np.uint8), ends)


def simhash_reference(texts: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([_one(text.lower().encode()) for text in texts], np.uint64)


def near_equal(prints: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.int32]:
    """(n,) the first row that each row is near-equal to, over any number of steps; itself when it is alone.

    Parameters
    ----------
    starts : (g + 1,) rows are compared inside each of g ranges only.
    """
    return _near_equal(prints, starts)


def near_equal_reference(prints: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.int32]:
    first = np.arange(len(prints), dtype=np.int32)
    changed = True
    while changed:
        changed = False
        for begin, end in pairwise(starts):
            for a in range(begin, end):
                for b in range(begin, end):
                    near = (int(prints[a]) ^ int(prints[b])).bit_count() <= NEAR
                    if near and first[b] < first[a]:
                        first[a], changed = first[b], True
    return first


def _one(text: bytes) -> int:
    kept = bytes(c if (chr(c).isalnum() and c < 128) or c >= 128 else 32 for c in text)
    hashes = []
    for letters in kept.split():
        value = _BASIS
        for c in letters:
            value = ((value ^ c) * _PRIME) % 2**64
        hashes.append(value)
    sums = [0] * 64
    for at in range(max(len(hashes) - WORDS + 1, min(len(hashes), 1))):
        value = 0
        for word in hashes[at : at + WORDS]:
            value = ((value ^ word) * _MIX) % 2**64
            value ^= value >> 29
        for bit in range(64):
            sums[bit] += 1 if value >> bit & 1 else -1
    return sum(1 << bit for bit in range(64) if sums[bit] > 0)


@njit(cache=True, nogil=True)
def _simhash(data, ends):  # type: ignore[no-untyped-def]
    found = np.zeros(len(ends) - 1, np.uint64)
    one, recent = np.uint64(1), np.zeros(WORDS, np.uint64)
    for row in range(len(found)):
        sums, count = np.zeros(64, np.int32), 0
        value, inside = np.uint64(_BASIS), False
        for at in range(ends[row], ends[row + 1] + 1):
            c = data[at] if at < ends[row + 1] else np.uint8(32)
            if c >= 128 or 48 <= c <= 57 or 97 <= c <= 122 or 65 <= c <= 90:
                value = (value ^ np.uint64(c)) * np.uint64(_PRIME)
                inside = True
            elif inside:
                recent[count % WORDS] = value
                count += 1
                value, inside = np.uint64(_BASIS), False
                if count >= WORDS:
                    _vote(recent, count - WORDS, WORDS, sums)
        if 0 < count < WORDS:
            _vote(recent, 0, count, sums)
        for bit in range(64):
            if sums[bit] > 0:
                found[row] |= one << np.uint64(bit)
    return found


@njit(cache=True, nogil=True)
def _vote(recent, start, count, sums):  # type: ignore[no-untyped-def]
    """One run of words: its hash votes for or against each bit."""
    value = np.uint64(0)
    for step in range(count):
        value = (value ^ recent[(start + step) % WORDS]) * np.uint64(_MIX)
        value ^= value >> np.uint64(29)
    for bit in range(64):
        sums[bit] += 2 * np.int32((value >> np.uint64(bit)) & np.uint64(1)) - 1


@njit(cache=True, nogil=True)
def _near_equal(prints, starts):  # type: ignore[no-untyped-def]
    first = np.arange(len(prints)).astype(np.int32)
    for group in range(len(starts) - 1):
        for a in range(starts[group], starts[group + 1]):
            for b in range(starts[group], a):
                bits, count = prints[a] ^ prints[b], 0
                while bits and count <= NEAR:
                    bits &= bits - np.uint64(1)
                    count += 1
                if count <= NEAR:
                    root, other = _root(first, a), _root(first, b)
                    first[max(root, other)] = min(root, other)
    for row in range(len(first)):
        first[row] = _root(first, row)
    return first


@njit(cache=True, nogil=True)
def _root(first, row):  # type: ignore[no-untyped-def]
    while first[row] != row:
        row = first[row]
    return row

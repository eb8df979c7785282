"""Texts -> vectors: TF-IDF, learned from the postings, and static word embeddings, learned elsewhere."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np

from metier.data import CSR, Floats, Nums
from metier.features.memo import Memo
from metier.features.word_pieces import WordPieces

_WORD = re.compile(r"\w\w+")
"""What scikit-learn takes for a word by default, in small letters: its pattern asks for boundaries that a longest match
has anyway."""
KEPT = 1 << 30
"""Bytes of texts and of their vectors, of either kind, that stay in memory: one catalogue is read by several models, at
several cut-offs."""
BLOCK = 4096
"""Texts that are read at a time."""


class Embedder(Protocol):
    """Anything that turns n texts into n vectors."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, d) float32; an empty text is a row of zeros."""
        ...


@dataclass(frozen=True, eq=False)
class Tfidf:
    """TF-IDF as scikit-learn computes it, with sublinear term frequency and all else at its defaults.

    A term that occurs n > 0 times in a text weighs (1 + ln n) * idf, idf = 1 + ln((1 + N) / (1 + texts with the
    term)); rows are scaled to length 1. Kept as two plain attributes so that a bundle can store it.

    Parameters
    ----------
    vocabulary : (V,) the terms in column order.
    idf : (V,) float64.
    """

    vocabulary: tuple[str, ...]
    idf: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str]) -> "Tfidf":
        """Learn terms and weights; without a single word, an encoder that knows none.

        The last catalogue is kept, with its rows: the parts of one model all read the same postings, again and again.
        """
        whole = tuple(texts)
        return _fitted.get(whole, lambda: cls._fit(whole))

    @classmethod
    def _fit(cls, texts: tuple[str, ...]) -> "Tfidf":
        from sklearn.feature_extraction.text import TfidfTransformer

        columns = defaultdict[str, int]()
        columns.default_factory = columns.__len__
        counts = _counts(texts, columns.__getitem__)
        if not columns:
            return cls((), np.empty(0))
        terms = sorted(columns)
        place = np.empty(len(terms), np.int32)
        place[[columns[term] for term in terms]] = np.arange(len(terms), dtype=np.int32)
        ordered = CSR((counts.data, place[counts.indices], counts.indptr), shape=(len(texts), len(terms)))
        ordered.sort_indices()  # lengths are summed up in column order, here as in `encode`
        weights = TfidfTransformer(sublinear_tf=True).fit(ordered)
        tfidf = cls(tuple(terms), weights.idf_)
        _encoded.put((tfidf, texts), CSR(weights.transform(ordered), dtype=np.float32))
        return tfidf

    def encode(self, texts: Sequence[str]) -> CSR:
        """(n, V) float32 rows of length 1, or 0 for a text without a known term."""
        if not self.vocabulary or not len(texts):
            return CSR((len(texts), len(self.vocabulary)), dtype=np.float32)
        whole = tuple(texts)
        return _encoded.get((self, whole), lambda: self._encode(whole)).copy()

    def _encode(self, texts: tuple[str, ...]) -> CSR:
        from sklearn.feature_extraction.text import TfidfTransformer

        weights = TfidfTransformer(sublinear_tf=True)
        weights.idf_ = self.idf
        counts = _counts(texts, lambda word: self._columns.get(word, -1), len(self.vocabulary))
        return CSR(weights.transform(counts), dtype=np.float32)

    def terms(self, text: str) -> tuple[Nums, Floats]:
        """Columns (ascending) and weights of one text's row of `encode`, without scikit-learn's fixed costs."""
        counts = Counter(self._columns[word] for word in _WORD.findall(text.lower()) if word in self._columns)
        columns = np.array(sorted(counts), np.int32)
        weights = (1 + np.log(np.array([counts[column] for column in columns.tolist()]))) * self.idf[columns]
        length = np.sqrt((weights**2).sum())
        return columns, (weights / length if length else weights).astype(np.float32)

    def __hash__(self) -> int:
        return hash(self.vocabulary)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tfidf) and self.vocabulary == other.vocabulary and np.array_equal(self.idf, other.idf)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {term: column for column, term in enumerate(self.vocabulary)}


class StaticEmbedder:
    """Averages of 256-d static word vectors (WordLlama, shipped inside its package; the network is never used)."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, 256) float32 of length 1; an empty text is a row of zeros."""
        whole = tuple(texts)
        return _embedded.get(whole, lambda: _embed(whole)).copy()


def _length(texts: tuple[str, ...]) -> int:
    return sum(map(len, texts))


_fitted: Memo[Tfidf] = Memo(KEPT, lambda texts, tfidf: _length(texts) + _length(tfidf.vocabulary))
_encoded: Memo[CSR] = Memo(KEPT, lambda key, rows: _length(key[1]) + rows.data.nbytes + rows.indices.nbytes)
_embedded: Memo[Floats] = Memo(KEPT, lambda texts, vectors: _length(texts) + vectors.nbytes)


def _counts(texts: Sequence[str], column: Callable[[str], int], width: int = 0) -> CSR:
    """(n, c) float64 how often each word is in each text, by the number of its column; -1 is no column.

    c is `width`, or one more than the largest number that was found.
    """
    indices, data, lengths = [np.empty(0, np.int32)], [np.empty(0)], [np.zeros(1, np.int64)]
    for block in (texts[at : at + BLOCK] for at in range(0, len(texts), BLOCK)):
        words = [_WORD.findall(text.lower()) for text in block]
        ends = np.cumsum([0, *map(len, words)])
        found = np.fromiter(map(column, chain.from_iterable(words)), np.int32, int(ends[-1]))
        known = found >= 0
        starts = np.append(0, np.cumsum(known))[ends]
        shape = len(block), int(found.max(initial=-1)) + 1
        counts = CSR((np.ones(int(known.sum())), found[known], starts), shape=shape)
        counts.sum_duplicates()
        indices.append(counts.indices)
        data.append(counts.data)
        lengths.append(np.diff(counts.indptr))
    every = np.concatenate(indices)
    width = width or int(every.max(initial=-1)) + 1
    return CSR((np.concatenate(data), every, np.cumsum(np.concatenate(lengths))), shape=(len(texts), width))


def _embed(texts: tuple[str, ...]) -> Floats:
    """What the package's `embed` says of the texts, to the bit: the mean of the vectors of a text's pieces, scaled."""
    vectors = np.zeros((len(texts), 256), np.float32)
    spoken = [row for row, text in enumerate(texts) if text.strip()]
    words = _wordllama()
    for rows in (spoken[at : at + BLOCK] for at in range(0, len(spoken), BLOCK)):
        pieces, starts = _pieces().cut([texts[row] for row in rows])
        np.clip(pieces, 0, len(words.embedding) - 1, out=pieces)
        ones = np.ones(len(pieces), np.float32)
        total = CSR((ones, pieces, starts), shape=(len(rows), len(words.embedding))) @ words.embedding
        mean = total / np.maximum(np.diff(starts), 1).astype(np.float32)[:, None]
        vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return vectors


@lru_cache(maxsize=1)
def _pieces() -> WordPieces:
    return WordPieces(_wordllama().tokenizer)


@lru_cache(maxsize=1)
def _wordllama():  # type: ignore[no-untyped-def]
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    import wordllama

    root.handlers[:] = handlers  # the package sets up logging for the whole process, which is not its to do
    root.setLevel(level)
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

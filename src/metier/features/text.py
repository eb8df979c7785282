"""Texts -> vectors: TF-IDF, learned from the postings, and static word embeddings, learned elsewhere."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from metier.data import CSR, Floats, Nums
from metier.features.memo import Memo
from metier.features.word_pieces import WordPieces

_WORD = re.compile(r"(?u)\b\w\w+\b")
"""What scikit-learn takes for a word by default, in small letters."""
KEPT = 1 << 30
"""Bytes of texts and of their vectors, of either kind, that stay in memory: one catalogue is read by several models, at
several cut-offs."""
BLOCK = 4096
"""Texts that are embedded at a time."""


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
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

        vectorizer = CountVectorizer()
        words = vectorizer.build_analyzer()
        if not any(words(text) for text in texts):
            return cls((), np.empty(0))
        counts = vectorizer.fit_transform(texts)
        counts.sort_indices()  # lengths are summed up in column order, here as in `encode`
        weights = TfidfTransformer(sublinear_tf=True).fit(counts)
        tfidf = cls(tuple(vectorizer.get_feature_names_out().tolist()), weights.idf_)
        _encoded.put((tfidf, texts), CSR(weights.transform(counts), dtype=np.float32))
        return tfidf

    def encode(self, texts: Sequence[str]) -> CSR:
        """(n, V) float32 rows of length 1, or 0 for a text without a known term."""
        if not self.vocabulary or not len(texts):
            return CSR((len(texts), len(self.vocabulary)), dtype=np.float32)
        whole = tuple(texts)
        return _encoded.get((self, whole), lambda: CSR(_vectorizer(self).transform(whole), dtype=np.float32)).copy()

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


@lru_cache(maxsize=4)
def _vectorizer(tfidf: Tfidf):  # type: ignore[no-untyped-def]
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, vocabulary=tfidf._columns)
    vectorizer.idf_ = tfidf.idf
    return vectorizer


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

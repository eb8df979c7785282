"""Texts -> vectors: TF-IDF, learned from the postings, and static word embeddings, learned elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from metier.data import CSR, Floats

KEPT = 16
"""Texts and batches whose vectors stay in memory: one catalogue is read by several models, at several cut-offs."""


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

        The last catalogue is kept: the parts of one model all read the same postings, again and again.
        """
        return _fitted(tuple(texts))

    @classmethod
    def _fit(cls, texts: Sequence[str]) -> "Tfidf":
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer()  # idf does not depend on how term frequencies are scaled
        words = vectorizer.build_analyzer()
        if not any(words(text) for text in texts):
            return cls((), np.empty(0))
        vectorizer.fit(texts)
        return cls(tuple(vectorizer.get_feature_names_out().tolist()), vectorizer.idf_)

    def encode(self, texts: Sequence[str]) -> CSR:
        """(n, V) float32 rows of length 1, or 0 for a text without a known term."""
        if not self.vocabulary or not len(texts):
            return CSR((len(texts), len(self.vocabulary)), dtype=np.float32)
        return _encoded(self, tuple(texts)).copy()

    def __hash__(self) -> int:
        return hash(self.vocabulary)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tfidf) and self.vocabulary == other.vocabulary and np.array_equal(self.idf, other.idf)

    @cached_property
    def _vectorizer(self):  # type: ignore[no-untyped-def]
        from sklearn.feature_extraction.text import TfidfVectorizer

        columns = {term: column for column, term in enumerate(self.vocabulary)}
        vectorizer = TfidfVectorizer(sublinear_tf=True, vocabulary=columns)
        vectorizer.idf_ = self.idf
        return vectorizer


class StaticEmbedder:
    """Averages of 256-d static word vectors (WordLlama, shipped inside its package; the network is never used)."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, 256) float32 of length 1; an empty text is a row of zeros."""
        return _embedded(tuple(texts)).copy()


@lru_cache(maxsize=KEPT)
def _fitted(texts: tuple[str, ...]) -> Tfidf:
    return Tfidf._fit(texts)


@lru_cache(maxsize=KEPT)
def _encoded(tfidf: Tfidf, texts: tuple[str, ...]) -> CSR:
    return CSR(tfidf._vectorizer.transform(texts), dtype=np.float32)


@lru_cache(maxsize=KEPT)
def _embedded(texts: tuple[str, ...]) -> Floats:
    vectors = np.zeros((len(texts), 256), np.float32)
    spoken = [row for row, text in enumerate(texts) if text.strip()]
    if spoken:
        vectors[spoken] = _wordllama().embed([texts[row] for row in spoken], norm=True)
    return vectors


@lru_cache(maxsize=1)
def _wordllama():  # type: ignore[no-untyped-def]
    import wordllama

    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

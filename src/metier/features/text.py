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

_WORD = re.compile(r"(?u)\b\w\w+\b")
"""What scikit-learn takes for a word by default, in small letters."""
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
        return _embedded(tuple(texts)).copy()


@lru_cache(maxsize=KEPT)
def _fitted(texts: tuple[str, ...]) -> Tfidf:
    return Tfidf._fit(texts)


@lru_cache(maxsize=KEPT)
def _encoded(tfidf: Tfidf, texts: tuple[str, ...]) -> CSR:
    return CSR(_vectorizer(tfidf).transform(texts), dtype=np.float32)


@lru_cache(maxsize=4)
def _vectorizer(tfidf: Tfidf):  # type: ignore[no-untyped-def]
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, vocabulary=tfidf._columns)
    vectorizer.idf_ = tfidf.idf
    return vectorizer


@lru_cache(maxsize=KEPT)
def _embedded(texts: tuple[str, ...]) -> Floats:
    vectors = np.zeros((len(texts), 256), np.float32)
    spoken = [row for row, text in enumerate(texts) if text.strip()]
    if len(texts) == 1 and spoken:
        vectors[0] = _average(texts[0])
    elif spoken:
        vectors[spoken] = _wordllama().embed([texts[row] for row in spoken], norm=True)
    return vectors


def _average(text: str) -> Floats:
    """(256,) what the package's `embed` says of one text, to the bit and at half the cost: no offsets, no padding."""
    words = _wordllama()
    (found,) = words.tokenizer.encode_batch_fast([text], add_special_tokens=False)
    mean = words.embedding.take(found.ids, axis=0, mode="clip").sum(axis=0) / np.float32(max(len(found.ids), 1))
    return np.asarray(mean / np.sqrt((mean * mean).sum()), np.float32)


@lru_cache(maxsize=1)
def _wordllama():  # type: ignore[no-untyped-def]
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    import wordllama

    root.handlers[:] = handlers  # the package sets up logging for the whole process, which is not its to do
    root.setLevel(level)
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

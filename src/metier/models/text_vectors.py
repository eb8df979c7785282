"""Texts as vectors of length 1, in the space of a catalogue's postings."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from metier.data import CSR, Floats
from metier.features.text import Embedder, StaticEmbedder, Tfidf
from metier.models.base import Fitted

Encoder = Literal["static", "sentences", "topics", "none"]


class TextVectors(Fitted):
    """An encoder of whole texts that a bundle can keep.

    static      averages of word vectors (WordLlama, 256 numbers)
    sentences   a sentence transformer (MiniLM, 384 numbers; extra [sentences])
    none        no vectors
    topics      TF-IDF of the postings' terms, reduced by their SVD (Deerwester et al. 1990) to at most `topics` numbers

    Where postings have no words at all, vectors have no columns: nothing could be compared with them.
    """

    vocabulary_: tuple[str, ...]  # empty unless the encoder is topics
    idf_: NDArray[np.float64]  # (V,)
    axes_: Floats  # (V, t)
    width_: int  # columns of a vector

    def __init__(self, encoder: Encoder, topics: int = 128) -> None:
        self.encoder, self.topics = encoder, topics

    def fit(self, postings: Sequence[str], rng: np.random.Generator) -> Self:
        """Read the catalogue once."""
        tfidf = Tfidf.fit(postings)
        terms = tfidf if self.encoder == "topics" and self.topics else Tfidf((), np.empty(0))
        self.vocabulary_, self.idf_ = terms.vocabulary, terms.idf
        self.axes_ = _main_axes(terms.encode(postings), self.topics, rng)
        silent = self.encoder == "none" or not tfidf.vocabulary
        self.width_ = 0 if silent else self._embedder().embed(["work"]).shape[1]
        return self

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, width) float32 rows of length 1; of zeros for the silent."""
        return self._embedder().embed(texts) if self.width_ else np.zeros((len(texts), 0), np.float32)

    def _embedder(self) -> Embedder:
        if self.encoder == "static":
            return StaticEmbedder()
        if self.encoder == "topics":
            return _Topics(Tfidf(self.vocabulary_, self.idf_), self.axes_)
        from metier.features.sentences import SentenceEmbedder

        return SentenceEmbedder()


class _Topics:
    def __init__(self, tfidf: Tfidf, axes: Floats) -> None:
        self.tfidf, self.axes = tfidf, axes

    def embed(self, texts: Sequence[str]) -> Floats:
        return unit(self.tfidf.encode(texts) @ self.axes)


def _main_axes(terms: CSR, size: int, rng: np.random.Generator) -> Floats:
    """(V, t) leading right singular vectors, t = `size` or the most there can be."""
    from sklearn.utils.extmath import randomized_svd  # only training needs it

    size = min(size, *terms.shape)
    if not size:
        return np.zeros((terms.shape[1], 0), np.float32)
    axes = randomized_svd(terms, size, random_state=int(rng.integers(2**31)))[2].T  # (V, t)
    return np.ascontiguousarray(axes, np.float32)


def unit(rows: Floats) -> Floats:
    """Rows scaled to length 1; rows of zeros stay."""
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    scaled: Floats = (rows / np.maximum(lengths, 1e-6)).astype(np.float32)
    return scaled

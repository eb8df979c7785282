"""Content: similarity of texts."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.features.text import StaticEmbedder, Tfidf
from metier.models.base import Fitted, ModelConfig
from metier.models.search import Search


class ContentConfig(ModelConfig):
    """How texts become vectors, and how history and profile mix."""

    encoder: Annotated[Literal["tfidf", "embedding"], Search(choices=("tfidf", "embedding"))] = "tfidf"
    """TF-IDF terms learned from the postings, or static word embeddings (256-d, WordLlama)."""
    profile_weight: Annotated[float, Search(0, 1)] = Field(default=0.0, ge=0, le=1)
    """Share of the person's own text where there is a history too; who has no history is matched by their text."""


class Content(Fitted):
    """Jobs whose text is like the jobs one applied to, or like what one says.

    score(u, i) = cos(q_u, t_i), t_i being the vector of job i's text   (Salton & Buckley 1988; Rocchio 1971).

    q_u = (1 - w) h_u + w p_u with w = `profile_weight`: h_u is the sum of the vectors of the jobs in the history and
    p_u the vector of the person's text, both scaled to length 1. Where one of the two is missing the other stands
    alone, so a person without history is matched by what they say. A job without text cannot be scored.
    """

    config: ContentConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    item_vectors_: CSR | Floats  # (I, V) TF-IDF or (I, 256) embeddings
    vocabulary_: tuple[str, ...]
    idf_: NDArray[np.float64]  # (V,)

    def __init__(self, config: ContentConfig = ContentConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Encode all postings."""
        tfidf = Tfidf.fit(data.item_texts) if self.config.encoder == "tfidf" else Tfidf((), np.empty(0))
        self.vocabulary_, self.idf_ = tfidf.vocabulary, tfidf.idf
        self.item_vectors_ = self._encode(data.item_texts)
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) cosines; NaN for a person or job without a vector."""
        vectors = self.item_vectors_ if items is None else self.item_vectors_[items]  # (m, V)
        wish = self._wish(query)
        product = wish @ vectors.T
        scores: Floats = product if isinstance(product, np.ndarray) else product.toarray()
        scores[_empty(wish)] = np.nan
        scores[:, _empty(vectors)] = np.nan
        return scores

    def _wish(self, query: Query) -> CSR | Floats:
        """(b, V) q_u, scaled to length 1."""
        history = _unit(query.history @ self.item_vectors_)
        if query.texts is None:
            return history
        profile = self._encode(query.texts)
        weight = np.where(_empty(history), np.float32(1), np.float32(self.config.profile_weight))
        weight[_empty(profile)] = 0
        return _unit(sparse.diags_array(1 - weight) @ history + sparse.diags_array(weight) @ profile)

    def _encode(self, texts: Sequence[str]) -> CSR | Floats:
        if self.config.encoder == "embedding":
            return StaticEmbedder().embed(texts)
        return Tfidf(self.vocabulary_, self.idf_).encode(texts)


def _unit(vectors: CSR | Floats) -> CSR | Floats:
    """Rows scaled to length 1; a row of zeros stays."""
    lengths = np.sqrt((vectors * vectors).sum(axis=1))
    scaled: CSR | Floats = sparse.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ vectors
    return scaled


def _empty(vectors: CSR | Floats) -> NDArray[np.bool_]:
    """(n,) rows that are all zeros."""
    return np.asarray(abs(vectors).sum(axis=1) == 0).ravel()

"""Attentional factorization machine that reads what people and postings say."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.features.text import StaticEmbedder
from metier.models.afm import AFM
from metier.models.afm_training import Addend, AFMConfig
from metier.models.interaction import Interaction
from metier.models.search import Search


class ReviewAFMConfig(AFMConfig):
    """The settings of AFM, and how two texts meet."""

    interaction: Literal["none", "concatenation", "cosine", "product", "difference", "bilinear", "field"] = "field"
    """How the vectors of the person's text and of the posting enter the score: as attended fields under one learned
    projection (field), as one more addend, or not at all (none)."""
    hidden_size: int = Field(default=32, ge=1)
    """Hidden units of the concatenation."""
    learning_rate: Annotated[float, Search(0.005, 0.2, log=True)] = Field(default=0.05, gt=0)
    """Adagrad's step for the vectors in the passes with attention, the projection of the texts among them."""
    text_rate: float = Field(default=0.02, gt=0)
    """Adagrad's step for the addend."""


class ReviewAFM(AFM):
    """AFM over the texts of people and postings as well, after AFMRUI (Li, Jin & Yuan 2023), trained to rank.

    There, texts written about both sides become vectors that join the fields of an AFM and predict ratings. Here the
    texts are the person's (self-description, résumé, past jobs) and the posting's; their vectors e_u and t_j are frozen
    averages of word vectors (256 numbers, WordLlama), and the loss ranks.

    interaction = field: one learned matrix (256, k) projects e_u and t_j to a field of either side, and attention
    weighs their pairs with all other fields. Otherwise y(u, j) = AFM(u, j) + s(e_u, t_j), see `Interaction`.
    """

    config: ReviewAFMConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    texts_: Floats  # (I, 256) t_j
    interaction_: Interaction

    def __init__(self, config: ReviewAFMConfig = ReviewAFMConfig()) -> None:
        super().__init__(config)
        if config.interaction != "none" and config.interaction != "field":
            self.interaction_ = Interaction(config.interaction)

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Read all texts once, then learn as AFM does."""
        self.texts_ = StaticEmbedder().embed(data.item_texts)
        return super().fit(data, rng=rng)

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) scores: AFM's and, where it is one, the addend."""
        scores = super().score(query, items)
        if self._adds and query.texts is not None:
            theirs = self.texts_ if items is None else self.texts_[items]
            scores += self.interaction_.scores(StaticEmbedder().embed(query.texts), theirs)
        return scores

    def _text_features(self, texts: Sequence[str]) -> list[CSR]:
        """Words, and the vector of the text: 256 features of real values, whose vectors are the projection."""
        words = super()._text_features(texts)
        return [*words, CSR(StaticEmbedder().embed(texts))] if self.config.interaction == "field" else words

    def _addend(self, data: Dataset, rng: np.random.Generator) -> Addend | None:
        if not self._adds:
            return None
        self.interaction_.start(self.texts_.shape[1], self.config.hidden_size, rng)
        alone = np.diff(data.matrix.indptr) <= 1
        ours = StaticEmbedder().embed(data.user_texts)
        return _TextAddend(self.interaction_, ours, self.texts_, alone, self.config.text_rate)

    @property
    def _adds(self) -> bool:
        return self.config.interaction not in ("none", "field")


class _TextAddend(NamedTuple):
    """s(e_u, t_j) of a batch. Like the other features of a person, the text is silent in a share of the steps, and
    speaks always where there is no other application to learn from."""

    interaction: Interaction
    ours: Floats  # (U, 256)
    theirs: Floats  # (I, 256)
    alone: NDArray[np.bool_]  # (U,)
    rate: float

    def forward(self, people: Nums, jobs: Nums, speaks: NDArray[np.bool_]) -> Floats:
        heard = speaks | self.alone[people]
        return self.interaction.forward(self.ours[people] * heard[:, None], self.theirs[jobs])

    def backward(self, gradient: Floats) -> None:
        self.interaction.backward(gradient, self.rate)

"""Factorization machines over ids, attributes, places, words and past applications."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Query
from metier.features.text import Tfidf
from metier.kernels.similarity import strongest
from metier.models.base import Factored
from metier.models.factorization import FactorizationConfig, HistoryUse, factorize, past_shares
from metier.models.fields import scaled
from metier.models.search import Search


class FMConfig(FactorizationConfig):
    """Which fields take part, and how they are trained."""

    ids: bool = True
    """A field for the person and one for the job."""
    min_count: int = Field(default=2, ge=0)
    """Applications a job needs for an id of its own; a rarer one is known by its attributes and words alone."""
    attributes: bool = True
    """All columns of the person and the job: categories, bins, lists, nested places."""
    attribute_length: Annotated[float | None, Search(0.1, 2.0, log=True)] = Field(default=None, gt=0)
    """Length that the attributes of a person and of a job are scaled to, as words are to 1; by default they stay as
    they are. Short where there are many attributes that say little."""
    history: int = Field(default=50, ge=0)
    """Past applications in the person's bag, the latest first; 0 leaves the field out."""
    past_scale: float = Field(default=0.01, ge=0)
    """Standard deviation of the first of those vectors that a job has as a past application only, added to those that
    it has as a candidate; 0 for none."""
    history_decay: Annotated[float, Search(0.0, 1.0)] = Field(default=0.3, ge=0)
    """A past application weighs exp(-decay) of the one after it; 0 treats all alike, as data without times does."""
    history_power: float = Field(default=0.5, ge=0, le=1)
    """The bag is divided by its mass to this power: 0 a sum, 1 a mean."""
    silence: Annotated[float, Search(0.0, 0.9)] = Field(default=0.6, ge=0, lt=1)
    """Share of training steps in which a person with a history is seen by that history alone."""
    job_text: bool = True
    """The words of the posting."""
    person_text: bool = True
    """The words of the person: self-description, past titles, résumé."""
    words: int = Field(default=24, ge=1)
    """Words kept of each text, those of the largest TF-IDF weight."""
    word_scale: Annotated[float, Search(0.03, 0.6, log=True)] = Field(default=0.3, gt=0)
    """Standard deviation of the first vectors of words: texts that share words begin alike, before anything is learned,
    with an expected score of embedding_size * word_scale^2 times the cosine of their TF-IDF vectors."""
    pairs_inside_job: bool = False
    """Whether b_j has the pairs of the job's own features, as Rendle's equation 1 does."""


class FM(Factored):
    """Factorization machine (Rendle 2010, equation 1) that ranks a person's jobs.

    y(u, j) = <p_u, q_j> + b_j, where p_u sums the vectors of the person's features and of the jobs applied to, q_j
    those of the job's features, and b_j holds the job's linear terms. Terms inside the person are the same for every
    job and are left out, so that the whole catalogue is ranked by one matrix product. The pairs inside the job are one
    more bias of the job; they are off unless asked for, because they cost accuracy (docs/reference/models.md).

    A past application and a candidate share the job's vectors, and a past one adds a vector of its own; the target of
    a training step is left out of the bag.
    Words of persons and of postings share their vectors as well.
    """

    config: FMConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    person_vectors_: Floats  # (U, k) of the ids; zeros without them
    attribute_vectors_: Floats  # (f, k) of the columns of user_features
    word_vectors_: Floats  # (V, k)
    job_vectors_: Floats  # (I, k + 1): q_j and b_j
    past_vectors_: Floats  # (I, k): the job as a past application
    vocabulary_: tuple[str, ...]
    idf_: np.ndarray

    def __init__(self, config: FMConfig = FMConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Number the features, learn a vector for each, and sum up the jobs."""
        config = self.config
        words = Tfidf.fit(data.item_texts if config.job_text else [])
        self.vocabulary_, self.idf_ = words.vocabulary, words.idf
        n_users, n_items = data.shape
        asked = data.query(np.arange(n_users, dtype=np.int32))
        person_words = self._person_words(asked)
        active = np.diff(data.matrix.indptr) > 0
        common = np.bincount(data.interactions.items, minlength=n_items) >= config.min_count
        blocks = {  # name: (people, jobs)
            "job": (CSR((n_users, n_items), dtype=np.float32), _indicators(common & config.ids)),
            "job attribute": _one_sided(self._scaled(data.item_features.matrix), n_users, people=False),
            "word": (person_words, strongest(words.encode(data.item_texts), config.words)),
            "person": (_indicators(active & config.ids), CSR((n_items, n_users), dtype=np.float32)),
            "person attribute": _one_sided(self._scaled(data.user_features.matrix), n_items, people=True),
            "past": (CSR((n_users, n_items), dtype=np.float32), CSR((n_items, n_items), dtype=np.float32)),
        }
        people, jobs = (CSR(sparse.hstack([block[side] for block in blocks.values()])) for side in (0, 1))
        own = _indicators(common & config.ids & (config.past_scale > 0))
        pasts = CSR(sparse.hstack([jobs[:, : jobs.shape[1] - n_items], own]))
        scales = {"word": config.word_scale, "past": config.past_scale}
        scale = np.concatenate(
            [
                np.full(block[0].shape[1], scales.get(name, config.init_scale), np.float32)
                for name, block in blocks.items()
            ]
        )
        vectors, weights = factorize(
            people, jobs, pasts, data, config, self._history_use, rng, scale=scale, pairs=config.pairs_inside_job
        )
        ends = np.cumsum([block[0].shape[1] for block in blocks.values()])
        self.word_vectors_, self.person_vectors_, self.attribute_vectors_ = (
            vectors[ends[at] : ends[at + 1]] for at in (1, 2, 3)
        )
        # A vector that no application has moved is still its random start: it says nothing, so it is silenced.
        self.person_vectors_[~active | (not config.ids)] = 0
        seen = np.bincount(data.user_features.matrix[active].indices, minlength=len(self.attribute_vectors_))
        self.attribute_vectors_[seen == 0] = 0
        q = jobs @ vectors  # (I, k)
        bias = jobs @ weights
        if config.pairs_inside_job:
            bias = bias + 0.5 * ((q**2).sum(axis=1) - jobs.power(2) @ (vectors**2).sum(axis=1))
        self.job_vectors_ = np.column_stack([q, bias]).astype(np.float32)
        self.past_vectors_ = (pasts @ vectors).astype(np.float32)
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, k + 1): p_u and a 1 that picks up the job's bias."""
        known = query.users >= 0
        p = np.where(known[:, None], self.person_vectors_[np.maximum(query.users, 0)], np.float32(0))
        if query.features is not None and self.config.attributes:
            p = p + self._scaled(query.features) @ self.attribute_vectors_
        p = p + self._person_words(query) @ self.word_vectors_
        if self.config.history:
            p = p + past_shares(query, self._history_use) @ self.past_vectors_
        return np.column_stack([p, np.ones(len(query))]).astype(np.float32)

    def item_vectors(self) -> Floats:
        """(I, k + 1): q_j and b_j."""
        return self.job_vectors_

    @property
    def _history_use(self) -> HistoryUse:
        config = self.config
        return HistoryUse(config.history_decay, config.history, config.history_power, config.silence)

    def _scaled(self, matrix: CSR) -> CSR:
        """Attributes at `attribute_length`; none where they take no part."""
        if not self.config.attributes:
            return CSR(matrix.shape, dtype=np.float32)
        return scaled(matrix, self.config.attribute_length)

    def _person_words(self, query: Query) -> CSR:
        """(b, V) the strongest words of each person."""
        if not self.config.person_text or query.texts is None:
            return CSR((len(query), len(self.vocabulary_)), dtype=np.float32)
        return strongest(Tfidf(self.vocabulary_, self.idf_).encode(query.texts), self.config.words)


class FMNoResumeConfig(FMConfig):
    """The settings of FM with the person's words left out."""

    person_text: Literal[False] = False
    """Always off: that is what sets this row apart."""


class FMNoResume(FM):
    """FM without the résumé: the same machine, deaf to what the person wrote. The control of the public experiment."""

    config: FMNoResumeConfig

    def __init__(self, config: FMNoResumeConfig = FMNoResumeConfig()) -> None:
        super().__init__(config)


def _indicators(present: np.ndarray) -> CSR:
    """(n, n) with a 1 on the diagonal where `present`."""
    rows = np.flatnonzero(present)
    return CSR((np.ones(len(rows), np.float32), (rows, rows)), shape=(len(present), len(present)))


def _one_sided(matrix: CSR, others: int, *, people: bool) -> tuple[CSR, CSR]:
    """Features that only people or only jobs have, with empty columns on the other side."""
    empty = CSR((others, matrix.shape[1]), dtype=np.float32)
    return (matrix, empty) if people else (empty, matrix)

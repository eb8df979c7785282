"""Profile: what a brand-new person is ranked by, as a conditional logit over a handful of matches."""

from typing import Annotated, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.features.distance import columns, log_km, positions
from metier.features.text import StaticEmbedder
from metier.kernels.pairs import dense_dot, sparse_dot
from metier.models.base import Fitted, ModelConfig
from metier.models.factorization import HistoryUse, past_shares
from metier.models.learning_to_rank import likeliest
from metier.models.lessons import without
from metier.models.search import Search
from metier.models.text_vectors import TextVectors, unit

PAST = HistoryUse(decay=0.3, longest=50, power=0.5, silence=0.0)
PLACES = ("country", "state", "city", "zip3")
TEXTS = 5
"""Weights of texts; those of places follow."""


class ProfileConfig(ModelConfig):
    """What is compared, and how much is learned from."""

    topics: Annotated[int, Search(32, 256, log=True)] = Field(default=64, ge=1)
    """Dimensions that the TF-IDF terms of texts are reduced to (latent semantic analysis)."""
    neighbours: int = Field(default=2048, ge=1)
    """Postings that a person's words are read through; drawn at random."""
    temperature: Annotated[float, Search(0.2, 1.0, log=True)] = Field(default=0.4, gt=0)
    """Standard deviations by which a posting must be more alike to weigh e times as much among them."""
    prior: Annotated[float, Search(0.2, 5.0, log=True)] = Field(default=0.65, gt=0)
    """Added to a job's number of applications before the logarithm."""
    reg: Annotated[float, Search(0.01, 10.0, log=True)] = Field(default=0.1, ge=0)
    """L2 on the weights."""
    examples: int = Field(default=4000, ge=1)
    """Applications to learn from at most; drawn at random."""
    negatives: int = Field(default=512, ge=1)
    """Jobs that each of them is ranked against; drawn at random."""


class Weights(NamedTuple):
    """The weights w of people with or without a history, by what they multiply; f place columns."""

    own: tuple[float, float]
    """cosines of the person's own words: static vectors, topics"""
    near: float
    """cosine of the topics of postings like these words"""
    past: tuple[float, float]
    """cosines of past postings: static vectors, topics"""
    own_places: Floats
    """(f,)"""
    past_places: Floats
    """(f,)"""
    appeal: Floats
    """(2,)"""
    far: float


class Profile(Fitted):
    """A conditional logit (McFadden 1974) that needs no history.

    P(j | u) ~ exp(w . x_uj), where x_uj holds, for the person's own words and for the past postings, the cosines of
    static word vectors and of TF-IDF topics (LSA, Deerwester et al. 1990) with the posting; the cosine of its topics
    with those of postings like the person's words (`near`); one match for each place field of the profile and of past
    postings; ln(n_j + a) for n_j other people's applications, ln of the days that the posting has been open; and
    ln(1 + km / 25) between home and posting. There are two sets of weights, for people without and with a history,
    learned from the same applications: an application counts neither in the n_j nor in the history that it is
    explained by.
    """

    config: ProfileConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    topics_: TextVectors  # t columns
    meaning_: Floats  # (I, 256)
    topic_: Floats  # (I, t)
    sample_: Nums  # (p,) postings that words are read through
    places_: CSR  # (I, f) the place columns of the jobs
    shared_: CSR  # (g, f) from a person's columns to them
    kind_: NDArray[np.int16]  # (f,) place field of each column
    at_: Floats  # (I, 3) where each posting is
    person_places_: Floats  # (g, 3) where each attribute column is
    appeal_: Floats  # (I, 2) ln(n + a), ln(days open)
    alone_: Floats  # (w,) weights of people without a history
    beside_: Floats  # (w,) and with one

    def __init__(self, config: ProfileConfig = ProfileConfig()) -> None:
        self.config = config
        self.topics_ = TextVectors("topics", config.topics)

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Encode the postings, then learn the two sets of weights."""
        self.topics_.fit(data.item_texts, rng)
        self.meaning_, self.topic_ = StaticEmbedder().embed(data.item_texts), self.topics_.embed(data.item_texts)
        size = len(data.items)
        self.sample_ = np.sort(rng.choice(size, min(self.config.neighbours, size), replace=False)).astype(np.int32)
        jobs, people = data.item_features, data.user_features
        here = [number for number, name in enumerate(jobs.field_names) if name in PLACES]
        placed = np.flatnonzero(np.isin(jobs.fields, here))
        self.places_, self.kind_ = (
            CSR(jobs.matrix[:, placed]),
            np.searchsorted(here, jobs.fields[placed]).astype(np.int16),
        )
        name = {jobs.names[column]: at for at, column in enumerate(placed)}
        match = [(row, name[one]) for row, one in enumerate(people.names) if one in name]
        rows, at = (np.array(side, np.int64) for side in zip(*match, strict=True)) if match else ([], [])
        self.shared_ = CSR((np.ones(len(match), np.float32), (rows, at)), shape=(len(people.names), len(placed)))
        self.at_, self.person_places_ = positions(jobs.matrix, columns(jobs.names)), columns(people.names)
        count = np.bincount(data.interactions.items, minlength=len(data.items))
        self.appeal_ = np.column_stack([np.log(count + self.config.prior), _log_days_open(data)]).astype(np.float32)
        self._learn(data, count, rng)
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) w . x"""
        rows = slice(None) if items is None else items
        cold = np.diff(query.history.indptr) == 0
        w = np.where(cold[:, None], self.alone_, self.beside_)  # (b, w)
        texts, places = self._sides(query)
        fields = len(self._fields)
        parts = [w[:, [column]] * text for column, text in enumerate(texts)]
        text = np.hstack([parts[0] + parts[3], parts[1] + parts[2] + parts[4], w[:, -3:-1]])
        place = CSR((len(query), len(self.kind_)), dtype=np.float32)
        for side, matrix in enumerate(places):
            first = TEXTS + side * fields
            weight = w[:, first : first + fields][:, self.kind_] if fields else np.empty((len(w), 0))
            row = np.repeat(np.arange(len(query)), np.diff(matrix.indptr))
            place = place + CSR(
                (matrix.data * weight[row, matrix.indices], matrix.indices, matrix.indptr), matrix.shape
            )
        jobs = np.hstack([self.meaning_[rows], self.topic_[rows], self.appeal_[rows]])  # (m, 256 + t + 2)
        far = np.stack([log_km(one, self.at_[rows]) for one in self._homes(query)[:, None]]) if len(query) else 0
        return np.asarray(text @ jobs.T + (place @ CSR(self.places_[rows]).T).toarray() + w[:, [-1]] * far, np.float32)

    def weights(self, *, heard: bool) -> Weights:
        """w of people with (`heard`) or without a history."""
        w, fields = self.beside_ if heard else self.alone_, len(self._fields)
        places = w[TEXTS : TEXTS + 2 * fields].reshape(2, fields)[:, self.kind_]  # (2, f)
        return Weights((w[0], w[1]), w[2], (w[3], w[4]), places[0], places[1], w[-3:-1], w[-1])

    def _homes(self, query: Query) -> Floats:
        """(b, 3) where each person is."""
        if query.features is None:
            return np.zeros((len(query), 3), np.float32)
        return positions(query.features, self.person_places_)

    @property
    def _fields(self) -> NDArray[np.int16]:
        return np.unique(self.kind_)

    def _sides(self, query: Query) -> tuple[list[Floats], tuple[CSR, CSR]]:
        """Text vectors of length 1, (b, 256) or (b, t), of what the first weights multiply (own static vectors and
        topics, topics of postings like them, static vectors and topics of the past); place columns of person and past.
        """
        texts = query.texts if query.texts is not None else [""] * len(query)
        own, topics = StaticEmbedder().embed(texts), self.topics_.embed(texts)
        some = self.meaning_[self.sample_], self.topic_[self.sample_]
        like = near(np.hstack([own, topics]), np.hstack(some), some[1], self.config.temperature)
        shares = past_shares(query, PAST)
        profile = CSR((len(query), len(self.kind_)), dtype=np.float32)
        if query.features is not None:
            profile = CSR(query.features @ self.shared_)
        past = [unit(shares @ self.meaning_), unit(shares @ self.topic_)]
        return [own, topics, like, *past], (profile, CSR(shares @ self.places_))

    def _learn(self, data: Dataset, count: NDArray[np.int64], rng: np.random.Generator) -> None:
        """Each application drawn against random jobs, once as if the person were new and once beside the other ones."""
        pairs, config = data.interactions, self.config
        n = min(config.examples, len(pairs))
        drawn = np.sort(rng.choice(len(pairs), n, replace=False)) if n else np.empty(0, np.int64)
        users, targets = pairs.users[drawn].astype(np.int32), pairs.items[drawn].astype(np.int32)
        other = rng.integers(0, len(data.items), (n, config.negatives), dtype=np.int32)
        row = np.repeat(np.arange(n, dtype=np.int32), config.negatives + 1)
        item = np.column_stack([targets, other]).ravel()
        label = np.tile(np.arange(config.negatives + 1) == 0, n).astype(np.int8)
        taken = np.isin(row.astype(np.int64) * len(data.items) + item, _cells(data.matrix[users]))
        kept = (label == 1) | ~taken  # nobody passed over what they applied to
        row, item, label = row[kept], item[kept], label[kept]
        asked = data.query(users)
        past_row = np.repeat(np.arange(n), np.diff(asked.history.indptr))
        query = without(asked, asked.history.indices == targets[past_row])
        sides, places = self._sides(query)
        appeal = self.appeal_[item].copy()
        appeal[label == 1, 0] = np.log(count[targets] - 1 + config.prior)
        jobs = self.meaning_, self.topic_, self.topic_, self.meaning_, self.topic_
        texts = [dense_dot(side, job, row, item) for side, job in zip(sides, jobs, strict=True)]
        matches = [
            sparse_dot(CSR(side[:, self.kind_ == f]), CSR(self.places_[:, self.kind_ == f]), row, item)
            for side in places
            for f in self._fields
        ]
        far = log_km(self._homes(query)[row], self.at_[item])
        x = np.column_stack([*texts, *matches, appeal, far])
        new = np.ones(x.shape[1], np.float32)
        new[[3, 4, *range(TEXTS + len(self._fields), TEXTS + 2 * len(self._fields))]] = 0  # no past
        self.alone_ = likeliest(x * new, label, row, reg=config.reg)
        heard = (np.diff(query.history.indptr) > 0)[row]
        some = heard.any()
        self.beside_ = likeliest(x[heard], label[heard], row[heard], reg=config.reg) if some else self.alone_


def near(words: Floats, postings: Floats, topics: Floats, temperature: float) -> Floats:
    """Topics of postings like what people say: a relevance model (Lavrenko & Croft 2001) of topics instead of words.

    A person's words, one title or a whole résumé, are worded unlike a posting; the postings that they are most alike
    are not. Each posting weighs exp(z / temperature), z the sum of both cosines in standard deviations of this
    person's sums: those of a long text lie closer together than those of a title, and yet it does not say less.

    Parameters
    ----------
    words : (b, d) static vectors and topics, each of length 1; a silent person has zeros.
    postings : (p, d) the same of postings, topics : (p, t) their topics.

    Returns
    -------
    (b, t) of length 1, zeros for the silent.
    """
    alike = words @ postings.T  # (b, p)
    if not alike.size:
        return np.zeros((len(words), topics.shape[1]), np.float32)
    z = (alike - alike.max(axis=1, keepdims=True)) / np.maximum(alike.std(axis=1, keepdims=True), 1e-6)
    weight = np.exp(z / temperature)
    return unit((weight @ topics) * words.any(axis=1, keepdims=True))


def _log_days_open(data: Dataset) -> Floats:
    """(I,) ln of the days from opening to the latest moment, at least an hour; the mean where unknown, 0 for all."""
    moment = np.concatenate([data.interactions.times, [] if data.asked is None else data.asked])
    if data.spans is None or not np.isfinite(moment).any():
        return np.zeros(len(data.items), np.float32)
    days = np.log(np.maximum((np.nanmax(moment) - data.spans[:, 0]) / 86400.0, 1 / 24))
    known = np.isfinite(days)
    return np.where(known, days, days[known].mean() if known.any() else 0).astype(np.float32)


def _cells(matrix: sparse.csr_array) -> NDArray[np.int64]:
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return np.asarray(row * matrix.shape[1] + matrix.indices)

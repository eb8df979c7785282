"""Attentional factorization machine: which pairs of what is known about a person and a job matter, and how much."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.features.text import Tfidf
from metier.kernels.afm_rank import afm_scores, attend_reference, distinct, inner_parts, no_parts
from metier.kernels.similarity import strongest
from metier.models.afm_training import Addend, AFMConfig, train
from metier.models.base import Fitted
from metier.models.factorization import HistoryUse, past_shares
from metier.models.fields import Block, indicators, nobody, number, scaled, values


class AFM(Fitted):
    """Attentional factorization machine (Xiao et al. 2017, equations 4 to 6) that ranks a person's jobs.

    y(u, j) = p . sum_fg a_fg (s_f * s_g) + b_j over the pairs of a field f of the person and a field g of the job;
    a is the softmax over the pairs of h . ReLU(W (s_f * s_g) + b) / T, and b_j holds the job's linear terms. A field is
    one vector: the sum of those of the values it holds, zero when it holds none. A person has the fields id, each
    attribute, words and past applications (see `FM`), a job has id, each attribute and words.

    Pairs inside the person and inside the job, which the paper has too, change the softmax and so the ranking; both are
    settings. In the paper's own code the softmax runs over an axis of length 1; here the weights of a score sum to 1.
    """

    config: AFMConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    person_vectors_: Floats  # (P, k) of what texts are made of, of the ids and of the attributes of people
    person_fields_: Nums  # (P,) the field of each, -1 for none
    persons_: int  # M
    widths_: Nums  # how many of the P are ids, and how many attributes
    past_vectors_: Floats  # (I, k) a job as a past application
    values_: Floats  # (S, k) the distinct vectors of the jobs' fields
    job_values_: Nums  # (I, N) rows of values_
    job_parts_: Floats  # (I, 3) what the pairs inside a job add to its softmax
    job_biases_: Floats  # (I,)
    attention_: Floats  # (A + 1, k): W, and p as the last row
    attention_bias_: Floats  # (A,) b
    relevance_: Floats  # (A,) h
    temperature_: float
    vocabulary_: tuple[str, ...]
    idf_: NDArray[np.float64]

    def __init__(self, config: AFMConfig = AFMConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Number the features, learn vectors and attention, and find the distinct values of each field of the jobs."""
        config = self.config
        words = Tfidf.fit(data.item_texts if config.job_text else [])
        self.vocabulary_, self.idf_ = words.vocabulary, words.idf
        self.widths_ = np.array([len(data.users), len(data.user_features.names)], np.int32)
        blocks = self._blocks(data)
        known = number(blocks, history=config.history > 0)
        learned = train(known, data, config, self._history_use, rng, self._addend(data, rng))
        # A vector that no application has moved is still its random start: it says nothing, so it is silenced.
        active = np.diff(data.matrix.indptr) > 0
        met = np.bincount(known.people[active].indices, minlength=len(known.scale)) > 0
        ends = np.cumsum([len(block.field) for block in blocks])
        first, own, last = ends[1], ends[-4], ends[-2]  # what people have lies between what jobs have and the past
        self.persons_, self.person_fields_ = known.fields.persons, known.fields.person[first:last]
        self.person_vectors_ = learned.vectors[first:last].copy()
        self.person_vectors_[own - first :][~met[own:last]] = 0
        self.past_vectors_ = np.asarray(known.pasts @ learned.vectors, np.float32)
        self.values_, self.job_values_ = values(known.jobs, learned.vectors, known.fields)
        self.job_biases_ = np.asarray(known.jobs @ learned.weights, np.float32)
        self.attention_ = np.vstack([learned.attention, learned.output])
        self.attention_bias_, self.relevance_ = learned.bias, learned.relevance
        self.temperature_ = float(np.exp(learned.log_temperature[0]))
        self.job_parts_ = self._inner_parts()
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) scores; everybody and everything has one."""
        every = slice(None) if items is None else items
        people, (used, places) = self.person_fields(query), distinct(self.job_values_[every])
        jobs = places, self.job_parts_[every], self.job_biases_[every]
        attention, bias, relevance, temperature = self._head
        inside = self.config.pairs_inside_person
        return afm_scores(people, inside, self.values_[used], *jobs, attention, bias, relevance, temperature)

    def person_fields(self, query: Query) -> Floats:
        """(b, M, k) the vectors of the fields of each person."""
        fields = np.zeros((len(query), self.persons_, self.config.embedding_size), np.float32)
        known = CSR(sparse.hstack(self._person_features(query)))  # (b, P)
        for field in np.unique(self.person_fields_[self.person_fields_ >= 0]):
            columns = np.flatnonzero(self.person_fields_ == field)
            fields[:, field] = CSR(known[:, columns]) @ self.person_vectors_[columns]
        if self.config.history:
            fields[:, -1] = past_shares(query, self._history_use) @ self.past_vectors_
        return fields

    def attention(self, query: Query, item: int) -> Floats:
        """(b, M + N, M + N) the attention that each pair of fields gets in the score of one job, above the diagonal.

        Fields are those of the person, past applications last, then those of the job; each (M + N, M + N) sums to 1.
        """
        people, job = self.person_fields(query), self.values_[self.job_values_[item]]
        persons, size = people.shape[1], people.shape[1] + len(job)
        left, right = np.triu_indices(size, 1)
        counts = (left < persons) & (right >= persons)
        counts |= (right < persons) & self.config.pairs_inside_person
        counts |= (left >= persons) & self.config.pairs_inside_job
        shares = np.zeros((len(people), size, size), np.float32)
        for row, person in enumerate(people):
            fields = np.concatenate([person, job])
            products = fields[left[counts]] * fields[right[counts]]
            shares[row, left[counts], right[counts]] = attend_reference(products, *self._head)[0]
        return shares

    def _inner_parts(self) -> Floats:
        """(I, 3) what the pairs inside each job add to its softmax: nothing, unless asked for."""
        if not self.config.pairs_inside_job:
            return no_parts(len(self.job_values_))
        return inner_parts(self.values_, self.job_values_, *self._head)

    def _blocks(self, data: Dataset) -> list[Block]:
        """Features of jobs (ids, attributes), texts, people (ids, attributes) and past jobs, numbered as by FM."""
        config, (n_users, n_items) = self.config, data.shape
        applied = np.diff(data.matrix.indptr) > 0
        asked = data.query(np.arange(n_users, dtype=np.int32))
        *texts, ids, attributes = self._person_features(replace(asked, users=np.where(applied, asked.users, -1)))
        common = np.bincount(data.interactions.items, minlength=n_items) >= config.min_count
        itself = indicators(np.where(common, np.arange(n_items), -1), n_items)
        blocks = [
            (nobody(n_users, n_items), itself if config.ids else nobody(n_items, n_items)),
            (nobody(n_users, len(data.item_features.names)), self._attributes(data.item_features.matrix)),
            *zip(texts, self._text_features(data.item_texts), strict=True),
            (ids, nobody(n_items, n_users)),
            (attributes, nobody(n_items, len(data.user_features.names))),
        ]
        fields = {1: data.item_features.fields, len(blocks) - 1: data.user_features.fields}
        return [
            *(
                Block(
                    people,
                    jobs,
                    jobs,
                    fields.get(place, np.zeros(jobs.shape[1], int)),
                    config.word_scale if 2 <= place < len(blocks) - 2 else config.init_scale,
                )
                for place, (people, jobs) in enumerate(blocks)
            ),
            Block(
                nobody(n_users, n_items),
                nobody(n_items, n_items),
                itself if config.past_scale > 0 else nobody(n_items, n_items),
                np.zeros(n_items, int),
                config.past_scale,
            ),
        ]

    def _person_features(self, query: Query) -> list[CSR]:
        """(b, f) each: what texts are made of, ids and attributes."""
        config, (n_users, n_attributes) = self.config, self.widths_
        texts = query.texts if config.person_text else None
        known = nobody(len(query), n_attributes) if query.features is None else query.features
        return [
            *self._text_features([""] * len(query) if texts is None else texts),
            indicators(query.users if config.ids else np.full_like(query.users, -1), n_users),
            self._attributes(known),
        ]

    def _attributes(self, matrix: CSR) -> CSR:
        """Attributes at `attribute_length`; none where they take no part."""
        return scaled(matrix, self.config.attribute_length) if self.config.attributes else nobody(*matrix.shape)

    def _text_features(self, texts: Sequence[str]) -> list[CSR]:
        """What texts are made of: their strongest words."""
        return [strongest(Tfidf(self.vocabulary_, self.idf_).encode(texts), self.config.words)]

    def _addend(self, data: Dataset, rng: np.random.Generator) -> Addend | None:
        """What else adds to the scores while training: nothing."""
        return None

    @property
    def _head(self) -> tuple[Floats, Floats, Floats, np.float32]:
        """What the attention has learned."""
        return self.attention_, self.attention_bias_, self.relevance_, np.float32(self.temperature_)

    @property
    def _history_use(self) -> HistoryUse:
        config = self.config
        return HistoryUse(config.history_decay, config.history, config.history_power, config.silence)

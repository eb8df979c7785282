"""Two towers: people and postings that nobody has seen before, known by what they say, where they are and did."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Features, Floats, Query
from metier.errors import MissingExtraError
from metier.models.base import Factored, ModelConfig
from metier.models.factorization import FactorizationConfig, HistoryUse, past_shares
from metier.models.search import Search
from metier.models.text_vectors import TextVectors, unit


class TwoTowerConfig(ModelConfig):
    """What the towers read and how they are trained."""

    encoder: Literal["static", "sentences"] = "static"
    """Vectors of whole texts: averages of word vectors, or a sentence transformer (extra [sentences])."""
    topics: Annotated[int, Search(32, 256, log=True)] = Field(default=64, ge=0)
    """Dimensions t that the TF-IDF terms of a text are reduced to; 0 leaves them out."""
    embedding_size: Annotated[int, Search(8, 128, log=True)] = Field(default=32, ge=1)
    """Length k of the block that starts from nothing."""
    code_size: int = Field(default=64, ge=1)
    """Columns of a field's code. A field with no more values than this is matched exactly; the values of a larger one
    overlap by about 1/sqrt(code_size)."""
    history: int = Field(default=50, ge=0)
    """Past applications that count, the latest first; 0 makes the person's tower deaf to them."""
    history_decay: Annotated[float, Search(0.0, 1.0)] = Field(default=0.3, ge=0)
    """A past application weighs exp(-decay) of the one after it; 0 treats all alike."""
    history_power: Annotated[float, Search(0.0, 1.0)] = Field(default=0.5, ge=0, le=1)
    """The bag of past applications is divided by its mass to this power: 0 a sum, 1 a mean."""
    silence: float = Field(default=0.5, ge=0, le=1)
    """Share of training steps without the person's history, so that people who have none are trained for."""
    epochs: Annotated[int, Search(5, 40, log=True)] = Field(default=10, ge=1)
    """Passes over all applications."""
    batch: int = Field(default=256, ge=1)
    """Applications a step."""
    learning_rate: Annotated[float, Search(3e-4, 0.01, log=True)] = Field(default=0.001, gt=0)
    """Adam's first step; it falls to a twentieth on the way."""
    reg: float = Field(default=1e-6, ge=0)
    """L2 on everything but the weights of blocks and of popularity."""
    negatives: int = Field(default=8, ge=1)
    """Jobs that each application adds to the pool of its batch."""
    same_state: float = Field(default=0.25, ge=0, le=1)
    """Share of them drawn from the state of the job applied to."""
    same_city: float = Field(default=0.125, ge=0, le=1)
    """Share of them drawn from its city."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where training runs. Answers never need torch; the same seed gives the same bytes on the CPU only."""


class TwoTower(Factored):
    """A tower for the person and one for the posting, neither of which knows an id (Yi et al. 2019).

    y(u, j) = sum_b <w_b p_ub + s_b sum_h c_h q_hb, q_jb> + m . a_j + e ln(n_j + a)

    over the blocks b: the texts' static vectors, the texts' topics (TF-IDF reduced by an SVD of the postings), one for
    each field of the postings, and one learned from scratch. h runs over the past applications, c_h falls with each one
    made since. Of texts x, field codes z, attributes f and job attributes a:

    text block     p = unit(A x_u), q = unit(B x_j); A and B start as the identity, so alike texts score at once
    field block    p = z_u, q = z_j; equal values have equal codes, and a field that people lack has p = 0
    learned block  p = P x_u + F f_u, q = Q x_j + G a_j

    Each block is a cosine with a temperature 1/w_b of its own; w_b is one number for people without a history and one
    for the others. n_j counts the applications to j, in training without the one that is being learned, so that
    popularity is weighed as it will be met. People and jobs that come later need their text, place and attributes only.
    """

    config: TwoTowerConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    static_: TextVectors  # d columns; none where postings are silent
    topics_: TextVectors  # t columns
    codes_: CSR  # (f, c) by person feature
    text_map_: Floats  # (d, d) transposed A of the static vectors
    topic_map_: Floats  # (t, t) transposed A of the topics
    words_: Floats  # (d + t, k) transposed P
    attributes_: Floats  # (f, k) transposed F
    weights_: Floats  # (3, D) w without a history, w beside one, s; D = d + t + codes + k
    job_vectors_: Floats  # (I, D + 1) q_j and the bias

    def __init__(self, config: TwoTowerConfig = TwoTowerConfig()) -> None:
        self.config = config
        self.static_, self.topics_ = TextVectors(config.encoder), TextVectors("topics", config.topics)

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Encode everybody, train the towers and keep the vectors of the jobs; MissingExtraError without torch."""
        try:
            from metier.models.towers import Inputs, Plan, train
        except ModuleNotFoundError as error:
            raise MissingExtraError("two-tower", "torch") from error
        config, people, jobs = self.config, data.user_features, data.item_features
        self.static_.fit(data.item_texts, rng)
        self.topics_.fit(data.item_texts, rng)
        self.codes_, job_codes, sizes = field_codes(people, jobs, config.code_size, rng)
        asking = Inputs(self._texts(data.user_texts), (people.matrix @ self.codes_).toarray(), people.matrix)
        asked = Inputs(self._texts(data.item_texts), (jobs.matrix @ job_codes).toarray(), jobs.matrix)
        blocks = [text.shape[1] for text in asked.texts] + sizes + [config.embedding_size]
        negatives = FactorizationConfig(
            negatives=config.negatives, same_state=config.same_state, same_city=config.same_city
        )
        plan = Plan(
            config.embedding_size,
            config.epochs,
            config.batch,
            config.learning_rate,
            config.reg,
            config.silence,
            self._history_use,
            negatives,
            config.device,
        )
        learned = train(data, asking, asked, blocks, plan, rng)
        (self.text_map_, self.topic_map_), self.words_, self.attributes_, self.weights_, self.job_vectors_ = learned
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, D + 1): the person's side of every block, and a 1 that picks up the job's bias."""
        nothing = CSR((len(query), len(self.attributes_)), dtype=np.float32)
        features = nothing if query.features is None else query.features
        texts = self._texts([""] * len(query) if query.texts is None else query.texts)
        alike = [unit(x @ own) for x, own in zip(texts, (self.text_map_, self.topic_map_), strict=True)]
        learned = features @ self.attributes_ + np.hstack(texts) @ self.words_
        p = np.hstack([*alike, (features @ self.codes_).toarray(), learned])  # (b, D)
        past = past_shares(query, self._history_use)
        alone, beside, history = self.weights_
        p *= np.where(np.asarray(past.sum(axis=1))[:, None] > 0, beside, alone)
        p += (past @ self.job_vectors_[:, :-1]) * history
        return np.column_stack([p, np.ones(len(query))]).astype(np.float32)

    def item_vectors(self) -> Floats:
        """(I, D + 1): q_j and the bias."""
        return self.job_vectors_

    @property
    def _history_use(self) -> HistoryUse:
        return HistoryUse(self.config.history_decay, self.config.history, self.config.history_power, silence=0.0)

    def _texts(self, texts: Sequence[str]) -> list[Floats]:
        """(n, d) and (n, t)."""
        return [self.static_.embed(texts), self.topics_.embed(texts)]


def field_codes(people: Features, jobs: Features, size: int, rng: np.random.Generator) -> tuple[CSR, CSR, list[int]]:
    """Codes in which equal values of a field meet.

    A field of the postings with at most `size` values has one column for each; the values of a larger one are random
    directions of `size` columns. A person's value has the code of the posting's value of the same name, none if no
    posting has it.

    Returns
    -------
    (f, c) and (g, c) CSR by the columns of people and jobs, and the widths of the fields' blocks, which add up to c.
    """
    codes, widths = [np.zeros((len(jobs.names), 0), np.float32)], []
    for number in range(len(jobs.field_names)):
        columns = np.flatnonzero(jobs.fields == number)
        if len(columns) > 1:  # a field with a single value tells no jobs apart
            exact = len(columns) <= size
            directions = (
                np.eye(len(columns), dtype=np.float32)
                if exact
                else unit(rng.standard_normal((len(columns), size), np.float32))
            )
            codes.append(np.zeros((len(jobs.names), directions.shape[1]), np.float32))
            codes[-1][columns] = directions
            widths.append(directions.shape[1])
    by_job = CSR(np.hstack(codes))
    number_of = {name: column for column, name in enumerate(jobs.names)}
    same = [(row, number_of[name]) for row, name in enumerate(people.names) if name in number_of]
    rows, columns = np.array(same, np.int64).reshape(-1, 2).T
    match = CSR((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(people.names), len(jobs.names)))
    return CSR(match @ by_job), by_job, widths

"""LGIR: completed résumés, and the representations of thin ones moved towards those of rich ones."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from metier.data import CSR, Dataset, Floats, Query
from metier.errors import MissingExtraError, UsageError
from metier.models.base import Factored, Fitted, ModelConfig
from metier.models.factorization import FactorizationConfig
from metier.models.search import Search
from metier.models.shots import UNLABELLED, count_labels
from metier.models.text_vectors import TextVectors, unit
from metier.models.two_tower import field_codes


class LGIRConfig(ModelConfig):
    """What is read, who is refined, and how it is trained. The paper's own values are not public: these are ours."""

    encoder: Literal["static", "sentences", "none"] = "static"
    """Vectors of whole texts: averages of word vectors, or a sentence transformer (extra [sentences])."""
    topics: int = Field(default=64, ge=0)
    """Dimensions that the TF-IDF terms of a text are reduced to, beside the encoder's; 0 leaves them out."""
    attributes: bool = True
    """Whether place and the other fields are read, beside text and ids."""
    ids: bool = True
    """Whether people and jobs have learned vectors of their own."""
    generator: Literal["adversarial", "identity"] = "adversarial"
    """identity leaves everybody as they are: LGIR without its generative adversarial part."""
    gate: Literal["classifier", "count", "none"] = "classifier"
    """Who is refined: whom the classifier calls low, who applied to at most κ2 jobs, or everybody."""
    few: float = Field(default=1 / 3, ge=0, le=1)
    """Quantile of the counts of applications up to which a person is few-shot (κ2)."""
    many: float = Field(default=2 / 3, ge=0, le=1)
    """Quantile from which a person is many-shot (κ1)."""
    matching: Literal["head", "dot", "cosine"] = "head"
    """How a person and a job meet: a linear head on [x + y; x - y; x * y], the inner product, or the cosine."""
    loss: Literal["softmax", "bpr"] = "softmax"
    """Over the jobs of a batch; bpr is the paper's."""
    classifier_weight: float = Field(default=0.1, ge=0)
    """λ1, of the classifier's loss."""
    generator_weight: Annotated[float, Search(0.01, 3.0, log=True)] = Field(default=0.3, ge=0)
    """λ2, of the generator's loss."""
    reconstruction: Annotated[float, Search(0.0, 1.0)] = Field(default=0.1, ge=0)
    """Weight of the distance between many-shot people and what the generator makes of them without their ids."""
    gradient_penalty: float = Field(default=1.0, ge=0)
    """Weight of the discriminator's squared slope at many-shot people (Mescheder et al. 2018)."""
    embedding_size: Annotated[int, Search(8, 128, log=True)] = Field(default=32, ge=1)
    """Length k of the vectors of ids and attributes."""
    hidden_size: Annotated[int, Search(16, 256, log=True)] = Field(default=64, ge=1)
    """Hidden units of every network."""
    code_size: int = Field(default=64, ge=1)
    """Columns of a field's code, as in the two towers."""
    silence: Annotated[float, Search(0.1, 0.8)] = Field(default=0.5, ge=0, le=1)
    """Share of training steps without the person's id, so that new people are trained for."""
    epochs: Annotated[int, Search(5, 40, log=True)] = Field(default=15, ge=1)
    """Passes over all applications."""
    batch: int = Field(default=256, ge=1)
    """Applications a step."""
    learning_rate: Annotated[float, Search(3e-4, 0.01, log=True)] = Field(default=0.001, gt=0)
    """Adam's first step; it falls to a twentieth on the way."""
    reg: float = Field(default=1e-6, ge=0)
    """L2 on everything but the head and the discriminator."""
    negatives: int = Field(default=6, ge=1)
    """Jobs that each application adds to the pool of its batch."""
    same_state: float = Field(default=0.25, ge=0, le=1)
    """Share of them drawn from the state of the job applied to."""
    same_city: float = Field(default=0.125, ge=0, le=1)
    """Share of them drawn from its city."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where training runs. Answers never need torch; the same seed gives the same bytes on the CPU only."""


class TwoLayers(Fitted):
    """W2 ReLU(W1 x + b1) + b2, the biases in the last rows."""

    hidden_: Floats  # (d + 1, h)
    output_: Floats  # (h + 1, m)

    def keep(self, hidden: Floats, output: Floats) -> None:
        """Weights from training."""
        self.hidden_, self.output_ = hidden, output

    def __call__(self, x: Floats) -> Floats:
        """(n, m) of (n, d)"""
        h = np.maximum(x @ self.hidden_[:-1] + self.hidden_[-1], 0)
        return np.asarray(h @ self.output_[:-1] + self.output_[-1], np.float32)


class LGIR(Factored):
    """LLM-based GAN interactive recommendation (Du et al., AAAI 2024), on the texts that it is given.

    Person c and job j are read as u = [t; z; F f + e]: the vectors t of the text, codes z of the fields that people and
    postings share, learned vectors of all fields f and of the id.

        x_c = u_c + MLP(u_c),  x_j = u_j + MLP'(u_j)
        x̂_c = x_c + G(x_c) if C(x_c) < 1/2, else x_c
        y(c, j) = w . (x̂_c * x_j) + v . x_j + e ln(n_j + a)

    The classifier C tells few-shot people (at most κ2 applications) from many-shot ones (at least κ1). The generator G
    plays against a discriminator D, which tells x_c of many-shot people from x̂_c of few-shot ones. n_j counts the
    applications to j. Without people of both kinds nobody is refined.

        L = L_rec + λ1 L_C + λ2 L_G (+ λ3 reconstruction), alternated with L_D

    Which completion is read (BASE, SRC, IRC) is a matter of the data: see `metier enrich --as`. A new person needs a
    text, fields or both; nothing is trained again.
    """

    config: LGIRConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    texts_: TextVectors  # the encoder's
    topics_: TextVectors
    codes_: CSR  # (f, c) by person feature
    values_: Floats  # (f, k) F of people
    ids_: Floats  # (U, k) e of people, 0 without an application
    mlp_: TwoLayers
    classifier_: TwoLayers
    generator_: TwoLayers
    head_: Floats  # (D,) w
    few_: int  # κ2
    refines_: int  # 0 where nobody is refined
    job_vectors_: Floats  # (I, D + 1) x_j, and v . x_j + e ln(n_j + a)

    def __init__(self, config: LGIRConfig = LGIRConfig()) -> None:
        self.config = config
        self.texts_, self.topics_ = TextVectors(config.encoder), TextVectors("topics", config.topics)
        self.mlp_, self.classifier_, self.generator_ = TwoLayers(), TwoLayers(), TwoLayers()

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Read all texts once, train, keep what answers need; MissingExtraError without torch."""
        try:
            from metier.models import lgir_training as training
        except ModuleNotFoundError as error:
            raise MissingExtraError("lgir", "torch") from error
        config, people, jobs = self.config, data.user_features, data.item_features
        if not config.attributes:
            people, jobs = people.select([]), jobs.select([])
        self.texts_.fit(data.item_texts, rng)
        self.topics_.fit(data.item_texts, rng)
        self.codes_, job_codes, fields = field_codes(people, jobs, config.code_size, rng)
        asking = training.Inputs(self._shared(data.user_texts, CSR(people.matrix @ self.codes_)), people.matrix)
        asked = training.Inputs(self._shared(data.item_texts, CSR(jobs.matrix @ job_codes)), jobs.matrix)
        counts = np.diff(data.matrix.indptr).astype(np.int64)
        crowd = np.bincount(data.interactions.items, minlength=len(data.items)).astype(np.float32)
        try:
            labels, cuts = count_labels(counts, config.few, config.many)
            self.few_ = cuts.few
        except UsageError:  # all alike: there is nobody to learn from
            labels, self.few_ = np.full(len(counts), UNLABELLED, np.int8), int(counts.max(initial=0))
        blocks = [self.texts_.width_, self.topics_.width_, *fields, config.embedding_size]
        self.refines_ = int(training.refines(config, labels))
        near = FactorizationConfig(negatives=config.negatives, same_state=config.same_state, same_city=config.same_city)
        seed = int(rng.integers(2**31))
        model = training.train(data, asking, asked, blocks, counts, crowd, labels, self.few_, config, near, seed)
        self.values_, self.ids_ = training.array(model.person.values), training.array(model.people_ids.everybody())
        for kept, network in (
            (self.mlp_, model.person.mlp),
            (self.classifier_, model.classifier),
            (self.generator_, model.generator.mlp),
        ):
            kept.keep(*network.arrays())
        self.head_, self.job_vectors_ = training.answers(model, asked, crowd)
        return self

    def represent(self, query: Query, *, refine: bool = True) -> Floats:
        """(b, D) x̂: who people are, refined where the gate says so; x without `refine`."""
        features = CSR((len(query), len(self.values_)), dtype=np.float32)
        if query.features is not None and self.config.attributes:
            features = query.features
        texts = [""] * len(query) if query.texts is None else query.texts
        known = query.users >= 0
        ids = np.where(known[:, None], self.ids_[np.where(known, query.users, 0)], np.float32(0))
        u = np.hstack([self._shared(texts, CSR(features @ self.codes_)), features @ self.values_ + ids])
        x = np.asarray(u + self.mlp_(u), np.float32)
        if not (self.refines_ and refine):
            return x
        match self.config.gate:
            case "classifier":
                low = self.classifier_(x)[:, 0] < 0
            case "count":
                low = (np.diff(query.history.indptr) <= self.few_) | ~known
            case "none":
                low = np.ones(len(x), np.bool_)
        x[low] += self.generator_(x[low])
        return x

    def query_vectors(self, query: Query) -> Floats:
        """(b, D + 1): x̂ under the head, and a 1 that picks up the job's own part."""
        x = self.represent(query)
        x = (unit(x) if self.config.matching == "cosine" else x) * self.head_
        return np.column_stack([x, np.ones(len(x))]).astype(np.float32)

    def item_vectors(self) -> Floats:
        """(I, D + 1): x_j and its own part."""
        return self.job_vectors_

    def _shared(self, texts: Sequence[str], codes: CSR) -> Floats:
        """(n, s) [t; z]"""
        parts = [self.texts_.embed(texts), self.topics_.embed(texts), codes.toarray()]
        return np.hstack(parts).astype(np.float32)

"""The training loop of attentional factorization machines. The mathematics is in `metier.kernels.afm`."""

from typing import Annotated, Protocol, Self

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  the BLAS of compiled code, loaded before its threads are limited
from numba import get_num_threads
from pydantic import Field, model_validator
from threadpoolctl import threadpool_limits

from metier.data import Dataset, Floats, Nums
from metier.kernels.afm import afm_epoch
from metier.kernels.afm_data import Examples, Parameters, Settings, no_sums, pairs_of, square_sums
from metier.kernels.fm_data import rows_of
from metier.kernels.ranking_loss import LOSSES
from metier.models.factorization import HistoryUse, NegativeSampler, closeness, factorize, in_order
from metier.models.fields import Numbering
from metier.models.fm import FMConfig
from metier.models.search import Search


class AFMConfig(FMConfig):
    """The fields of FM, and how attention weighs their pairs."""

    pretraining_epochs: int = Field(default=30, ge=0)
    """Passes of the factorization machine whose vectors the attention starts from; 0 starts from random ones."""
    epochs: int = Field(default=4, ge=0)
    """Passes with attention."""
    learning_rate: Annotated[float, Search(0.0, 0.05)] = Field(default=0.0, ge=0)
    """Adagrad's step for the vectors in the passes with attention (those before have FM's); 0 leaves them as they are
    and learns the attention alone."""
    attention_rate: Annotated[float, Search(0.01, 0.3, log=True)] = Field(default=0.02, gt=0)
    """The step for W, b, h, p and T."""
    average_from: int = Field(default=1, ge=1)
    """First pass with attention whose parameters enter the average that is kept."""
    batch_size: int = Field(default=64, ge=1)
    """Applications that are ranked before anything moves, in the passes with attention."""
    attention_size: Annotated[int, Search(4, 64, log=True)] = Field(default=25, ge=1)
    """Rows A of W: the hidden units that weigh a pair."""
    attention_reg: float = Field(default=0.0, ge=0)
    """L2 on W, and on nothing else."""
    dropout: Annotated[float, Search(0.0, 0.5)] = Field(default=0.0, ge=0, lt=1)
    """Share of the pooled pairs' k numbers that a step leaves out."""
    temperature: Annotated[float, Search(0.01, 1.0, log=True)] = Field(default=0.1, gt=0)
    """First value of the learned T that divides the logits: the smaller, the sharper attention is."""
    pairs_inside_person: bool = False
    """Whether pairs of two fields of the person enter the softmax, as in the paper."""
    pairs_inside_job: bool = False
    """Whether pairs of two fields of the job do, as in the paper."""

    @model_validator(mode="after")
    def _something_learns(self) -> Self:
        if not self.learning_rate and not self.pretraining_epochs:
            raise ValueError("learning_rate and pretraining_epochs are both 0, so no vector would ever be learned")
        return self


class Addend(Protocol):
    """Something that is added to the scores and learned with them."""

    def forward(self, people: Nums, jobs: Nums, speaks: np.ndarray) -> Floats:
        """(n, c) float32 for (n,) people and the (n, c) jobs of each; 0 where `speaks` (n,) is false."""
        ...

    def backward(self, gradient: Floats) -> None:
        """Take a step along the gradient (n, c) by what the last `forward` gave."""
        ...


def train(
    known: Numbering,
    data: Dataset,
    config: AFMConfig,
    use: HistoryUse,
    rng: np.random.Generator,
    addend: Addend | None = None,
) -> Parameters:
    """Learn vectors as FM does, then vectors and attention together; averaged over the passes with attention.

    `output` of what is returned holds scale * p. p starts at 1 and the scale is the number of pairs, so that even
    attention would give the sum that the vectors were trained for.
    """
    people, jobs, pasts = known.people, known.jobs, known.pasts
    defaults = {name: FMConfig.model_fields[name].default for name in ("learning_rate", "average_from", "batch_size")}
    before = config.model_copy(update={**defaults, "epochs": config.pretraining_epochs})
    if config.pretraining_epochs:
        inside = config.pairs_inside_job
        vectors, weights = factorize(people, jobs, pasts, data, before, use, rng, scale=known.scale, pairs=inside)
    else:
        vectors = rng.standard_normal((len(known.scale), config.embedding_size), dtype=np.float32)
        vectors, weights = vectors * known.scale[:, None], np.zeros(len(known.scale), np.float32)
    parts = rows_of(people), rows_of(jobs), rows_of(pasts)
    size, width = config.embedding_size, config.attention_size
    learned = Parameters(
        vectors,
        weights,
        rng.standard_normal((width, size), dtype=np.float32) / np.float32(np.sqrt(size)),
        np.zeros(width, np.float32),
        np.zeros(width, np.float32),  # all pairs alike
        np.ones(size, np.float32),
        np.full(1, np.log(config.temperature), np.float32),
    )
    pairs = pairs_of(known.fields, config.negatives + 1, config.pairs_inside_person, config.pairs_inside_job)
    settings = Settings(
        LOSSES.index(config.loss),
        config.learning_rate,
        config.attention_rate,
        config.reg,
        config.attention_reg,
        use.power,
        1.0 / (1.0 - use.silence),
        float(pairs.of.shape[1]),
        config.batch_size,
    )
    squares, sums, mean = square_sums(learned), no_sums(learned), Parameters(*(part.copy() for part in learned))
    histories, draw = in_order(data), NegativeSampler(data, config)
    owner = np.repeat(np.arange(len(data.users), dtype=np.int32), np.diff(histories.start))
    n = len(owner)
    step = config.batch_size * (1 if addend else 1024)
    with threadpool_limits(1, user_api="blas"):  # the lanes are threads already
        for epoch in range(0 if config.pretraining_epochs and config.epochs else 1, config.epochs + 1):
            # Pass 0 only measures the squared gradients that the steps of the pre-training would have summed up.
            now = settings if epoch else settings._replace(learning_rate=0.0, attention_rate=0.0)
            order = rng.permutation(n)
            negatives, speaks = draw(histories.item[order], rng), rng.random(n) >= use.silence
            for first in range(0, n, step):
                part = slice(first, first + step)
                at, shape = order[part], (len(order[part]), config.negatives + 1)
                kept = (rng.random((len(at), size)) >= config.dropout) / (1 - config.dropout)
                offset = np.zeros(shape, np.float32)
                if addend:
                    shown = np.column_stack([histories.item[at], negatives[part]])
                    offset = addend.forward(owner[at], shown, speaks[part])
                examples = Examples(at, owner[at], negatives[part], speaks[part], kept.astype(np.float32), offset)
                _, gradient = afm_epoch(
                    *parts, known.fields, histories, examples, closeness(use), pairs, learned, squares, sums,
                    now, get_num_threads(),
                )  # fmt: skip
                if addend and epoch:
                    addend.backward(gradient)
            if not epoch:
                squares = square_sums(learned)._replace(
                    vectors=squares.vectors * np.float32(config.pretraining_epochs),
                    weights=squares.weights * np.float32(config.pretraining_epochs),
                )
            elif epoch >= min(config.average_from, config.epochs):
                done = np.float32(epoch - min(config.average_from, config.epochs) + 1)
                for average, latest in zip(mean, learned, strict=True):
                    average += (latest - average) / done
    return mean._replace(output=mean.output * np.float32(settings.scale))

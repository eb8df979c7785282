"""The training loop that FM, BPR and SVD++ share: order, negatives, epochs, averaging. The mathematics is in
`metier.kernels.fm`."""

from contextvars import ContextVar
from typing import Annotated, NamedTuple, Protocol, Self

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray
from pydantic import Field, model_validator

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.data.types import Times
from metier.kernels.fm import fm_epoch
from metier.kernels.fm_data import (
    PARTS,
    DealtRows,
    Histories,
    Parameters,
    Settings,
    average,
    dealt,
    initial,
    visits,
)
from metier.kernels.ranking_loss import LOSSES, Loss
from metier.models.base import ModelConfig
from metier.models.search import Search

STEPS = 4000
"""Batches of an epoch at least: with fewer, what is learned inside an epoch comes too late."""


class FactorizationConfig(ModelConfig):
    """What every factorization trained by stochastic gradient has to decide."""

    embedding_size: Annotated[int, Search(16, 128, log=True)] = Field(default=64, ge=1)
    """Length k of each vector."""
    epochs: int = Field(default=30, ge=1)
    """Passes over all applications."""
    learning_rate: Annotated[float, Search(0.02, 0.2, log=True)] = Field(default=0.05, gt=0)
    """Adagrad's step before it is divided by the root of the summed squared gradients."""
    reg: Annotated[float, Search(0.0, 0.01)] = Field(default=0.0, ge=0)
    """L2 on each vector and weight that a step touches."""
    init_scale: float = Field(default=0.05, gt=0)
    """Standard deviation of the first vectors."""
    loss: Loss = "softmax"
    """softmax over the application and its negatives, bpr (Rendle et al. 2009) or logistic."""
    negatives: Annotated[int, Search(4, 96, log=True)] = Field(default=24, ge=1)
    """Jobs of the catalogue that each application is ranked against."""
    same_state: float = Field(default=0.25, ge=0, le=1)
    """Share of the negatives drawn from the state of the job applied to."""
    same_city: float = Field(default=0.125, ge=0, le=1)
    """Share of the negatives drawn from its city."""
    batch_size: int = Field(default=256, ge=1)
    """Applications ranked before anything moves: whole people, and at most one application in 4,000 (`STEPS`), so that
    small data are learned person by person."""
    average_from: int = Field(default=4, ge=0)
    """First epoch whose parameters enter the average that is kept (Polyak & Juditsky 1992); 0 keeps the last."""

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.same_state + self.same_city > 1:
            raise ValueError(f"same_state + same_city is {self.same_state + self.same_city:g}, more than all negatives")
        return self


class HistoryUse(NamedTuple):
    """How past jobs enter a person's vector: see `metier.kernels.fm`."""

    decay: float
    """c_h = exp(-decay * (applications in between)); 0 treats all alike"""
    longest: int
    """past jobs further away than this do not count; 0 uses no history"""
    power: float
    """the bag is divided by (sum of c_h) ** power"""
    silence: float
    """share of steps in which the person's own features are left out, so that the past jobs learn to answer alone"""


class Near(NamedTuple):
    """Negatives drawn from the place of the job applied to."""

    size: int
    """negatives an application has of them"""
    group: Nums
    """(I,) place of each job, -1 = none"""
    members: Nums
    """(I,) job numbers sorted by place"""
    start: NDArray[np.int64]
    """where each place begins in `members`"""


class Descent(NamedTuple):
    """What an epoch runs on, but for the parameters."""

    people: DealtRows
    jobs: DealtRows
    pasts: DealtRows
    histories: Histories
    near: list[Near]
    n_jobs: int
    negatives: int
    use: HistoryUse
    settings: Settings
    size: int
    """k"""

    def learn(self, order: Nums, parameters: Parameters, rng: np.random.Generator) -> None:
        """Visit the people of `order`, changing `parameters` in place."""
        seen = visits(self.histories, order)
        speaks = rng.random(len(seen.item)) >= self.use.silence
        drawn = draw_negatives(seen.item, self.n_jobs, self.negatives, self.near, rng)
        # Small batches are not worth the meeting of threads.
        lanes = min(get_num_threads(), PARTS) if self.settings.batch >= 64 else 1
        settings = self.settings._replace(lanes=lanes)
        parts = self.people, self.jobs, self.pasts
        fm_epoch(*parts, seen, drawn, speaks, closeness(self.use), parameters, settings)


class Learning(Protocol):
    """How an epoch is run: over the people of `order`, changing `parameters` in place."""

    def __call__(self, descent: Descent, order: Nums, parameters: Parameters, rng: np.random.Generator) -> None: ...


def in_this_process(descent: Descent, order: Nums, parameters: Parameters, rng: np.random.Generator) -> None:
    """Everybody, one after the other."""
    descent.learn(order, parameters, rng)


learning: ContextVar[Learning] = ContextVar("learning", default=in_this_process)
"""Set by `metier.models.rounds.over`."""

NO_HISTORY = HistoryUse(decay=0.0, longest=0, power=0.0, silence=0.0)


def factorize(
    people: CSR,
    jobs: CSR,
    pasts: CSR,
    data: Dataset,
    config: FactorizationConfig,
    use: HistoryUse,
    rng: np.random.Generator,
    *,
    scale: Floats | None = None,
    pairs: bool = False,
) -> tuple[Floats, Floats]:
    """Learn one vector and one weight for each feature.

    Parameters
    ----------
    people : (U, F), jobs : (I, F), pasts : (I, F) CSR over one numbering of F features.
    scale : (F,) standard deviation of each feature's first vector; `config.init_scale` for all when None.
    pairs : whether the pairs inside a job count.

    Returns
    -------
    (F, k) vectors and (F,) weights, averaged over epochs from `average_from` on.
    """
    even = np.full(people.shape[1], config.init_scale, np.float32)
    parameters = initial(config.embedding_size, even if scale is None else scale, rng)
    histories = in_order(data)
    parts = dealt(people), dealt(jobs), dealt(pasts)
    batch = max(1, min(config.batch_size, len(histories.item) // STEPS))
    boost = 1.0 / (1.0 - use.silence)
    loss = LOSSES.index(config.loss)
    settings = Settings(loss, config.learning_rate, config.reg, use.power, boost, int(pairs), batch, lanes=1)
    draw = NegativeSampler(data, config)
    descent = Descent(*parts, histories, draw.near, draw.jobs, draw.count, use, settings, config.embedding_size)
    vectors, weights = np.zeros_like(parameters.vectors), np.zeros_like(parameters.weights)
    averaged = 0
    for epoch in range(1, config.epochs + 1):
        learning.get()(descent, rng.permutation(len(data.users)).astype(np.int32), parameters, rng)
        if 0 < config.average_from <= epoch or (epoch == config.epochs and not averaged):
            averaged += 1
            average(vectors, parameters.vectors, averaged)
            weights += (parameters.weights - weights) / np.float32(averaged)
    return vectors, weights


def closeness(use: HistoryUse) -> Floats:
    """(longest + 1,) c_h by distance; distance 0 is a past job of unknown or equal time."""
    distance = np.arange(use.longest + 1 if use.longest else 0)
    return np.exp(-use.decay * np.maximum(distance - 1, 0)).astype(np.float32)


def in_order(data: Dataset) -> Histories:
    """Each person's applications by time; those of one moment share a place, without any time all have place 0."""
    pairs = data.interactions
    order = np.lexsort((pairs.items, np.nan_to_num(pairs.times, nan=-np.inf), pairs.users))
    start = np.searchsorted(pairs.users[order], np.arange(len(data.users) + 1))
    latest = _last_of_equal(pairs.users[order], np.nan_to_num(pairs.times, nan=-np.inf)[order])
    place = latest - start[pairs.users[order]]
    timed = np.bincount(pairs.users, ~np.isnan(pairs.times), minlength=len(data.users)) > 0
    return Histories(start, pairs.items[order].astype(np.int32), (place * timed[pairs.users[order]]).astype(np.int32))


def past_shares(query: Query, use: HistoryUse) -> CSR:
    """(b, I) CSR: the normalised c_h of each past job, seen from the application that comes next."""
    history = query.history
    lengths = np.diff(history.indptr)
    rows = np.repeat(np.arange(len(query)), lengths)
    distance = np.zeros(len(rows), dtype=np.int64)
    if query.times is not None:
        timed = np.bincount(rows, ~np.isnan(query.times.data), minlength=len(query)) > 0
        order = np.lexsort((history.indices, np.nan_to_num(query.times.data, nan=-np.inf), rows))
        when = np.nan_to_num(query.times.data, nan=-np.inf)[order]
        distance[order] = history.indptr[rows + 1] - _last_of_equal(rows, when)  # 1 for the latest
        distance[~timed[rows]] = 0
    by_distance = np.append(closeness(use), np.float32(0))
    share = by_distance[np.minimum(distance, len(by_distance) - 1)].astype(np.float64)
    mass = np.bincount(rows, share, minlength=len(query))
    share *= np.maximum(mass, 1e-9)[rows] ** -use.power
    return CSR((share.astype(np.float32), history.indices, history.indptr), shape=history.shape)


def _last_of_equal(who: NDArray[np.integer], when: Times) -> NDArray[np.int64]:
    """(n,) the last index of each run of equal (who, when): the order of rows inside a moment says nothing."""
    ends = np.flatnonzero(np.append((who[1:] != who[:-1]) | (when[1:] != when[:-1]), True)[: len(who)])
    return np.asarray(ends[np.searchsorted(ends, np.arange(len(who)))])


class NegativeSampler:
    """Draws jobs of the catalogue, some from the place of the job applied to.

    Against jobs from anywhere, place alone tells most pairs apart and nothing else is learned; the jobs a person
    really passes over lie near the one applied to.
    """

    def __init__(self, data: Dataset, config: FactorizationConfig) -> None:
        self.jobs, self.count = len(data.items), config.negatives
        shares = {"state": config.same_state, "city": config.same_city}
        self.near = [
            Near(int(share * config.negatives), *_groups(data.item_features.field(field).matrix))
            for field, share in shares.items()
            if field in data.item_features.field_names
        ]

    def __call__(self, targets: Nums, rng: np.random.Generator) -> Nums:
        """(n, negatives) int32 job numbers for (n,) targets."""
        return draw_negatives(targets, self.jobs, self.count, self.near, rng)


def draw_negatives(targets: Nums, jobs: int, count: int, nearby: list[Near], rng: np.random.Generator) -> Nums:
    """(n, count) int32 numbers of `jobs` jobs for (n,) targets, the first columns from `nearby`."""
    drawn = rng.integers(0, jobs, (len(targets), count), dtype=np.int32)
    first = 0
    for near in nearby:
        mine = near.group[targets]  # (n,)
        size = (near.start[mine + 1] - near.start[mine])[:, None]
        picked = near.start[mine][:, None] + (rng.random((len(targets), near.size)) * size).astype(np.int64)
        known = mine >= 0
        drawn[known, first : first + near.size] = near.members[picked[known]]
        first += near.size
    return drawn


def _groups(matrix: CSR) -> tuple[Nums, Nums, NDArray[np.int64]]:
    """Group number of each row of a one-hot (I, g) matrix (-1 = none), rows sorted by group, and where groups start."""
    group = np.full(matrix.shape[0], -1, dtype=np.int32)
    rows, columns = matrix.nonzero()
    group[rows] = columns
    members = np.argsort(group, kind="stable").astype(np.int32)
    start = np.searchsorted(group[members], np.arange(matrix.shape[1] + 2)).astype(np.int64)
    return group, members, start

"""What the attentional factorization machine of `metier.kernels.afm` is given, learns and works with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metier.data import Floats, Nums


class Fields(NamedTuple):
    """Which field a feature fills, by the role in which it is met; -1 where it is never met so."""

    person: Nums
    """(F,) as the person's own, 0..M-1"""
    past: Nums
    """(F,) as a past job's, numbered with the person's"""
    job: Nums
    """(F,) as the candidate's, 0..N-1"""
    persons: int
    """M"""
    jobs: int
    """N"""


class Parameters(NamedTuple):
    """What is learned. The sums of squared gradients have the same shapes, with one number for a row of a matrix."""

    vectors: Floats
    """(F, k)"""
    weights: Floats
    """(F,)"""
    attention: Floats
    """(A, k) W"""
    bias: Floats
    """(A,) b"""
    relevance: Floats
    """(A,) h"""
    output: Floats
    """(k,) p"""
    log_temperature: Floats
    """(1,) ln T"""


class Sums(NamedTuple):
    """The gradient of a batch by the features that it met; 0 and false elsewhere, and everywhere after its step."""

    vectors: Floats
    """(F, k)"""
    weights: Floats
    """(F,)"""
    met: NDArray[np.bool_]
    """(F,)"""


class Settings(NamedTuple):
    """The scalars of one epoch."""

    loss: int
    """position in metier.kernels.ranking_loss.LOSSES"""
    learning_rate: float
    """of vectors and weights"""
    attention_rate: float
    """of all else"""
    reg: float
    """L2 on every vector and weight that a batch touches"""
    attention_reg: float
    """L2 on W, for each application"""
    power: float
    """a: 0 sums the past jobs, 1 averages them"""
    boost: float
    """factor on a person's own features in the steps in which they speak"""
    scale: float
    """what the pooled pairs are multiplied by: attention averages, a factorization machine sums"""
    batch: int
    """applications between two updates"""


class Examples(NamedTuple):
    """n applications in the order of their visit, each with m negatives."""

    at: NDArray[np.int64]
    """(n,) row of `histories.item`"""
    user: Nums
    """(n,)"""
    negatives: Nums
    """(n, m) job numbers to rank below; own jobs among them are skipped"""
    speaks: NDArray[np.bool_]
    """(n,) whether the person's own features take part"""
    kept: Floats
    """(n, k) dropout of the pooled pairs: 0 or 1 / (1 - dropout)"""
    offset: Floats
    """(n, m + 1) what else adds to the scores of the target and of its negatives"""


class Pairs(NamedTuple):
    """The pairs of one example. First each candidate's with the person, counted through candidate, job field and
    person field; then the n' inside the person or a job, listed by rows of S (M + (m + 1) N, k), all fields stacked."""

    left: Nums
    """(n',)"""
    right: Nums
    """(n',)"""
    of: Nums
    """(m + 1, pairs) the pairs that enter the softmax of each candidate"""


def pairs_of(fields: Fields, candidates: int, inside_person: bool, inside_job: bool) -> Pairs:
    """All pairs between the person and each candidate, and those inside them when asked for."""
    persons, own = fields.persons, fields.jobs
    cross = np.arange(candidates * own * persons).reshape(candidates, -1)
    person = np.triu_indices(persons if inside_person else 0, 1)
    job = np.triu_indices(own if inside_job else 0, 1)
    first = persons + own * np.arange(candidates)[:, None]
    left, right = (np.concatenate([a, (first + b).ravel()]).astype(np.int32) for a, b in zip(person, job, strict=True))
    shared = np.broadcast_to(cross.size + np.arange(len(person[0])), (candidates, len(person[0])))
    mine = cross.size + len(person[0]) + np.arange(candidates * len(job[0])).reshape(candidates, -1)
    return Pairs(left, right, np.concatenate([cross, shared, mine], axis=1).astype(np.int32))


def square_sums(parameters: Parameters, start: float = 1e-3) -> Parameters:
    """Fresh sums of squared gradients; a positive start keeps the first step finite."""
    return Parameters(*(np.full(len(part), start, np.float32) for part in parameters))


def no_sums(parameters: Parameters) -> Sums:
    """Room for the gradients of batches."""
    return Sums(
        np.zeros_like(parameters.vectors),
        np.zeros_like(parameters.weights),
        np.zeros(len(parameters.weights), np.bool_),
    )

"""One epoch of a factorization machine trained to rank (Rendle 2010), by stochastic gradient with row-wise Adagrad.

Notation. A feature f has a vector v_f (k,) and a weight w_f. Person u has features x_u, job j features x_j, and

    q_j  = sum_f x_jf v_f                                the job's vector
    b_j  = sum_f x_jf w_f + e/2 (|q_j|^2 - sum_f |x_jf v_f|^2)   its bias; with e = 1 the pairs inside the job count
    r_h  = sum_f z_hf v_f                                the vector of a past job, from its features z_h
    p_ut = sum_f x_uf v_f + (sum_h c_h)^-a sum_h c_h r_h the person; h runs over the jobs of u but the target t
    y(u, j) = <p_ut, q_j> + b_j

With z = x a job has one vector in both roles. c_h falls with the number of applications between h and t. Pairs inside
the person and the person's linear terms are the same for every job, so they cannot change a ranking and are left out.

The epoch walks person by person: r_h is summed once per person, every application of the person is a target once, and
the gradient that reaches r_h through p is applied when the person is done.
"""

from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from metier.data import CSR, Floats, Nums

Loss = Literal["logistic", "bpr", "softmax"]
LOSSES: tuple[Loss, ...] = ("logistic", "bpr", "softmax")


class Rows(NamedTuple):
    """A CSR matrix taken apart for the compiled code."""

    start: NDArray[np.int64]
    """(n + 1,) where each row begins"""
    column: Nums
    """(nnz,) feature numbers"""
    value: Floats
    """(nnz,)"""


class Parameters(NamedTuple):
    """What is learned, with the running sums of squared gradients that set each row's step."""

    vectors: Floats
    """(F, k)"""
    vector_squares: Floats
    """(F,)"""
    weights: Floats
    """(F,)"""
    weight_squares: Floats
    """(F,)"""


class Histories(NamedTuple):
    """Each person's applications in order of time; a row of the arrays is one application."""

    start: NDArray[np.int64]
    """(U + 1,) where each person begins"""
    item: Nums
    """(nnz,)"""
    place: Nums
    """(nnz,) position in time, from 0; all equal when no time is known"""


class Settings(NamedTuple):
    """The scalars of one epoch."""

    loss: int
    """position in LOSSES"""
    learning_rate: float
    reg: float
    """L2 on every vector and weight a step touches"""
    power: float
    """a: 0 sums the past jobs, 1 averages them"""
    boost: float
    """factor on a person's own features in the steps in which they speak"""
    pairs: float
    """e: 1 with the pairs inside the job, 0 without"""


def rows_of(matrix: CSR) -> Rows:
    """The parts of a CSR in the dtypes that the kernels are compiled for."""
    return Rows(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32, copy=False)
    )


def initial(size: int, scale: Floats, rng: np.random.Generator) -> Parameters:
    """Normal vectors of `size` with the standard deviations `scale` (F,), weights 0."""
    features = len(scale)
    vectors = rng.standard_normal((features, size), dtype=np.float32) * scale[:, None]
    ones = np.full(features, 1e-3, np.float32)  # keeps the first step finite
    return Parameters(vectors, ones, np.zeros(features, np.float32), ones.copy())


@njit(cache=True, fastmath=True)
def fm_epoch(  # type: ignore[no-untyped-def]
    people, jobs, pasts, histories, order, negatives, speaks, closeness, parameters, settings
):
    """Visit every application once, changing `parameters` in place.

    Parameters
    ----------
    people, jobs, pasts : Rows x, x and z over one numbering of features.
    histories : Histories.
    order : (U,) int32, the order in which people are visited.
    negatives : (nnz, m) int32 job numbers to rank below each application; own jobs among them are skipped.
    speaks : (nnz,) bool, whether the person's own features take part in the step.
    closeness : (d,) float32, c_h by the distance |place_h - place_t|; 0 beyond its end.

    Returns
    -------
    The mean loss, float.
    """
    vectors, squares, weights, weight_squares = parameters
    size, m = vectors.shape[1], negatives.shape[1]
    reg, rate, pairs = np.float32(settings.reg), np.float32(settings.learning_rate), np.float32(settings.pairs)
    longest = 0
    for u in order:
        longest = max(longest, histories.start[u + 1] - histories.start[u])
    past, past_gradient = np.empty((longest, size), np.float32), np.empty((longest, size), np.float32)
    share = np.empty(longest, np.float32)
    own, own_gradient = np.empty(size, np.float32), np.empty(size, np.float32)
    p, p_gradient, pull = np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    q = np.empty((m + 1, size), np.float32)
    score, gradient = np.empty(m + 1, np.float32), np.empty(m + 1, np.float32)
    usable = np.empty(m + 1, np.bool_)
    owner = np.full(len(jobs.start) - 1, -1, np.int32)
    total = 0.0
    for u in order:
        first, n = histories.start[u], histories.start[u + 1] - histories.start[u]
        _sum_row(people, u, vectors, own)
        own_gradient[:] = 0
        for h in range(n):
            owner[histories.item[first + h]] = u
            _sum_row(pasts, histories.item[first + h], vectors, past[h])
            past_gradient[h] = 0
        for t in range(n):
            mass = np.float32(0)
            for h in range(n):
                distance = abs(histories.place[first + h] - histories.place[first + t])
                share[h] = closeness[distance] if h != t and distance < len(closeness) else np.float32(0)
                mass += share[h]
            # A person without another job has only the own features: they always speak, unscaled.
            voice = np.float32(1) if mass == 0 else np.float32(settings.boost * speaks[first + t])
            norm = np.float32(0) if mass == 0 else mass ** np.float32(-settings.power)
            p[:] = voice * own
            for h in range(n):
                share[h] *= norm
                if share[h] > 0:
                    p += share[h] * past[h]
            for c in range(m + 1):
                j = histories.item[first + t] if c == 0 else negatives[first + t, c - 1]
                usable[c] = c == 0 or owner[j] != u
                score[c] = _score_job(jobs, j, p, vectors, weights, pairs, q[c])
            total += _loss_gradient(score, usable, settings.loss, gradient)
            p_gradient[:] = 0
            for c in range(m + 1):
                if usable[c]:
                    p_gradient += gradient[c] * q[c]
            for c in range(m + 1):
                if usable[c]:
                    j = histories.item[first + t] if c == 0 else negatives[first + t, c - 1]
                    pull[:] = gradient[c] * (p + pairs * q[c])
                    for a in range(jobs.start[j], jobs.start[j + 1]):
                        f, x = jobs.column[a], jobs.value[a]
                        slope = gradient[c] * x + reg * weights[f]
                        weight_squares[f] += slope * slope
                        weights[f] -= rate * slope / np.sqrt(weight_squares[f])
                        _step(vectors, squares, f, x, pull, reg - pairs * gradient[c] * x * x, rate)
            own_gradient += voice * p_gradient
            for h in range(n):
                if share[h] > 0:
                    past_gradient[h] += share[h] * p_gradient
        for a in range(people.start[u], people.start[u + 1]):
            _step(vectors, squares, people.column[a], people.value[a], own_gradient, reg, rate)
        for h in range(n if n > 1 else 0):
            j = histories.item[first + h]
            for a in range(pasts.start[j], pasts.start[j + 1]):
                _step(vectors, squares, pasts.column[a], pasts.value[a], past_gradient[h], reg, rate)
    return total / max(len(histories.item), 1)


@njit(cache=True, fastmath=True, inline="always")
def _sum_row(rows, r, vectors, out):  # type: ignore[no-untyped-def]
    """out = sum_f x_f v_f of row r."""
    out[:] = 0
    for a in range(rows.start[r], rows.start[r + 1]):
        f, x = rows.column[a], rows.value[a]
        for d in range(len(out)):
            out[d] += x * vectors[f, d]


@njit(cache=True, fastmath=True, inline="always")
def _score_job(jobs, j, p, vectors, weights, pairs, q):  # type: ignore[no-untyped-def]
    """y(u, j), leaving the job's vector in q."""
    q[:] = 0
    linear, alone = np.float32(0), np.float32(0)
    for a in range(jobs.start[j], jobs.start[j + 1]):
        f, x = jobs.column[a], jobs.value[a]
        linear += x * weights[f]
        for d in range(len(q)):
            part = x * vectors[f, d]
            q[d] += part
            alone += part * part
    dot, square = np.float32(0), np.float32(0)
    for d in range(len(q)):
        dot += p[d] * q[d]
        square += q[d] * q[d]
    return dot + linear + pairs * np.float32(0.5) * (square - alone)


@njit(cache=True, fastmath=True)
def _loss_gradient(score, usable, loss, gradient):  # type: ignore[no-untyped-def]
    """Loss of one target (column 0) against its negatives, and d loss / d score."""
    value = np.float32(0)
    if loss == 2:  # softmax: -ln(exp s_0 / sum_c exp s_c)
        top = score[0]
        for c in range(len(score)):
            if usable[c] and score[c] > top:
                top = score[c]
        mass = np.float32(0)
        for c in range(len(score)):
            gradient[c] = np.exp(score[c] - top) if usable[c] else np.float32(0)
            mass += gradient[c]
        value = top + np.log(mass) - score[0]
        for c in range(len(score)):
            gradient[c] /= mass
        gradient[0] -= np.float32(1)
        return value
    gradient[0] = np.float32(0)
    if loss == 0:  # logistic: ln(1 + exp -s_0) + sum_c ln(1 + exp s_c)
        value = _softplus(-score[0])
        gradient[0] = -_sigmoid(-score[0])
    for c in range(1, len(score)):
        gradient[c] = np.float32(0)
        if usable[c]:
            margin = score[c] - score[0] if loss == 1 else score[c]  # BPR: sum_c ln(1 + exp(s_c - s_0))
            value += _softplus(margin)
            gradient[c] = _sigmoid(margin)
            if loss == 1:
                gradient[0] -= gradient[c]
    return value


@njit(cache=True, inline="always")
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@njit(cache=True, inline="always")
def _softplus(x):  # type: ignore[no-untyped-def]
    return max(x, np.float32(0)) + np.log1p(np.exp(-abs(x)))


@njit(cache=True, fastmath=True, inline="always")
def _step(vectors, squares, f, x, pull, shrink, rate):  # type: ignore[no-untyped-def]
    """v_f -= rate * g / sqrt(running mean square of the row's gradients), g = x pull + shrink v_f."""
    size = len(pull)
    square = np.float32(0)
    for d in range(size):
        g = x * pull[d] + shrink * vectors[f, d]
        square += g * g
    squares[f] += square / np.float32(size)
    rate = rate / np.sqrt(squares[f])
    for d in range(size):
        vectors[f, d] -= rate * (x * pull[d] + shrink * vectors[f, d])


def fm_epoch_reference(  # type: ignore[no-untyped-def]
    people, jobs, pasts, histories, order, negatives, speaks, closeness, parameters, settings
):
    """`fm_epoch` step by step in NumPy, for reading and for the test that compares the two."""
    vectors, squares, weights, weight_squares = parameters

    def features(rows: Rows, r: int) -> tuple[Nums, Floats]:
        part = slice(rows.start[r], rows.start[r + 1])
        return rows.column[part], rows.value[part]

    def descend(f: int, g: Floats) -> None:
        squares[f] += np.mean(g**2)
        vectors[f] -= settings.learning_rate * g / np.sqrt(squares[f])

    total = 0.0
    for u in order:
        span = slice(histories.start[u], histories.start[u + 1])
        mine, place = histories.item[span], histories.place[span]
        f_u, x_u = features(people, u)
        own, own_gradient = x_u @ vectors[f_u], np.zeros(vectors.shape[1], np.float32)
        past = np.array([features(pasts, j)[1] @ vectors[features(pasts, j)[0]] for j in mine])  # (n, k)
        past_gradient = np.zeros_like(past)
        for t, target in enumerate(mine):
            distance = np.abs(place - place[t])
            share = np.where(distance < len(closeness), closeness[np.minimum(distance, len(closeness) - 1)], 0)
            share[t] = 0
            mass = share.sum()
            voice = 1.0 if mass == 0 else settings.boost * speaks[histories.start[u] + t]
            share = share * (mass**-settings.power if mass else 0)
            p = voice * own + share @ past
            drawn = negatives[histories.start[u] + t]
            shown = np.concatenate([[target], drawn[~np.isin(drawn, mine)]])  # (c,), the target first
            q = np.array([features(jobs, j)[1] @ vectors[features(jobs, j)[0]] for j in shown])  # (c, k)
            score = np.array(
                [
                    (p + 0.5 * settings.pairs * q_j) @ q_j
                    + x @ weights[f]
                    - 0.5 * settings.pairs * np.sum((x[:, None] * vectors[f]) ** 2)
                    for q_j, (f, x) in zip(q, (features(jobs, j) for j in shown), strict=True)
                ]
            )
            value, gradient = _loss_gradient_reference(score, LOSSES[settings.loss])
            total += value
            p_gradient = gradient @ q
            for j, q_j, g in zip(shown, q, gradient, strict=True):
                for f, x in zip(*features(jobs, j), strict=True):
                    slope = g * x + settings.reg * weights[f]
                    weight_squares[f] += slope**2
                    weights[f] -= settings.learning_rate * slope / np.sqrt(weight_squares[f])
                    descend(f, g * x * (p + settings.pairs * (q_j - x * vectors[f])) + settings.reg * vectors[f])
            own_gradient += voice * p_gradient
            past_gradient += share[:, None] * p_gradient
        for f, x in zip(f_u, x_u, strict=True):
            descend(f, x * own_gradient + settings.reg * vectors[f])
        for h in range(len(mine) if len(mine) > 1 else 0):
            for f, x in zip(*features(pasts, mine[h]), strict=True):
                descend(f, x * past_gradient[h] + settings.reg * vectors[f])
    return total / max(len(histories.item), 1)


def _loss_gradient_reference(score: Floats, loss: Loss) -> tuple[float, Floats]:
    """Loss and its derivative by each score; the target is entry 0."""
    if loss == "softmax":
        chance = np.exp(score - score.max()) / np.exp(score - score.max()).sum()
        return float(-np.log(chance[0])), chance - (np.arange(len(score)) == 0)
    if loss == "bpr":
        chance = 1 / (1 + np.exp(score[0] - score[1:]))
        return float(-np.log1p(-chance).sum()), np.concatenate([[-chance.sum()], chance])
    chance = 1 / (1 + np.exp(-score))
    label = np.arange(len(score)) == 0
    return float(-np.log(np.where(label, chance, 1 - chance)).sum()), chance - label

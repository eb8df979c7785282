"""One epoch of a factorization machine trained to rank (Rendle 2010), by stochastic gradient with row-wise Adagrad.

Notation. A feature f has a vector v_f (k,) and a weight w_f. Person u has features x_u, job j features x_j, and

    q_j  = sum_f x_jf v_f                                the job's vector
    b_j  = sum_f x_jf w_f + e/2 (|q_j|^2 - sum_f |x_jf v_f|^2)   its bias; with e = 1 the pairs inside the job count
    r_h  = sum_f z_hf v_f                                the vector of a past job, from its features z_h
    p_ut = sum_f x_uf v_f + (sum_h c_h)^-a sum_h c_h r_h the person; h runs over the jobs of u but the target t
    y(u, j) = <p_ut, q_j> + b_j

With z = x a job has one vector in both roles. c_h falls with the number of applications between h and t. Pairs inside
the person and the person's linear terms are the same for every job, so they cannot change a ranking and are left out.

A batch is some people with all their applications, each a target once. First everybody is ranked at the parameters as
they are; then every feature that was met moves, once for each meeting, in the order of the visits:

    s_f += x^2 g^2 mean(pull^2),   v_f -= rate / sqrt(s_f) * (g x pull + (reg - e g x^2) v_f),   pull = p + e q_j

where g = d loss / d y (Duchi et al. 2011 with one sum s_f a row, to which only the pull adds). The first half is cut by
people, the second by features, so the number of threads never changes a bit of the result.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from metier.data import Floats, Nums
from metier.kernels.fm_data import LINE, PARTS, DealtRows
from metier.kernels.prefetch import prefetch
from metier.kernels.ranking_loss import LOSSES, loss_gradient, loss_gradient_reference


@njit(cache=True, parallel=True)
def fm_epoch(  # type: ignore[no-untyped-def]
    people, jobs, pasts, visits, negatives, speaks, closeness, parameters, settings
):
    """Visit every application once, changing `parameters` in place.

    Parameters
    ----------
    people, jobs, pasts : DealtRows x, x and z over one numbering of features.
    visits : Visits.
    negatives : (nnz, m) int32 job numbers to rank below each application of `visits`; own jobs among them are skipped.
    speaks : (nnz,) bool, whether the person's own features take part in the step.
    closeness : (d,) float32, c_h by the distance |place_h - place_t|; 0 beyond its end.

    Returns
    -------
    The mean loss, float.
    """
    size, m, lanes = parameters.size, negatives.shape[1], settings.lanes
    longest = np.max(np.diff(visits.start)) if len(visits.user) else 0
    room = settings.batch + longest
    # What the first half leaves to the second: a row for each application of the batch; that of a person is the first.
    pull, square = np.empty((room, 1 + settings.pairs * m, size), np.float32), np.empty((room, m + 1), np.float32)
    gradient, loss = np.empty((room, m + 1), np.float32), np.empty(room, np.float32)
    own_gradient, past_gradient = np.empty((room, 1, size), np.float32), np.empty((room, 1, size), np.float32)
    pulls = pull, square, gradient, loss, own_gradient, past_gradient
    # What a lane works with.
    q, own = np.empty((lanes, m + 1, size), np.float32), np.empty((lanes, size), np.float32)
    past, share = np.empty((room, size), np.float32), np.empty((lanes, longest), np.float32)
    score, usable = np.empty((lanes, m + 1), np.float32), np.empty((lanes, m + 1), np.bool_)
    tools = q, own, past, share, score, usable
    edge = np.zeros(lanes + 1, np.int64)  # where the people of each lane begin
    total = 0.0
    while edge[0] < len(visits.user):
        base = visits.start[edge[0]]
        for lane in range(lanes):
            end = edge[lane]
            while end < len(visits.user) and (visits.start[end] - base) * lanes < settings.batch * (lane + 1):
                end += 1
            edge[lane + 1] = end
        for lane in prange(lanes):
            _rank(
                lane,
                edge,
                people,
                jobs,
                pasts,
                visits,
                negatives,
                speaks,
                closeness,
                parameters,
                settings,
                pulls,
                tools,
            )
        for lane in prange(lanes):
            _move_met(lane, edge, people, jobs, pasts, visits, negatives, closeness, parameters, settings, pulls)
        for at in range(visits.start[edge[lanes]] - base):
            total += loss[at]
        edge[0] = edge[lanes]
    return total / max(len(visits.item), 1)


@njit(cache=True, fastmath=True)
def _rank(  # type: ignore[no-untyped-def]
    lane, edge, people, jobs, pasts, visits, negatives, speaks, closeness, parameters, settings, pulls, tools
):
    """The first half of a batch for the people of one lane: nothing learned is touched."""
    table, size = parameters
    pull, square, gradient, loss, own_gradient, past_gradient = pulls
    q, own, past, share, score, usable = tools
    m, base, last = negatives.shape[1], visits.start[edge[0]], visits.start[edge[lane + 1]] - 1
    for i in range(edge[lane], edge[lane + 1]):
        first, end = visits.start[i], visits.start[i + 1]
        _sum_row(people, visits.user[i], table, size, own, lane)
        own_gradient[first - base] = 0
        others = len(closeness) > 0 and end - first > 1
        for h in range(first, end if others else first):
            _sum_row(pasts, visits.item[h], table, size, past, h - base)
            past_gradient[h - base] = 0
        for t in range(first, end):
            at = t - base
            for c in range(m + 1):
                j = _candidate(visits, negatives, min(t + 8, last), c)
                prefetch(jobs.start, j * PARTS, 0)
                prefetch(jobs.rarest, j, 0)
                _prefetch_job(jobs, _candidate(visits, negatives, min(t + 3, last), c), table)
            mass = np.float32(0)
            for h in range(first, end if others else first):
                distance = abs(visits.place[h] - visits.place[t])
                near = h != t and distance < len(closeness)
                share[lane, h - first] = closeness[distance] if near else np.float32(0)
                mass += share[lane, h - first]
            # A person without another job has only the own features: they always speak, unscaled.
            voice = np.float32(1) if mass == 0 else np.float32(settings.boost * speaks[t])
            norm = np.float32(0) if mass == 0 else mass ** np.float32(-settings.power)
            for d in range(size):
                pull[at, 0, d] = voice * own[lane, d]
            for h in range(first, end if mass > 0 else first):
                share[lane, h - first] *= norm
                if share[lane, h - first] > 0:
                    for d in range(size):
                        pull[at, 0, d] += share[lane, h - first] * past[h - base, d]
            for c in range(m + 1):
                j = _candidate(visits, negatives, t, c)
                own_job = False
                for h in range(first, end):
                    own_job |= visits.item[h] == j
                usable[lane, c] = c == 0 or not own_job
                score[lane, c] = _score_job(jobs, j, table, size, settings.pairs, pull, at, q, lane, c)
            loss[at] = loss_gradient(score[lane], usable[lane], settings.loss, gradient[at])
            if settings.pairs:
                for c in range(m, -1, -1):  # the person, in column 0, is overwritten last
                    for d in range(size):
                        pull[at, c, d] = pull[at, 0, d] + q[lane, c, d]
            for c in range(m * settings.pairs + 1):
                square[at, c] = _mean_square(pull, at, c, size)
            for d in range(size):
                q[lane, 0, d] *= gradient[at, 0]
            for c in range(1, m + 1):  # q[lane, 0] becomes d loss / d p
                for d in range(size):
                    q[lane, 0, d] += gradient[at, c] * q[lane, c, d]
            for d in range(size):
                own_gradient[first - base, 0, d] += voice * q[lane, 0, d]
            for h in range(first, end if mass > 0 else first):
                if share[lane, h - first] > 0:
                    for d in range(size):
                        past_gradient[h - base, 0, d] += share[lane, h - first] * q[lane, 0, d]


@njit(cache=True, fastmath=True)
def _move_met(  # type: ignore[no-untyped-def]
    lane, edge, people, jobs, pasts, visits, negatives, closeness, parameters, settings, pulls
):
    """The second half of a batch for the features of one lane: each moves at each meeting, in order."""
    table, size = parameters
    pull, square, gradient, _, own_gradient, past_gradient = pulls
    m, base, last = negatives.shape[1], visits.start[edge[0]], visits.start[edge[-1]] - 1
    low, high = PARTS * lane // settings.lanes, PARTS * (lane + 1) // settings.lanes
    rate, reg, pairs = np.float32(settings.learning_rate), np.float32(settings.reg), np.float32(settings.pairs)
    for i in range(edge[0], edge[-1]):
        first, end, u = visits.start[i], visits.start[i + 1], visits.user[i]
        for t in range(first, end):
            at = t - base
            for c in range(m + 1):
                _prefetch_job(jobs, _candidate(visits, negatives, min(t + 2, last), c), table)
            for c in range(m + 1):
                g = gradient[at, c]
                j, column = _candidate(visits, negatives, t, c), c * settings.pairs
                for a in range(jobs.start[j * PARTS + low], jobs.start[j * PARTS + high] if g != 0 else 0):
                    f, x = jobs.column[a], jobs.value[a]
                    slope = g * x + reg * table[f, size]
                    table[f, size + 2] += slope * slope
                    table[f, size] -= rate * slope / np.sqrt(table[f, size + 2])
                    shrink = reg - pairs * g * x * x
                    _move(table, size, f, g * x, pull, at, column, square[at, column], shrink, rate)
        mean_square = _mean_square(own_gradient, first - base, 0, size)
        for a in range(people.start[u * PARTS + low], people.start[u * PARTS + high]):
            f, x = people.column[a], people.value[a]
            _move(table, size, f, x, own_gradient, first - base, 0, mean_square, reg, rate)
        for h in range(first, end if len(closeness) > 0 and end - first > 1 else first):
            j = visits.item[h]
            mean_square = _mean_square(past_gradient, h - base, 0, size)
            for a in range(pasts.start[j * PARTS + low], pasts.start[j * PARTS + high]):
                _move(table, size, pasts.column[a], pasts.value[a], past_gradient, h - base, 0, mean_square, reg, rate)


@njit(cache=True, fastmath=True, inline="always")
def _candidate(visits, negatives, t, c):  # type: ignore[no-untyped-def]
    """The job in column c of application t: the target, then its negatives."""
    return visits.item[t] if c == 0 else negatives[t, c - 1]


@njit(cache=True, inline="always")
def _prefetch_job(jobs, j, table):  # type: ignore[no-untyped-def]
    """The entries of job j and the numbers of its rarest feature."""
    prefetch(jobs.column, jobs.start[j * PARTS], 0)
    prefetch(jobs.value, jobs.start[j * PARTS], 0)
    for d in range(0, table.shape[1], LINE):
        prefetch(table, jobs.rarest[j], d)


@njit(cache=True, fastmath=True, inline="always")
def _sum_row(rows, r, table, size, out, o):  # type: ignore[no-untyped-def]
    """out[o] = sum_f x_f v_f of row r."""
    for d in range(size):
        out[o, d] = 0
    for a in range(rows.start[r * PARTS], rows.start[(r + 1) * PARTS]):
        f, x = rows.column[a], rows.value[a]
        for d in range(size):
            out[o, d] += x * table[f, d]


@njit(cache=True, fastmath=True, inline="always")
def _score_job(jobs, j, table, size, pairs, pull, at, q, lane, c):  # type: ignore[no-untyped-def]
    """y(u, j) of the person pull[at, 0], leaving the job's vector in q[lane, c]."""
    y = np.float32(0)
    a, end = jobs.start[j * PARTS], jobs.start[(j + 1) * PARTS]
    if (end - a) % 2:
        f, x = jobs.column[a], jobs.value[a]
        y += x * table[f, size]
        for d in range(size):
            q[lane, c, d] = x * table[f, d]
    else:
        for d in range(size):
            q[lane, c, d] = 0
    for b in range(a + (end - a) % 2, end, 2):  # two at a time: half as many stores
        f, x, g, z = jobs.column[b], jobs.value[b], jobs.column[b + 1], jobs.value[b + 1]
        y += x * table[f, size] + z * table[g, size]
        for d in range(size):
            q[lane, c, d] += x * table[f, d] + z * table[g, d]
    for d in range(size):
        y += pull[at, 0, d] * q[lane, c, d]
    if pairs:
        y += np.float32(0.5 * size) * _mean_square(q, lane, c, size)
        for a in range(jobs.start[j * PARTS], jobs.start[(j + 1) * PARTS]):
            f, x = jobs.column[a], jobs.value[a]
            for d in range(size):
                y -= np.float32(0.5) * x * x * table[f, d] * table[f, d]
    return y


@njit(cache=True, fastmath=True, inline="always")
def _mean_square(rows, r, c, size):  # type: ignore[no-untyped-def]
    """Of rows[r, c]."""
    total = np.float32(0)
    for d in range(size):
        total += rows[r, c, d] * rows[r, c, d]
    return total / np.float32(size)


@njit(cache=True, fastmath=True, inline="always")
def _move(table, size, f, slope, pull, r, c, mean_square, shrink, rate):  # type: ignore[no-untyped-def]
    """v_f -= rate / sqrt(s_f) * (slope * pull[r, c] + shrink * v_f), after s_f has grown by slope^2 * mean_square."""
    table[f, size + 1] += slope * slope * mean_square
    step = rate / np.sqrt(table[f, size + 1])
    keep, along = np.float32(1) - step * shrink, step * slope
    for d in range(size):
        table[f, d] = keep * table[f, d] - along * pull[r, c, d]


def fm_epoch_reference(  # type: ignore[no-untyped-def]
    people, jobs, pasts, visits, negatives, speaks, closeness, parameters, settings
):
    """`fm_epoch` step by step in NumPy, for reading and for the test that compares the two."""
    total, waiting = 0.0, 0
    meetings: list[Any] = []
    for i, u in enumerate(visits.user):
        span = slice(visits.start[i], visits.start[i + 1])
        loss, met = _rank_reference(
            *(u, visits.item[span], visits.place[span], negatives[span], speaks[span]),
            *(people, jobs, pasts, closeness, parameters, settings),
        )
        total, meetings, waiting = total + loss, meetings + met, waiting + len(visits.item[span])
        if waiting >= settings.batch or i + 1 == len(visits.user):
            for meeting in meetings:
                _meet_reference(meeting, parameters, settings)
            meetings, waiting = [], 0
    return total / max(len(visits.item), 1)


class _Meeting(NamedTuple):
    """A feature and what moves it."""

    feature: int
    slope: float
    """g x; x for the person's side, whose pull has g in it"""
    pull: Floats
    """(k,)"""
    own: float
    """e g x^2"""
    in_job: bool
    """only there the weight counts"""


def _rank_reference(  # type: ignore[no-untyped-def]
    u, mine, place, drawn, speaks, people, jobs, pasts, closeness, parameters, settings
):
    """The loss of one person's applications, and all meetings in order."""
    vectors, weights, e = parameters.vectors, parameters.weights, settings.pairs

    def features(rows: DealtRows, r: int) -> tuple[Nums, Floats]:
        part = slice(rows.start[r * PARTS], rows.start[(r + 1) * PARTS])
        return rows.column[part], rows.value[part]

    f_u, x_u = features(people, u)
    own, own_gradient = x_u @ vectors[f_u], np.zeros(parameters.size, np.float32)
    past = np.array([features(pasts, j)[1] @ vectors[features(pasts, j)[0]] for j in mine])  # (n, k)
    past_gradient, total, meetings = np.zeros_like(past), 0.0, []
    for t, target in enumerate(mine):
        distance = np.abs(place - place[t])
        share = np.append(closeness, 0)[np.minimum(distance, len(closeness))]
        share[t] = 0
        mass = share.sum()
        voice = 1.0 if mass == 0 else settings.boost * speaks[t]
        share = share * (mass**-settings.power if mass else 0)
        p = voice * own + share @ past
        shown = np.concatenate([[target], drawn[t][~np.isin(drawn[t], mine)]])  # (c,), the target first
        q = np.array([features(jobs, j)[1] @ vectors[features(jobs, j)[0]] for j in shown])  # (c, k)
        alone = np.array([np.sum((x[:, None] * vectors[f]) ** 2) for f, x in (features(jobs, j) for j in shown)])
        linear = np.array([x @ weights[f] for f, x in (features(jobs, j) for j in shown)])
        value, gradient = loss_gradient_reference(
            q @ p + linear + e / 2 * ((q**2).sum(axis=1) - alone), LOSSES[settings.loss]
        )
        total += value
        for j, q_j, g in zip(shown, q, gradient, strict=True):
            for f, x in zip(*features(jobs, j), strict=True):
                meetings.append(_Meeting(f, g * x, p + e * q_j, e * g * x**2, True))
        own_gradient += voice * gradient @ q
        past_gradient += share[:, None] * (gradient @ q)
    meetings += [_Meeting(f, x, own_gradient, 0, False) for f, x in zip(f_u, x_u, strict=True)]
    for j, pull in zip(mine, past_gradient, strict=True):
        if len(closeness) and len(mine) > 1:
            meetings += [_Meeting(f, x, pull, 0, False) for f, x in zip(*features(pasts, j), strict=True)]
    return total, meetings


def _meet_reference(meeting, parameters, settings):  # type: ignore[no-untyped-def]
    f, v, w = meeting.feature, parameters.vectors, parameters.weights
    if meeting.in_job:
        slope = meeting.slope + settings.reg * w[f]
        parameters.weight_squares[f] += slope**2
        w[f] -= settings.learning_rate * slope / np.sqrt(parameters.weight_squares[f])
    parameters.vector_squares[f] += meeting.slope**2 * np.mean(meeting.pull**2)
    step = settings.learning_rate / np.sqrt(parameters.vector_squares[f])
    v[f] -= step * (meeting.slope * meeting.pull + (settings.reg - meeting.own) * v[f])

"""Scores of the whole catalogue by an attentional factorization machine, without visiting every pair of every job.

A softmax over a set of pairs is known by three sums over its parts: the largest logit, the mass sum exp(l - largest),
and what the pairs pay, sum exp(l - largest) p . (s_f * s_g). Two parts merge when both are brought to the larger of
their largest logits. Here the parts of a person u and a job are

    the pairs inside u                              once for each person
    the pairs inside the job                        once for each job, whoever asks
    all fields of u with one field of the job       once for each person and *distinct* value of the job's field

so a state is met once a person, not once for each of its jobs, and what is left for a job is to merge N + 2 parts.
"""

import numpy as np
from numba import njit, prange
from threadpoolctl import threadpool_limits

from metier.data import Floats, Nums
from metier.kernels.afm import logits, stretched

BLOCK = 128
"""Values multiplied at a time, so that their products stay in the cache."""
NOTHING = np.float32(-1e30)
"""Largest logit of no pairs. Finite, because compiled code may assume that all numbers are."""


def afm_scores(
    people: Floats,
    inside_person: bool,
    values: Floats,
    jobs: Nums,
    job_parts: Floats,
    linear: Floats,
    attention: Floats,
    bias: Floats,
    relevance: Floats,
    temperature: np.float32,
) -> Floats:
    """Scores of m jobs for b people.

    Parameters
    ----------
    people : (b, M, k) the fields of each person; with `inside_person` their pairs count.
    values : (S, k) distinct vectors of the jobs' fields; jobs : (m, N) int32 rows of them.
    job_parts : (m, 3) from `inner_parts`, or `no_parts`; linear : (m,) float32.
    attention : (A + 1, k) W and, last, scale * p; bias, relevance : (A,) b and h; temperature : T.

    Returns
    -------
    (b, m) float32.
    """
    with threadpool_limits(1, user_api="blas"):  # people are dealt to threads already
        scores: Floats = _scores(
            people, inside_person, values, jobs, job_parts, linear, attention, bias, relevance, temperature
        )
    return scores


def afm_scores_reference(  # type: ignore[no-untyped-def]
    people, inside_person, values, jobs, inside_job, linear, attention, bias, relevance, temperature
) -> Floats:
    """The same from the definition, pair by pair; `inside_job` is a truth value."""
    scores = np.empty((len(people), len(jobs)), np.float32)
    for u, person in enumerate(people):
        for j, job in enumerate(values[jobs]):
            pairs = [a * b for a in person for b in job]
            pairs += [a * b for i, a in enumerate(person) for b in person[i + 1 :] if inside_person]
            pairs += [a * b for i, a in enumerate(job) for b in job[i + 1 :] if inside_job]
            share, paid = attend_reference(np.array(pairs), attention, bias, relevance, temperature)
            scores[u, j] = share @ paid + linear[j]
    return scores


def attend_reference(  # type: ignore[no-untyped-def]
    pairs, attention, bias, relevance, temperature
) -> tuple[Floats, Floats]:
    """How much attention each product of a pair (n, k) gets, and what it pays: (n,) and (n,)."""
    logit = np.maximum(pairs @ attention[:-1].T + bias, 0) @ relevance / temperature
    share = np.exp(logit - logit.max())
    return share / share.sum(), pairs @ attention[-1]


def inner_parts(
    values: Floats, rows: Nums, attention: Floats, bias: Floats, relevance: Floats, temperature: np.float32
) -> Floats:
    """(n, 3) float32 parts (largest logit, mass, payment) of the pairs among the fields values[rows], rows (n, N)."""
    with threadpool_limits(1, user_api="blas"):
        parts: Floats = _inner_parts(values, rows, attention, bias, relevance, temperature)
    return parts


def no_parts(n: int) -> Floats:
    """(n, 3) parts without any pair."""
    return np.tile(np.array([NOTHING, 0, 0], np.float32), (n, 1))


def distinct(rows: Nums) -> tuple[Nums, Nums]:
    """The numbers that occur in (m, N), ascending, and (m, N) the place of each among them."""
    used, place = np.unique(rows, return_inverse=True)
    return used.astype(np.int32), place.reshape(rows.shape).astype(np.int32)


@njit(cache=True, parallel=True, fastmath=True)
def _scores(  # type: ignore[no-untyped-def]
    people, inside_person, values, jobs, job_parts, linear, attention, bias, relevance, temperature
):
    scores, width, persons = np.empty((len(people), len(jobs)), np.float32), len(attention), people.shape[1]
    for u in prange(len(people)):
        x = stretched(people[u], attention)
        parts = np.empty((len(values) + 1, 3), np.float32)  # the last is the person's own
        for first in range(0, len(values), BLOCK):
            last = min(first + BLOCK, len(values))
            z = np.dot(values[first:last], x.T).reshape((last - first) * persons, width)
            logit = logits(z, bias, relevance, temperature)
            for s in range(last - first):
                _part(z, logit, s * persons, (s + 1) * persons, parts[first + s])
        _inner_part(people[u, : persons if inside_person else 0], attention, bias, relevance, temperature, parts[-1])
        for j in range(len(jobs)):
            top = max(parts[-1, 0], job_parts[j, 0])
            for g in range(jobs.shape[1]):
                top = max(top, parts[jobs[j, g], 0])
            a, b = np.exp(parts[-1, 0] - top), np.exp(job_parts[j, 0] - top)
            mass, paid = a * parts[-1, 1] + b * job_parts[j, 1], a * parts[-1, 2] + b * job_parts[j, 2]
            for g in range(jobs.shape[1]):
                a = np.exp(parts[jobs[j, g], 0] - top)
                mass += a * parts[jobs[j, g], 1]
                paid += a * parts[jobs[j, g], 2]
            scores[u, j] = paid / mass + linear[j]
    return scores


@njit(cache=True, parallel=True, fastmath=True)
def _inner_parts(values, rows, attention, bias, relevance, temperature):  # type: ignore[no-untyped-def]
    parts = np.empty((len(rows), 3), np.float32)
    for i in prange(len(rows)):
        _inner_part(values[rows[i]], attention, bias, relevance, temperature, parts[i])
    return parts


@njit(cache=True, fastmath=True)
def _inner_part(fields, attention, bias, relevance, temperature, part):  # type: ignore[no-untyped-def]
    """The pairs among `fields` (n, k)."""
    n, at = len(fields), 0
    product = np.empty((max(n * (n - 1) // 2, 0), fields.shape[1]), np.float32)
    for i in range(n):
        for j in range(i + 1, n):
            product[at] = fields[i] * fields[j]
            at += 1
    z = np.empty((at, len(attention)), np.float32)
    if at:
        np.dot(product, attention.T, z)
    _part(z, logits(z, bias, relevance, temperature), 0, at, part)


@njit(cache=True, fastmath=True)
def _part(z, logit, begin, end, part):  # type: ignore[no-untyped-def]
    """Leaves the three sums over pairs begin..end-1 in `part`."""
    part[0], part[1], part[2] = NOTHING, 0, 0
    for q in range(begin, end):
        part[0] = max(part[0], logit[q])
    for q in range(begin, end):
        share = np.exp(logit[q] - part[0])
        part[1] += share
        part[2] += share * z[q, z.shape[1] - 1]

"""From scores to an answer: wishes, and jobs that were shown too often."""

from collections.abc import Callable, Mapping

import numpy as np

from metier.data import Floats, Nums
from metier.live.wishes import Wishes

WANTED = 1.0
"""What a posting's score rises by when it holds everything wanted; half of it for half of that. In the logit of
`profile` it makes a job e times as likely as one of equal score."""
CROWDED = 0.1
"""What the score of a job falls by that was shown more often than the cap: only jobs this near pass it."""
POOL, LIMIT = 200, 2_000
"""Best jobs whose words are read for wishes: at first, and at most."""

Best = Callable[[int], tuple[Nums, Floats]]
"""The rows and scores of the n best jobs, best first."""


def wished(
    best: Best, k: int, wishes: Wishes, words: Callable[[int], str], crowded: Callable[[int], bool] | None
) -> tuple[Nums, Floats]:
    """The k best jobs after wishes and cap, and their scores.

    A wanted phrase raises, a crowded job loses CROWDED, and jobs that hold an unwanted phrase stand below all others.
    The answer is that over all jobs where the LIMIT best before wishes settle it; else it is that over these.
    """
    if not wishes and crowded is None:
        return best(k)
    held: dict[int, set[str]] = {}
    n = max(POOL, 4 * k)
    while True:
        rows, scores = best(n)
        for row in rows.tolist():
            if wishes and row not in held:
                held[row] = set(wishes.found_in(words(row)))
        raised = scores + np.array([_raise(wishes, held.get(row, set())) for row in rows.tolist()], np.float32)
        if crowded is not None:
            raised -= np.array([CROWDED * crowded(row) for row in rows.tolist()], np.float32)
        last = np.array([bool(held.get(row, set()) & set(wishes.unwanted)) for row in rows.tolist()], np.bool_)
        order = np.lexsort((-raised, last))[:k]
        clean = int((~last[order]).sum())
        gain = WANTED if wishes.wanted else 0.0
        beyond = clean == k and scores[-1] + gain <= raised[order[-1]]  # nothing further down can come in
        if beyond or len(rows) < n or n >= LIMIT:
            return rows[order], raised[order]
        n = min(4 * n, LIMIT)


def _raise(wishes: Wishes, held: set[str]) -> float:
    return WANTED * len(held & set(wishes.wanted)) / len(wishes.wanted) if wishes.wanted else 0.0


def merged(ranked: tuple[Nums, Floats], by_profile: Floats, later: Nums, scores: Floats, k: int) -> tuple[Nums, Floats]:
    """The k best of a ranker's list and of jobs that it does not know, each at the place that the profile gives it.

    Parameters
    ----------
    ranked : rows and scores of the ranker, best first.
    by_profile : scores by the profile of its k best jobs among those that the ranker chose from, best first.
    later, scores : (m,) rows and scores by the profile of the other jobs.

    A job that p of the ranker's jobs stand before by the profile comes behind p jobs of the ranker's list, and takes
    over the score of the one it comes behind (of the first where there is none), so that scores never rise.
    """
    rows, values = ranked[0].tolist(), ranked[1].tolist()
    order = np.argsort(-scores, kind="stable")
    places = np.searchsorted(-by_profile, -scores[order], side="right")
    for number, (one, place) in enumerate(zip(later[order].tolist(), places.tolist(), strict=True)):
        at = min(place + number, len(rows))
        if at >= k:
            break
        rows.insert(at, one)
        values.insert(at, values[at - 1] if at else (values[0] if values else float(scores[order[number]])))
    return np.array(rows[:k], np.int32), np.array(values[:k], np.float32)


def crowd(shown: Mapping[str, int], cap: int | None, key: Callable[[int], str]) -> Callable[[int], bool] | None:
    """Whether a row was shown more often than the cap; None where nothing can be crowded."""
    if cap is None or not any(count > cap for count in shown.values()):
        return None
    return lambda row: shown.get(key(row), 0) > cap

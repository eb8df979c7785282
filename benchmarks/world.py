"""The data that fm.py, cf.py and topk.py time: job applications of any size from one seed.

Jobs live in cells = window (7) x state x occupation x niche (3), about 8.7 jobs to a cell at every scale. A person has
a home cell and applies mostly there, to well-known jobs first; who applies often also wanders: to other niches of the
occupation, to other occupations of the state, to other states. Scale 1 has 320,000 people, 365,000 jobs and 1.6 million
applications (a person: median 2, mean 5, 99th percentile 46, at most 567; a job: median 3, 99th percentile 24); smaller
scales have fewer states and occupations. An example of a factorization machine has 20 active features: a person's id
and 10 more, a job's id and 8 more. Held out is the last 30 % (at least one, never all) of the applications of a fifth
of the people, drawn from those who have at least two.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metier.data import CSR, Dataset, Features, Floats, Interactions, Nums, Vocabulary

WINDOWS, NICHES, DEGREES, MAJORS, EXPERIENCES = 7, 3, 6, 40, 8
CITIES, WORDS, COMMON_WORDS = 10, 30, 300
"""Cities of a state, words of an occupation, words of all."""
DAY = 86_400.0


class World(NamedTuple):
    """Training data, and what the people in `test_users` (n,) applied to later."""

    data: Dataset
    """U people, I jobs: `.matrix` and `.times` are (U, I) CSR, `.user_features` and `.item_features` have names such as
    "state=12"; ids are not among the features, texts are empty"""
    test_users: Nums
    """(n,) row numbers"""
    truth: CSR
    """(n, I)"""


def world(scale: float = 1.0, seed: int = 7) -> World:
    """The world of a size: 1, 0.1 and 0.01 are the usual ones."""
    rng = np.random.default_rng(seed)
    people, jobs = round(320_000 * scale), round(365_000 * scale)
    states, occupations = (max(2, round(n * scale**0.5)) for n in (50, 40))
    shape = WINDOWS, states, occupations, NICHES
    homes = np.stack(np.unravel_index(rng.integers(0, np.prod(shape), people), shape))  # (4, U)
    cells = np.sort(rng.integers(0, np.prod(shape), jobs))  # (I,)
    start = np.searchsorted(cells, np.arange(np.prod(shape) + 1))
    users, items = _applications(homes, start, shape, rng)
    days = homes[0][users] * 13 + rng.random(len(users)) * 13
    days = days[np.lexsort((days, users))] * DAY
    place, count = _places(users, people)
    often = np.unique(users[count >= 2])
    judged = np.isin(users, rng.choice(often, min(round(0.2 * people), len(often)), replace=False))
    late = judged & (place >= count - np.maximum(1, (0.3 * count).astype(np.int64)))
    test_users, row = np.unique(users[late], return_inverse=True)
    truth = CSR((np.ones(late.sum(), np.float32), (row, items[late])), shape=(len(test_users), jobs))
    kept = Interactions(users[~late], items[~late], np.ones((~late).sum(), np.float32), days[~late])
    data = Dataset(
        Vocabulary("person", [f"p{u}" for u in range(people)]),
        Vocabulary("job", [f"j{j}" for j in range(jobs)]),
        kept,
        _features(homes, shape, {"degree": DEGREES, "major": MAJORS, "experience": EXPERIENCES}, 4, rng),
        _features(np.stack(np.unravel_index(cells, shape)), shape, {}, 5, rng),
        [""] * people,
        [""] * jobs,
    )
    return World(data, test_users.astype(np.int32), truth)


def _applications(
    homes: NDArray[np.int64], start: NDArray[np.int64], shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[Nums, Nums]:
    """Distinct (person, job) pairs, ordered by person and by time."""
    people = homes.shape[1]
    wanted = np.minimum(1 + rng.lognormal(0.48, 1.44, people), 567).astype(np.int64)
    users = np.repeat(np.arange(people), wanted * 2)  # twice as many draws, because repeated ones are dropped
    window, state, occupation, niche = homes[:, users]
    wander = rng.random(len(users)) < ((wanted + 4) / (wanted + 14))[users]
    how = rng.random(len(users))
    niche = np.where(wander, rng.integers(0, NICHES, len(users)), niche)
    occupation = np.where(wander & (how > 0.4), rng.integers(0, shape[2], len(users)), occupation)
    state = np.where(wander & (how > 0.8), rng.integers(0, shape[1], len(users)), state)
    cell = np.ravel_multi_index((window, state, occupation, niche), shape)
    fame = np.concatenate([[0], np.cumsum(rng.lognormal(0, 1.4, start[-1]))])
    low, high = fame[start[cell]], fame[start[cell + 1]]
    items = np.searchsorted(fame, low + rng.random(len(users)) * (high - low), side="right") - 1
    first = np.zeros(len(users), np.bool_)
    first[np.unique(users * start[-1] + items, return_index=True)[1]] = True
    first &= high > low  # some cells have no job
    users, items, wanted = users[first], items[first], wanted[users[first]]
    kept = _places(users, people)[0] < wanted
    return users[kept].astype(np.int32), items[kept].astype(np.int32)


def _places(users: Nums, people: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place of each application in its person's list, and the length of that list; `users` is sorted."""
    count = np.bincount(users, minlength=people)
    return np.arange(len(users)) - (np.cumsum(count) - count)[users], count[users]


def _features(
    cells: NDArray[np.int64], shape: tuple[int, ...], noise: dict[str, int], words: int, rng: np.random.Generator
) -> Features:
    """Window, state, city, noise, and words: half of the occupation's, one of the niche's, the rest of all."""
    window, state, occupation, niche = cells
    n = len(window)
    columns = {"window": (window, WINDOWS), "state": (state, shape[1])}
    columns["city"] = (state * CITIES + rng.integers(0, CITIES, n), shape[1] * CITIES)
    columns |= {name: (rng.integers(0, size, n), size) for name, size in noise.items()}
    vocabulary = shape[2] * WORDS + COMMON_WORDS
    third = WORDS // NICHES
    drawn = [occupation * WORDS + rng.integers(0, WORDS, n) for _ in range(words // 2)]
    drawn.append(occupation * WORDS + niche * third + rng.integers(0, third, n))
    drawn += [vocabulary - 1 - rng.integers(0, COMMON_WORDS, n) for _ in range(words - len(drawn))]
    sizes = [size for _, size in columns.values()] + [vocabulary]
    first = np.concatenate([[0], np.cumsum(sizes)])
    numbers = [number + at for (number, _), at in zip(columns.values(), first[:-2], strict=True)]
    numbers += [word + first[-2] for word in drawn]
    ones: Floats = np.ones(n * len(numbers), np.float32)
    matrix = CSR((ones, np.stack(numbers, axis=1).ravel(), np.arange(n + 1) * len(numbers)), shape=(n, first[-1]))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    names = [f"{field}={value}" for field, size in zip([*columns, "word"], sizes, strict=True) for value in range(size)]
    fields = np.repeat(np.arange(len(sizes), dtype=np.int16), sizes)
    return Features(matrix, tuple(names), fields, (*columns, "word"))

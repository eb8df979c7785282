"""Tiny worlds whose right answer is known."""

import numpy as np
import polars as pl

from metier.data import Tables


def checkerboard(n: int = 50, hidden: int = 1) -> Tables:
    """n people and n jobs of two colours: a person applies to every job of their own colour but `hidden` of them.

    Any model of co-application must rank the hidden jobs of the own colour above all jobs of the other colour. The
    hidden pairs are marked `split = "test"`.
    """
    colour = ["red" if i % 2 else "blue" for i in range(n)]
    rows = []
    for person in range(n):
        own = [job for job in range(n) if job % 2 == person % 2]
        for place, job in enumerate(own):
            is_hidden = (place - person // 2) % len(own) < hidden
            rows.append((f"p{person}", f"j{job}", "test" if is_hidden else "train"))
    return Tables.build(
        people=pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(n)],
                "text": [f"{c} worker" for c in colour],
                "city": colour,
                "state": colour,
                "country": ["US"] * n,
                "colour": colour,
            }
        ),
        jobs=pl.DataFrame(
            {
                "id": [f"j{i}" for i in range(n)],
                "title": [f"{c} job" for c in colour],
                "text": [f"{c} tasks" for c in colour],
                "city": colour,
                "state": colour,
                "country": ["US"] * n,
            }
        ),
        interactions=pl.DataFrame(rows, schema=["person", "job", "split"], orient="row"),
    )


def small_town(seed: int = 7, people: int = 120, jobs: int = 80) -> Tables:
    """People with places, degrees, texts and times who apply by trade and state; some have no application at all."""
    rng = np.random.default_rng(seed)
    trades = ["nurse", "welder", "teacher", "driver"]
    states = ["OH", "TX", "WA"]
    trade, job_trade = rng.integers(0, 4, people), rng.integers(0, 4, jobs)
    state, job_state = rng.integers(0, 3, people), rng.integers(0, 3, jobs)
    start = np.datetime64("2012-04-01T00:00:00", "us")
    pairs = {}
    for person in range(int(people * 0.9)):
        taste = np.exp(2.0 * (job_trade == trade[person]) + 1.0 * (job_state == state[person]))
        for job in rng.choice(jobs, size=rng.integers(1, 8), replace=False, p=taste / taste.sum()):
            pairs[f"p{person}", f"j{job}"] = start + np.timedelta64(int(rng.integers(0, 9 * 86400)), "s")
    return Tables.build(
        people=pl.DataFrame(
            {
                "id": [f"p{i}" for i in range(people)],
                "window": [1] * people,
                "text": [f"I am a {trades[t]}" for t in trade],
                "state": [states[s] for s in state],
                "city": [f"{states[s]}-{i % 5}" for i, s in enumerate(state)],
                "country": ["US"] * people,
                "degree": [["None", "Bachelor's"][i % 2] for i in range(people)],
                "experience_years": [None if i % 9 == 0 else float(i % 30) for i in range(people)],
            }
        ),
        jobs=pl.DataFrame(
            {
                "id": [f"j{i}" for i in range(jobs)],
                "window": [1] * jobs,
                "title": [f"{trades[t].title()} wanted" for t in job_trade],
                "text": [f"We hire a {trades[t]} in {states[s]}" for t, s in zip(job_trade, job_state, strict=True)],
                "state": [states[s] for s in job_state],
                "city": [f"{states[s]}-{i % 5}" for i, s in enumerate(job_state)],
                "country": ["US"] * jobs,
            }
        ),
        history=pl.DataFrame(
            {
                "person": [f"p{i}" for i in range(people)],
                "sequence": [1] * people,
                "title": [trades[t] for t in trade],
            }
        ),
        interactions=pl.DataFrame(
            {
                "person": [p for p, _ in pairs],
                "job": [j for _, j in pairs],
                "time": np.array(list(pairs.values())),
            }
        ),
        windows=pl.DataFrame(
            {
                "window": [1],
                "start": np.array([start]),
                "cutoff": np.array([start + np.timedelta64(5, "D")]),
                "end": np.array([start + np.timedelta64(9, "D")]),
            }
        ),
    )

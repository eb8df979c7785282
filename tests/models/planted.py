"""A labour market whose rule is known: people apply inside their own trade and state, and to nothing else."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from metier.data import Tables

TRADES = ("nurse", "welder", "teacher", "driver")
PLACES = (("Dallas", "TX"), ("Chicago", "IL"), ("Boston", "MA"))
CELLS = len(TRADES) * len(PLACES)
START = datetime(2012, 4, 1)


def market(people=120, jobs=96, *, texts=True, places=True, times=True, attributes=True, seed=0) -> Tables:
    """Person u and job i are of cell u % CELLS and i % CELLS. The last 12 people and the last 12 jobs, one of each
    cell, have no application. Without texts or places the rule of the other alone remains."""
    rng = np.random.default_rng(seed)
    pairs = []
    for person in range(people - CELLS):
        own = [job for job in range(jobs - CELLS) if alike(person, job, texts=texts, places=places)]
        chosen = rng.choice(own, size=rng.integers(2, 5), replace=False)
        moments = sorted(rng.uniform(0, 9 * 24, len(chosen)))
        pairs += [(f"p{person}", f"j{job}", START + timedelta(hours=h)) for job, h in zip(chosen, moments, strict=True)]
    return Tables.build(
        people=_side("p", people, texts, places).with_columns(
            **({"degree": pl.Series([("BA", "None")[i % 2] for i in range(people)])} if attributes else {})
        ),
        jobs=_side("j", jobs, texts, places),
        interactions=pl.DataFrame(
            [pair[: 2 + times] for pair in pairs], ["person", "job", "time"][: 2 + times], orient="row"
        ),
    )


def alike(person: int, job: int, *, texts=True, places=True) -> bool:
    """Whether a person applies to a job: one trade (person // 3), one place (person % 3)."""
    a, b = person % CELLS, job % CELLS
    return (not texts or a // 3 == b // 3) and (not places or a % 3 == b % 3)


def _side(letter: str, size: int, texts: bool, places: bool) -> pl.DataFrame:
    trade = [TRADES[i % CELLS // 3] for i in range(size)]
    city, state = zip(*(PLACES[i % 3] for i in range(size)), strict=True)
    frame = pl.DataFrame({"id": [f"{letter}{i}" for i in range(size)]})
    if texts and letter == "j":
        frame = frame.with_columns(title=pl.Series([t.title() for t in trade]))
    if texts:
        frame = frame.with_columns(text=pl.Series([f"the work of a {t}" for t in trade]))
    if places:
        frame = frame.with_columns(city=pl.Series(city), state=pl.Series(state), country=pl.lit("US"))
    return frame

"""When people look for jobs, and what for: bursts of applications with one occupation and one city in mind."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.people import seek
from metier.sources.market.world import Floats64, World

GAP_SECONDS, GAP_SPREAD = 45.0, 1.6
"""Median and log-spread of the pauses inside a session; with `new_session` the median of all gaps is the published
89 seconds."""
HOURS = np.array([3, 2, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 9, 8, 8, 7, 6, 6, 6, 6, 5, 4], dtype=np.float64)
"""Sessions by hour of the day (assumption, after the shape of the public sample)."""


@dataclass(frozen=True)
class Wishes:
    """n applications that people set out to make, by person and time: what each session looks for and when."""

    person: NDArray[np.int64]
    session: NDArray[np.int64]
    occupation: NDArray[np.int64]
    city: NDArray[np.int64]
    seconds: Floats64
    """Since the start of the window."""


def plan(world: World, knobs: MarketKnobs, people: pl.DataFrame, days: int, rng: np.random.Generator) -> Wishes:
    """Split each person's applications into sessions, with a time, an occupation and a city each."""
    counts = people["applications"].to_numpy()
    person = np.repeat(np.arange(len(people)), counts)
    opens = rng.random(len(person)) < knobs.new_session
    opens[(np.cumsum(counts) - counts)[counts > 0]] = True
    session = np.cumsum(opens) - 1
    owner = person[opens]
    begins = rng.integers(0, days, len(owner)) * 86400.0
    begins += rng.choice(24, len(owner), p=HOURS / HOURS.sum()) * 3600.0
    begins += rng.uniform(0, 3600, len(owner))
    begins = begins[np.lexsort((begins, owner))]
    pause = np.minimum(GAP_SECONDS * np.exp(GAP_SPREAD * rng.normal(size=len(person))), 1800.0)
    total = np.cumsum(np.where(opens, 0.0, pause))
    seconds = np.minimum(begins[session] + total - total[opens][session], days * 86400.0 - 1)
    sought = people["occupation"].to_numpy().astype(np.int64)[owner]
    sought = seek(world, sought, rng.random(len(owner)) < knobs.detour, rng)
    away = rng.choice(len(world.city), len(owner), p=world.city_share)
    around = np.where(rng.random(len(owner)) < knobs.travel, away, people["city"].to_numpy()[owner])
    return Wishes(person, session, sought[session], around[session], seconds)

"""The people of one window: who they are, what they can do and where they worked."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.sources.market.draws import RowDraws, hide, pick, quantile, ranks, skill_bits
from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.world import Floats64, World

MOST_APPLIED = 0.05
"""Largest share of a window's postings that one person applies to; keeps the published tail (2,473 applications in
windows of 156,000 postings) from swallowing a small market."""
SKILL_KNOWN = 0.65
"""Chance that a person has a skill of their occupation (assumption); half of it for the one they seek instead."""


def draw_people(
    world: World, knobs: MarketKnobs, count: int, window: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`count` people: their row of the people table, and the truth about them (`metier.sources.market.truth`).

    Degrees and experience follow a latent schooling and age of the person by rank, so their marginals are exactly the
    published ones whatever the mix of occupations.
    """
    published = world.published
    most = np.int32(max(1, knobs.postings_per_window * MOST_APPLIED))
    known, shares = published["known"], published["shares"]
    worked = rng.choice(len(world.occupations), count, p=world.occupation_share)
    sought = seek(world, worked, rng.random(count) < knobs.career_change, rng)
    city = rng.choice(len(world.city), count, p=world.city_share)
    usual = np.array([world.families[one.family].schooling for one in world.occupations])
    schooling = ranks(usual[worked] + rng.normal(0, 1.2, count))
    degree = np.searchsorted(np.cumsum(list(published["degrees"].values()))[:-1], schooling, side="right")
    age = rng.random(count)
    years = np.round(quantile(published["experience_years"], age))
    level = np.clip(years / 9 - 0.3 + rng.normal(0, 0.4, count), 0, 3)
    jobs = np.round(quantile(published["history_count"], ranks(age + rng.normal(0, 0.35, count)))).astype(np.int32)
    manages = ranks(level + rng.normal(0, 1.0, count)) > 1 - shares["managed_others"]
    is_test = rng.random(count) < published["sizes"]["test_people"] / published["sizes"]["people"]
    table = pl.DataFrame(
        {
            "window": pl.Series(np.full(count, window), dtype=pl.Int16),
            "city": np.array(world.city)[city],
            "state": hide(np.array(world.state)[city], known["state"], rng),
            "country": ["US"] * count,
            "zip": hide(_zips(world, city, rng), known["zip"], rng),
            "degree": np.array(list(published["degrees"]))[degree],
            "major": _majors(world, worked, degree, rng),
            "graduated": _graduation(years, degree, known["graduated"], rng),
            "history_count": jobs,
            "experience_years": hide(years, known["experience_years"], rng),
            "employed": hide(np.where(rng.random(count) < 0.5, "Yes", "No"), known["employed"], rng),
            "managed_others": np.where(manages, "Yes", "No"),
            "managed_count": np.where(manages, 1 + rng.geometric(0.12, count), 0).astype(np.int32),
        }
    )
    own = np.where(world.skill_table, SKILL_KNOWN, 0.01)
    truth = pl.DataFrame(
        {
            "window": table["window"],
            "worked": worked.astype(np.int16),
            "occupation": sought.astype(np.int16),
            "city": city.astype(np.int16),
            "seniority": level.astype(np.float32),
            "applications": np.minimum(_activity(world, is_test, rng), most),
            "is_test": is_test,
            "skills": pl.Series(skill_bits(np.maximum(own[worked], own[sought] / 2), rng), dtype=world.bits_type),
        }
    )
    return table, truth


def draw_history(world: World, people: pl.DataFrame, truth: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Past jobs, `history_count` each, newest first: three in five in the worked occupation, the rest mostly near it.

    Rows have person, sequence (from 1) and title; titles get less senior with the sequence, and one in twelve says
    nothing about the occupation. A third of the pairs of past jobs share a major group in a public sample; so here.
    """
    counts = people["history_count"].to_numpy()
    owner = np.repeat(np.arange(len(people)), counts)
    sequence = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    worked = truth["worked"].to_numpy()[owner]
    past = seek(world, worked, rng.random(len(owner)) < 0.4, rng)
    level = np.clip(np.rint(truth["seniority"].to_numpy()[owner] - 0.35 * (sequence - 1)), 0, 3).astype(int)
    choice, style = rng.random(len(owner)), rng.random(len(owner))
    is_vague = rng.random(len(owner)) < 1 / 12
    levels, vague = [one["past"] for one in world.wording["levels"]], world.wording["vague"]["past"]
    titles = [
        pick(vague, p) if v else pick(levels[at], s).format(title=pick(world.occupations[one].past, p))
        for one, at, p, s, v in zip(past, level, choice, style, is_vague, strict=True)
    ]
    ids = people["id"].gather(pl.Series(owner, dtype=pl.UInt32))
    return pl.DataFrame({"person": ids, "sequence": sequence.astype(np.int32), "title": titles})


def seek(
    world: World, occupation: NDArray[np.int64], strays: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """(n,) the given occupation or, for those who stray, another: four of five times one of the same family."""
    found = occupation.copy()
    found[strays] = RowDraws(stray_table(world)).draw(occupation[strays], rng)
    return found


def stray_table(world: World) -> Floats64:
    """(O, O) chance of each other occupation for one who strays, four of five inside the family; rows sum to 1."""
    other = world.same_family & ~np.eye(len(world.occupations), dtype=bool)
    inside, outside = (table * world.occupation_share for table in (other, ~world.same_family))
    shares = 0.8 * inside / inside.sum(1, keepdims=True) + 0.2 * outside / outside.sum(1, keepdims=True)
    return np.asarray(shares)


def _activity(world: World, is_test: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int32]:
    """(n,) applications a person sets out to make.

    The challenge tested people who go on applying, so its test people with past applications (mean 14, published) come
    from the upper 22 % of the curve.
    """
    shares = world.published["shares"]
    floor = np.where(is_test, 0.78, 0.0)
    none = np.where(is_test, shares["test_people_without_applications"], shares["train_people_without_applications"])
    curve = quantile(world.published["applications_per_person"], floor + (1 - floor) * rng.random(len(is_test)))
    return np.where(rng.random(len(is_test)) < none, 0, np.rint(curve)).astype(np.int32)


def _majors(world: World, worked: NDArray[Any], degree: NDArray[Any], rng: np.random.Generator) -> list[str | None]:
    """Majors of the family from vocational school up; the published quarter without one is those without a degree."""
    at = rng.random(len(worked)) ** 1.5
    return [
        pick(world.families[world.occupations[one].family].majors, p) if d >= 2 else None
        for one, d, p in zip(worked, degree, at, strict=True)
    ]


def _graduation(years: Floats64, degree: NDArray[Any], known: float, rng: np.random.Generator) -> pl.Series:
    """A June or December about when experience began; never known without a degree, which is most of the unknown."""
    year = np.clip(2012 - np.rint(years * rng.uniform(0.6, 1.1, len(years))), 1960, 2011).astype(int)
    month = np.where(rng.random(len(years)) < 0.7, 6, 12)
    share_with_degree = (degree > 0).mean()
    is_known = (degree > 0) & (rng.random(len(years)) < known / share_with_degree)
    frame = pl.DataFrame({"year": year, "month": month, "known": is_known})
    return frame.select(pl.when("known").then(pl.datetime("year", "month", 1))).to_series()


def _zips(world: World, city: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    ends = rng.integers(1, 40, len(city))
    return np.char.add(np.array(world.zip3)[city], np.char.zfill(ends.astype(str), 2))

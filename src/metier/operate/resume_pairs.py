"""Made-up résumés in pairs that differ in one thing that says nothing about work: name, pronoun, both, or school.

Occupations, skills and towns are those of the synthetic market. The two texts of a pair are drawn once and filled in
twice, in the past tense, so that "she led" and "they led" differ in nothing but the pronoun.
"""

import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import cycle, islice
from typing import Any, Literal, get_args

import numpy as np

from metier.sources.market.world import World, load_world

Kind = Literal["name", "pronoun", "name and pronoun", "school"]
DEFAULT_PATH: tuple[Kind, ...] = ("name", "pronoun", "name and pronoun")
"""Kinds that must not move a score; a school is part of what a person says they can do, and is reported apart."""

_SENTENCES = (
    "{Subject} worked as a {title} for {years} years.",
    "{Given} led a small team; {subject} planned the shifts, and {possessive} colleagues relied on {object}.",
    "Customers thanked {object} for {possessive} patience.",
    "{Address} {Family} trained newcomers.",
    "In {possessive} last position {subject} worked with {skill} every day.",
)
_HEADS = (
    "{Given} {Family}\n{city}, {state}\n{mail} | (555) 201-{number}",
    "{Address} {Given} {Family}\n{mail}\n{city}, {state}",
    "RESUME\nName: {Given} {Family}\nEmail: {mail}\nLocation: {city}, {state}",
    "{Given} {Family} ({subject}/{object})\nPhone: (555) 201-{number} | {mail}",
)


@dataclass(frozen=True)
class Pair:
    """Two texts, and the groups that their names, pronouns or schools stand for."""

    kind: Kind
    one: str
    other: str
    groups: tuple[str, str]


@dataclass(frozen=True)
class _Told:
    """What the two texts of a pair may differ in."""

    race: str
    gender: str
    given: str
    family: str
    school: str


def draw_pairs(count: int, *, rng: np.random.Generator) -> list[Pair]:
    """`count` pairs, the kinds in turn."""
    words = tomllib.loads(files("metier.operate").joinpath("names.toml").read_text(encoding="utf-8"))
    world = load_world()
    return [_pair(kind, words, world, rng) for kind in islice(cycle(get_args(Kind)), count)]


def _pair(kind: Kind, words: dict[str, Any], world: World, rng: np.random.Generator) -> Pair:
    races, schools = list(words["given"]), list(words["schools"])
    race, other_race = _some(races, 2, rng)
    gender, other_gender = _some(["woman", "man"], 2, rng)
    said = _some(list(words["pronouns"]), 2, rng)
    school, other_school = _some(schools, 2, rng)
    one = _Told(
        race, gender, _one(words["given"][race][gender], rng), _one(words["family"][race], rng),
        _one(words["schools"][school], rng),
    )  # fmt: skip
    groups: tuple[str, str]
    pronouns = (gender, gender)
    other = one
    if kind == "name":
        given = _one(words["given"][other_race][gender], rng)
        other = _Told(other_race, gender, given, _one(words["family"][other_race], rng), one.school)
        groups = (f"{race} {gender}", f"{other_race} {gender}")
    elif kind == "pronoun":
        pronouns = (said[0], said[1])
        groups = pronouns
    elif kind == "name and pronoun":
        other = _Told(race, other_gender, _one(words["given"][race][other_gender], rng), one.family, one.school)
        pronouns = (gender, other_gender)
        groups = (f"{race} {gender}", f"{race} {other_gender}")
    else:
        other = _Told(race, gender, one.given, one.family, _one(words["schools"][other_school], rng))
        groups = (school, other_school)
    text = _drawn(world, rng)
    return Pair(
        kind, _filled(text, one, words["pronouns"][pronouns[0]]), _filled(text, other, words["pronouns"][pronouns[1]]),
        groups,
    )  # fmt: skip


def _drawn(world: World, rng: np.random.Generator) -> str:
    """A résumé whose person is left open: {Given}, {Family}, {mail}, {school}, {subject}, ..."""
    occupation = world.occupations[rng.integers(len(world.occupations))]
    city = int(rng.choice(len(world.city), p=world.city_share))
    skills = [world.skills[s][0] for s in occupation.skills]
    chosen = _some(skills, min(5, len(skills)), rng)
    facts = {
        "title": _one(occupation.past, rng).lower(),
        "years": str(rng.integers(2, 25)),
        "skill": chosen[0],
        "city": world.city[city],
        "state": world.state[city],
        "number": f"{rng.integers(10_000):04}",
    }
    sentences = " ".join(_some(_SENTENCES, 3, rng))
    jobs = "\n".join(
        f"{_one(occupation.past, rng)}, Example Company, {2012 - 3 * n} - {2014 - 3 * n}" for n in range(2)
    )
    parts = [
        _one(_HEADS, rng),
        f"Summary\n{sentences}",
        f"Experience\n{jobs}",
        f"Education\n{{school}}, {rng.integers(1990, 2010)}",
        "Skills\n" + ", ".join(chosen),
    ]
    text = "\n\n".join(parts)
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _filled(text: str, told: _Told, pronouns: Sequence[str]) -> str:
    subject, object_, possessive, address = pronouns
    values = {
        "Given": told.given,
        "Family": told.family,
        "school": told.school,
        "subject": subject,
        "Subject": subject.title(),
        "object": object_,
        "possessive": possessive,
        "Address": address,
        "mail": f"{_plain(told.given)}.{_plain(told.family)}@example.org",
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _one(values: Sequence[str], rng: np.random.Generator) -> str:
    return values[rng.integers(len(values))]


def _some(values: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    return [values[n] for n in rng.permutation(len(values))[:count]]

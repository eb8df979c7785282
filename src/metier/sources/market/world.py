"""What a labour market is made of: occupations, skills, places and wordings, read from the TOML files beside this."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats64 = NDArray[np.float64]
Bits = NDArray[np.uint64]
"""(n, words) sets of skills, one bit a skill."""


@dataclass(frozen=True)
class Occupation:
    """One line of work: how postings and people word it, and what it takes."""

    name: str
    family: int
    postings: Sequence[str]
    past: Sequence[str]
    skills: NDArray[np.int64]
    """(s,) numbers into `World.skills`."""


@dataclass(frozen=True)
class Family:
    """Related occupations, one TOML file: usual schooling (a mean on the scale 0 = none ... 6 = doctorate), texts."""

    name: str
    schooling: float
    majors: Sequence[str]
    openings: Sequence[str]
    duties: Sequence[str]


@dataclass(frozen=True)
class World:
    """O occupations in F families, S skills, C cities.

    Parameters
    ----------
    skills : (S,) each the accepted spellings of one skill.
    occupation_share, city_share : (O,), (C,) float64, sum to 1.
    same_family : (O, O) bool; same_state : (C, C) bool; km : (C, C) float64 great-circle distance.
    wording, published : the parsed `wording.toml` and `published.toml`.
    """

    families: Sequence[Family]
    occupations: Sequence[Occupation]
    occupation_share: Floats64
    same_family: NDArray[np.bool_]
    skills: Sequence[Sequence[str]]
    city: Sequence[str]
    state: Sequence[str]
    zip3: Sequence[str]
    city_share: Floats64
    same_state: NDArray[np.bool_]
    km: Floats64
    wording: dict[str, Any]
    published: dict[str, Any]

    @property
    def words(self) -> int:
        """Number of 64-bit words that hold a set of skills."""
        return -(-len(self.skills) // 64)

    @property
    def bits_type(self) -> pl.DataType:
        """The column type of a set of skills."""
        return pl.Array(pl.UInt64, self.words)

    @property
    def skill_table(self) -> NDArray[np.bool_]:
        """(O, S) whether a skill belongs to an occupation."""
        table = np.zeros((len(self.occupations), len(self.skills)), dtype=np.bool_)
        for row, occupation in enumerate(self.occupations):
            table[row, occupation.skills] = True
        return table


@cache
def load_world(states: int | None = None) -> World:
    """Read the TOML files; adding an occupation or a family is an edit of one of them.

    Parameters
    ----------
    states : keep only the cities of so many states, the most populous ones of `places.toml`; all when None.
    """
    home = files(__package__)
    families: list[Family] = []
    occupations: list[Occupation] = []
    shares: list[float] = []
    skills: dict[str, list[str]] = {}
    for text in _tables(home / "occupations"):
        families.append(Family(*(text[key] for key in ("family", "schooling", "majors", "openings", "duties"))))
        for one in text["occupation"]:
            spellings = [skill.split("|") for skill in one["skills"]]
            for names in spellings:
                skills.setdefault(names[0], names)
            numbers = np.array([list(skills).index(names[0]) for names in spellings])
            occupations.append(Occupation(one["name"], len(families) - 1, one["postings"], one["past"], numbers))
            shares.append(text["share"] * one["share"])
    family = np.array([one.family for one in occupations])
    rows = _in_largest_states(_read(files("metier.features") / "places.toml")["cities"], states)
    city, state, zip3, latitude, longitude, population = zip(*rows, strict=True)
    return World(
        families=tuple(families),
        occupations=tuple(occupations),
        occupation_share=np.array(shares) / sum(shares),
        same_family=family[:, None] == family,
        skills=tuple(map(tuple, skills.values())),
        city=city,
        state=state,
        zip3=zip3,
        city_share=np.array(population) / sum(population),
        same_state=np.array(state)[:, None] == np.array(state),
        km=_great_circle(np.array(latitude), np.array(longitude)),
        wording=_read(home / "wording.toml"),
        published=_read(home / "published.toml"),
    )


def _in_largest_states(rows: list[list[Any]], states: int | None) -> list[list[Any]]:
    people: Counter[str] = Counter()
    for _, state, *_, thousands in rows:
        people[state] += thousands
    kept = {state for state, _ in people.most_common(states)}
    return [row for row in rows if row[1] in kept]


def _great_circle(latitude: Floats64, longitude: Floats64) -> Floats64:
    """(C, C) km between places given in degrees, by the haversine formula on a sphere of 6,371 km."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    half = np.sin((phi[:, None] - phi) / 2) ** 2
    half = half + np.cos(phi[:, None]) * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _tables(folder: Traversable) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield _read(file)


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))

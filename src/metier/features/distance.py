"""Where people and postings are, and how far apart, from the names of their places.

`places.toml` holds the coordinates of larger US cities with the first three digits of a ZIP code, and the names of the
US states. A city is looked up by its name and state, then a ZIP code, then a state by the mean of its cities; whatever
is not there is unknown.
"""

import tomllib
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from metier.data import CSR, Floats

EARTH = 6371.0
"""Radius in km."""
FINEST = {"city": 1.0, "zip3": 1e-3, "state": 1e-6}
"""Weight of each place field: the finest one that is known decides."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "places.toml").read_text(encoding="utf-8"))


@cache
def gazetteer() -> dict[str, NDArray[np.float64]]:
    """Key of a place -> (3,) unit vector from the centre of the earth. Keys: "city|state", "zip3", "|state"."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    for city, state, zip3, latitude, longitude, _ in _table()["cities"]:
        phi, lam = np.radians([latitude, longitude])
        point = np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
        for key in (f"{city}|{state}", zip3, f"|{state}"):
            found.setdefault(key, []).append(point)
    means = {key: np.mean(points, axis=0) for key, points in found.items()}
    return {key: mean / np.linalg.norm(mean) for key, mean in means.items()}


def spellings(state: str) -> frozenset[str]:
    """A state in small letters, of the US by its letters as by its name.

    >>> sorted(spellings("Texas")), sorted(spellings("tx")), sorted(spellings("Bavaria"))
    (['texas', 'tx'], ['texas', 'tx'], ['bavaria'])
    """
    plain = state.strip().lower()
    return _states().get(plain, frozenset({plain}))


@cache
def _states() -> dict[str, frozenset[str]]:
    both = [frozenset({letters.lower(), name.lower()}) for letters, name in _table()["states"].items()]
    return {one: pair for pair in both for one in pair}


def columns(names: Sequence[str]) -> Floats:
    """(f, 3) position of each feature column by its name ("city=Dallas|TX|US"), times its weight; 0 where unknown."""
    found = np.zeros((len(names), 3), np.float32)
    for number, name in enumerate(names):
        field, _, value = name.partition("=")
        if field in FINEST:
            parts = value.split("|")
            key = {"city": "|".join(parts[:2]), "zip3": parts[0], "state": f"|{parts[0]}"}[field]
            known = gazetteer().get(key)
            if known is not None:
                found[number] = FINEST[field] * known
    return found


class Placed(Protocol):
    """Somebody or something whose place is named."""

    @property
    def city(self) -> str | None: ...
    @property
    def state(self) -> str | None: ...
    @property
    def zip(self) -> str | None: ...


def position(one: Placed, fields: Collection[str] = tuple(FINEST)) -> Floats:
    """(3,) where somebody or something is, by these of the place fields; 0 unknown. A US state may be written out."""
    plain = (one.state or "").strip().lower()
    state = min(_states()[plain], key=len).upper() if plain in _states() else one.state
    keys = {"city": f"{one.city}|{state}" if one.city else "", "zip3": (one.zip or "")[:3], "state": f"|{state}"}
    found = [FINEST[field] * gazetteer()[keys[field]] for field in fields if keys[field] in gazetteer()]
    if not found:
        return np.zeros(3, np.float32)
    middle = np.sum(found, axis=0)
    return np.asarray(middle / np.linalg.norm(middle), np.float32)


def positions(matrix: CSR, of_columns: Floats) -> Floats:
    """(n, 3) unit vectors of the rows of (n, f) features, of several places the middle; 0 where unknown."""
    sums = matrix @ of_columns
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(lengths > 0, lengths, 1), np.float32)


def km(here: Floats, there: Floats) -> Floats:
    """Kilometres between positions, broadcast against each other; NaN where one is unknown.

    >>> a = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], np.float32)
    >>> b = np.array([[0.0, 1.0, 0.0]], np.float32)
    >>> km(a, b).round().tolist()
    [10008.0, nan]
    """
    known = (here**2).sum(axis=-1) * (there**2).sum(axis=-1) > 0.5
    chord = np.linalg.norm(here - there, axis=-1) / 2
    return np.where(known, 2 * EARTH * np.arcsin(np.minimum(chord, 1)), np.nan).astype(np.float32)


def log_km(here: Floats, there: Floats) -> Floats:
    """ln(1 + km / 25) between positions, broadcast against each other; 0 where one is unknown."""
    return np.nan_to_num(np.log1p(km(here, there) / 25))


def within(here: Floats, there: Floats, reach: float) -> NDArray[np.bool_]:
    """(n,) whether positions (n, 3) are at most `reach` km from one (3,): `km` without an arc sine for each.

    False where one is unknown.
    """
    chord = 2 * np.sin(min(reach / (2 * EARTH), np.pi / 2))
    gap = there - here
    near = np.einsum("ij,ij->i", gap, gap) <= chord**2
    if chord >= 0.99:  # an unknown place lies in the middle of the earth
        near &= there.any(axis=1)
    return np.asarray(near if here.any() else np.zeros(len(there), np.bool_))


def kilometres(here: Placed, there: Placed) -> float | None:
    """How far apart two are; None where neither the city nor the ZIP code of one is in the gazetteer.

    >>> from types import SimpleNamespace as At
    >>> round(kilometres(At(city="Dallas", state="TX", zip=None), At(city=None, state=None, zip="76102")))
    50
    """
    distance = float(km(*(position(one, ("city", "zip3")) for one in (here, there))))
    return None if np.isnan(distance) else distance

"""Which values of a model's settings are worth trying.

A config says so field by field, `name: Annotated[float, Search(1e-3, 1.0, log=True)] = ...`; `space` collects what it
says, `draw` takes a random point of it and `near` a point close to a good one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np

from metier.errors import ConfigError
from metier.models.base import ModelConfig

DIGITS = 3
"""Significant digits of a drawn float: more would only make the settings hard to read."""


@dataclass(frozen=True)
class Search:
    """Values of one setting: a range from `low` to `high`, both included, or a list of choices.

    With `log`, steps are ratios: 0.01 to 0.1 is as likely as 0.1 to 1. ConfigError when it makes no sense.
    """

    low: float = 0
    high: float = 0
    log: bool = field(default=False, kw_only=True)
    choices: tuple[Any, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if self.choices:
            problem = "has both choices and a range" if (self.low, self.high, self.log) != (0, 0, False) else ""
        elif not -math.inf < self.low < self.high < math.inf:
            problem = "must have low < high, both finite, or choices"
        else:
            problem = "is logarithmic and must start above 0" if self.log and self.low <= 0 else ""
        if problem:
            raise ConfigError(f"{self} {problem}; cure: Search(0.1, 10, log=True) or Search(choices=(0, 50, 200))")


Space = Mapping[str, Search]
"""Setting -> its values; whole numbers have whole bounds."""


def space(config_class: type[ModelConfig]) -> dict[str, Search]:
    """The searched settings of a config, in its order; bounds have the type of the field (int or float).

    ConfigError names a field whose default or bounds do not fit its Search. None may be a choice only where it is the
    default: a TOML file has no null, so there it is written by leaving the setting out.
    """
    found = {}
    for name, about in config_class.model_fields.items():
        for search in (one for one in about.metadata if isinstance(one, Search)):
            where = f"{config_class.__name__}.{name}"
            if not search.choices:
                search = _typed(search, about.annotation, where)
            elif about.default not in search.choices:
                raise ConfigError(f"{where}: its default {about.default!r} is not among the choices {search.choices}")
            elif None in search.choices and about.default is not None:
                raise ConfigError(f"{where}: None is a choice and must then be the default, not {about.default!r}")
            found[name] = search
    return found


def draw(space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """One value for each setting, each uniform on its scale and independent of the others."""
    return {name: _at(search, rng.random()) for name, search in space.items()}


def near(space: Space, settings: Mapping[str, Any], radius: float, rng: np.random.Generator) -> dict[str, Any]:
    """A neighbour of `settings`: each number moved by a normal step of `radius` times the width of its range (on its
    scale, reflected at the ends), each choice drawn anew with probability `radius`.

    A value outside its range, as a default may be, starts from the nearer end.
    """
    found = {}
    for name, search in space.items():
        value = settings[name]
        if search.choices:
            found[name] = _at(search, rng.random()) if rng.random() < radius else value
        else:
            place = _place(search, value) + radius * rng.standard_normal()
            found[name] = _at(search, 1 - abs(1 - abs(place) % 2))
    return found


def _typed(search: Search, annotation: Any, where: str) -> Search:
    """Bounds as int or float, as the field wants them (`float | None` wants float)."""
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind in (int, float)]
    if not kinds:
        raise ConfigError(f"{where} is {annotation}, which has no range; cure: Search(choices=...)")
    bounds = [kinds[0](bound) for bound in (search.low, search.high)]
    if bounds != [search.low, search.high]:
        raise ConfigError(f"{where} is a whole number, but its range is {search.low} to {search.high}")
    return replace(search, low=bounds[0], high=bounds[1])


def _at(search: Search, place: float) -> Any:
    """The value at a place in [0, 1]."""
    if search.choices:
        return search.choices[min(int(place * len(search.choices)), len(search.choices) - 1)]
    start, end = _ends(search)
    value = start * (end / start) ** place if search.log else start + place * (end - start)
    value = round(value) if isinstance(search.low, int) else float(f"{value:.{DIGITS}g}")
    return min(max(value, search.low), search.high)


def _place(search: Search, value: float | None) -> float:
    """The place in [0, 1] of a value; the middle for None."""
    if value is None:
        return 0.5
    scale = math.log if search.log else float
    start, end = map(scale, _ends(search))
    return (scale(min(max(value, search.low), search.high)) - start) / (end - start)


def _ends(search: Search) -> tuple[float, float]:
    """The range; whole numbers get half a step on either side, so that its ends are as likely as its middle."""
    half = 0.5 if isinstance(search.low, int) else 0.0
    return search.low - half, search.high + half

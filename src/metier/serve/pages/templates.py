"""The templates beside this package: everything is escaped, a missing name is an error."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

LEVELS = (("", "Any"), ("0", "Beginner"), ("1", "Experienced"), ("2", "Senior"), ("3", "Leading others"))
"""Of a title, as `metier.features.level` numbers them."""


def render(name: str, **values: Any) -> str:
    """A page as HTML."""
    return _environment().get_template(name).render(**{"notice": "", "version": ""} | values)


def compile_all() -> None:
    """Make every template ready; else the first visitor of each page waits for it."""
    for name in _environment().list_templates():
        _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("metier.serve", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "counted": counted, "pairs": pairs}
    environment.globals["levels"] = LEVELS
    return environment


def day(seconds: float | None) -> str:
    """A day in words, for a reader.

    >>> day(0.0)
    '1 January 1970'
    """
    if seconds is None:
        return "–"
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{when.day} {when:%B %Y}"


def moment(seconds: float | None) -> str:
    """A day and a time in UTC."""
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def pairs(names: list[str]) -> list[tuple[str, str]]:
    """Names as the options of a choice."""
    return [(name, name) for name in names]


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun.

    >>> counted(1, "job"), counted(1200, "job"), counted(2, "person", "people")
    ('1 job', '1,200 jobs', '2 people')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"

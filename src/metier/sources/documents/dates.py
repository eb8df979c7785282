"""Dates as résumés write them."""

import re
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:19[5-9]\d|20[0-4]\d)"
_POINT = (
    rf"(?:(?:\d{{1,2}}(?:st|nd|rd|th)?[ -])?{_NAME}\.?[ ,'’-]{{0,3}}(?:\d{{1,2}}, ?)?{_YEAR}|"
    rf"(?:\d{{1,2}}[/.-])?\d{{1,2}}[/.-]{_YEAR}|{_YEAR}[-/.](?:0[1-9]|1[0-2])|{_YEAR})"
)
_NOW = r"(?:present|current(?:ly)?|now|today|ongoing|till (?:date|now|today)|till|to date|date)"
_TO = r" ?(?:-|–|—|to|until|till|through|~) ?"
_RANGE = re.compile(rf"(?<![\w/.])({_POINT}){_TO}({_POINT}|{_NOW})(?![\w/])", re.IGNORECASE)
_SINCE = re.compile(rf"\bsince ({_POINT})(?![\w/])", re.IGNORECASE)
_ONE = re.compile(rf"(?<![\w/.@-])(?<!\d )({_POINT})(?![\w/@-])", re.IGNORECASE)


class Dates(NamedTuple):
    """When something began and ended, "2019" or "2019-07", and where the line says so."""

    start: str | None
    end: str | None
    where: tuple[int, int]


def dates_in(line: str) -> Dates | None:
    """The first period of a line, or else its last single date, which is an end; None without any.

    >>> dates_in("Engineer, Jan 2019 - Present")
    Dates(start='2019-01', end=None, where=(10, 28))
    >>> dates_in("BSc, 06/2015")
    Dates(start=None, end='2015-06', where=(5, 12))
    """
    if match := _RANGE.search(line):
        start, end = _normal(match[1]), _normal(match[2])
        if start and end and end[:4] < start[:4]:
            return None
        return Dates(start, end, match.span())
    if match := _SINCE.search(line):
        return Dates(_normal(match[1]), None, match.span())
    single = list(_ONE.finditer(line))
    return Dates(None, _normal(single[-1][1]), single[-1].span()) if single else None


def _normal(point: str) -> str | None:
    """ "2019" or "2019-07"; None for "present"."""
    year = re.search(_YEAR, point)
    if year is None:
        return None
    if name := re.search(_NAME, point, re.IGNORECASE):
        return f"{year[0]}-{_MONTHS.index(name[0][:3].lower()) + 1:02d}"
    numbers = [int(number) for number in re.findall(r"\d+", point) if number != year[0]]
    month = numbers[-1] if numbers else 0
    return f"{year[0]}-{month:02d}" if 1 <= month <= 12 else year[0]

"""Courses of study: lines with a degree, a school or both."""

import re

from metier.sources.candidate import Education
from metier.sources.documents.dates import Dates, dates_in
from metier.sources.documents.sections import BULLET
from metier.sources.documents.vocabulary import degrees, words

_LONGEST = 200  # characters of a line that names a course
_FIELD = re.compile(
    r"^(?:\s*degree)?\s*(?:in|of|:|-|–|,|\()\s*([A-Z][\w&/ .+'-]{1,80}?)\s*(?=[,|()\t•·;]|\s[-–—]\s| from | at |$)"
)
_PART = re.compile(r"\t|\s*[|•·]\s*|\s+[-–—]\s+|,\s*|\s*[()]\s*|;\s*| from ")


def education_in(lines: list[str]) -> list[Education]:
    """The courses a section states, in its order."""
    found: list[dict[str, str | None]] = [{}]
    for line in lines:
        bare = BULLET.sub("", line)
        facts = _facts(bare) if 0 < len(bare) <= _LONGEST else {}
        if not line or found[-1].keys() & facts.keys():
            found.append({})
        found[-1].update(facts)
    stated = [facts for facts in found if facts.get("degree") or facts.get("school")]
    return [Education.model_validate(facts) for facts in stated]


def _facts(line: str) -> dict[str, str | None]:
    """What one line states of a course."""
    facts: dict[str, str | None] = {}
    degree = degrees().search(line)
    dates = dates_in(line)
    rest = line
    if degree:
        facts["degree"] = degree[0].strip()
        rest = line[degree.end() :]
        field = _FIELD.match(_cut(line, dates)[degree.end() :] if dates and dates.where[0] > degree.end() else rest)
        if field and not _is_school(field[1]):
            facts["field"] = field[1].strip()
    parts = (_after_at(part) for part in _PART.split(_cut(line, dates)))
    school = next((part for part in parts if _is_school(part)), None)
    if school:
        inside = degrees().search(school)
        name = school[inside.end() :] if inside and inside.start() == 0 else school
        facts["school"] = name.strip(" .,:-–") or None
    if dates and (degree or school or len(line) < 40):
        facts |= {"start": dates.start, "end": dates.end}
    return {key: value for key, value in facts.items() if value or key == "end"}


def _cut(line: str, dates: Dates | None) -> str:
    """The line with a bar in place of its dates."""
    return line if dates is None else f"{line[: dates.where[0]]}|{line[dates.where[1] :]}"


def _after_at(part: str) -> str:
    """The school that "Law at Yale University" ends in; "University of Texas at Austin" is one name.

    >>> _after_at("Law at Yale University"), _after_at("University of Texas at Austin")
    ('Yale University', 'University of Texas at Austin')
    """
    place = part.partition(" at ")[2]
    return place if _is_school(place) else part


def _is_school(part: str) -> bool:
    named = [word.strip(".,()").casefold() for word in part.split()]
    return 2 <= len(named) <= 14 and part.strip()[:1].isupper() and bool(words("education", "schools") & set(named))

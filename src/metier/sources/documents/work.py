"""Jobs held: entries with a label ("Company: ..."), entries with dates, or lines of title and employer."""

import re
from typing import NamedTuple

from metier.sources.candidate import Work
from metier.sources.documents.dates import Dates, dates_in
from metier.sources.documents.sections import BULLET
from metier.sources.documents.titles import SEPARATOR, is_employer, is_name, is_title

_EMPLOYER = re.compile(
    r"^(?:company|employer|organi[sz]ation|company name|employer name|name of (?:the )?(?:company|employer))"
    r"\s*[-:–]\s*(\S.*)$",
    re.IGNORECASE,
)
_TITLE = re.compile(r"^(?:role|designation|position|title|job title|post|job role)\s*[-:–]?\s+(\S.*)$", re.IGNORECASE)
_PERIOD = re.compile(r"^(?:duration|period|tenure|dates?|from|worked from)\b", re.IGNORECASE)
_DESCRIPTION = re.compile(r"^(?:job )?descriptions?\s*[-:–]\s*", re.IGNORECASE)
_LONGEST_HEAD = 150  # characters of a line that names a job
_DETAILS = 8  # lines below a labelled employer in which title and dates are looked for


class _Entry(NamedTuple):
    title: str | None
    employer: str | None
    dates: Dates | None
    first: int
    """The line where the entry begins."""
    body: int
    """The line where its description begins."""


def work_in(lines: list[str]) -> list[Work]:
    """The jobs a section states, in its order; a line that no rule knows belongs to the description above it."""
    labelled = any(_EMPLOYER.match(line) for line in lines)
    entries = _labelled(lines) if labelled else _dated(lines) or _undated(lines)
    ends = [*(entry.first for entry in entries[1:]), len(lines)][: len(entries)]
    return [_job(entry, lines[entry.body : end]) for entry, end in zip(entries, ends, strict=True)]


def title_and_employer(line: str) -> tuple[str, str] | None:
    """The two of "Engineer - Example Ltd" or "Engineer at Example Ltd"; None for any other line."""
    if len(line) > _LONGEST_HEAD or BULLET.match(line):
        return None
    parts = re.split(r"\s+[-–—|@]\s+|\s+at\s+(?=[A-Z])", line, maxsplit=1)
    if len(parts) == 2 and is_title(parts[0]) and is_name(parts[1]) and not dates_in(line):
        return parts[0].strip(), parts[1].strip()
    return None


def _job(entry: _Entry, body: list[str]) -> Work:
    if body:
        body = [_DESCRIPTION.sub("", body[0]), *body[1:]]
    summary = "\n".join(line for line in body if line)[:20_000].strip()
    start, end = (entry.dates.start, entry.dates.end) if entry.dates else (None, None)
    return Work(title=entry.title, employer=entry.employer, start=start, end=end, summary=summary or None)


def _labelled(lines: list[str]) -> list[_Entry]:
    found = []
    starts = [(place, match[1]) for place, line in enumerate(lines) if (match := _EMPLOYER.match(line))]
    ends = [*(place for place, _ in starts[1:]), len(lines)]
    for (place, value), end in zip(starts, ends, strict=True):
        dates = dates_in(value)
        employer = _without(value, dates)[0].strip(" ,-–") if dates and _without(value, dates) else value
        title = None
        for line in lines[place + 1 : min(end, place + _DETAILS)]:
            bare = _DESCRIPTION.sub("", line)
            named = _TITLE.match(bare)
            if title is None and (is_title(bare) or (named and is_title(named[1]))):
                title = bare if named is None else named[1].strip(" .")
            period = dates_in(bare) if _PERIOD.match(bare) or len(bare) < 60 else None
            dates = dates or (period if period and period.start else None)
        found.append(_Entry(title, employer[:300].strip(), dates, place, place + 1))
    return found


def _dated(lines: list[str]) -> list[_Entry]:
    found: list[_Entry] = []
    free = 0
    for place, line in enumerate(lines):
        if place < free or len(line) > _LONGEST_HEAD or (BULLET.match(line) and not is_title(_parts(line)[0])):
            continue
        dates = dates_in(line)
        if dates is None or (dates.start is None and len(line) > 80):
            continue
        pieces = [piece for part in _without(line, dates) for piece in _parts(part)]
        first, body = place, place + 1
        title, employer = _named(pieces)
        while title is None or employer is None:
            above = lines[first - 1] if first > free and place - first < 2 else ""
            if not above or not _head_line(above) or not (_begins(lines, first - 1) or _leads(lines, first - 1, free)):
                break
            pieces = [*_parts(above), *pieces]
            first -= 1
            title, employer = _named(pieces)
        while (title is None or employer is None) and body < len(lines) and body - place <= 2:
            below = lines[body]
            wanted = _has_title(below) if title is None else is_name(_parts(below)[0]) if below else False
            if not below or not _head_line(below) or not wanted or dates_in(below):
                break
            pieces += _parts(below)
            body += 1
            title, employer = _named(pieces)
        if title is None and (employer is None or dates.start is None):
            continue
        found.append(_Entry(title, employer, dates, first, body))
        free = body
    return found


def _undated(lines: list[str]) -> list[_Entry]:
    """Lines "Title - Employer", and titles that a list follows."""
    found = []
    for place, line in enumerate(lines):
        pair = title_and_employer(line)
        listed = place + 1 < len(lines) and BULLET.match(lines[place + 1]) and not BULLET.match(line)
        if pair:
            found.append(_Entry(*pair, None, place, place + 1))
        elif listed and is_title(line):
            found.append(_Entry(line, None, None, place, place + 1))
    return found


def _without(line: str, dates: Dates) -> list[str]:
    """What stands before and after the dates."""
    parts = (line[: dates.where[0]], line[dates.where[1] :])
    return [part.strip(" ,;:|()[]-–—•·\t") for part in parts if part.strip(" ,;:|()[]-–—•·\t.")]


def _parts(line: str) -> list[str]:
    bare = BULLET.sub("", line)
    return [part.strip(" .,:-–") for part in SEPARATOR.split(bare) if part.strip(" .,:-–")] or [bare]


def _named(pieces: list[str]) -> tuple[str | None, str | None]:
    """The first piece that names a job, and the one that names an employer: by a mark, or else the first other."""
    title = next((piece for piece in pieces if is_title(piece) and not is_employer(piece)), None)
    title = title or next((piece for piece in pieces if is_title(piece)), None)
    others = [piece for piece in pieces if piece != title and is_name(piece)]
    employer = next((piece for piece in others if is_employer(piece)), others[0] if others else None)
    return title, employer


def _head_line(line: str) -> bool:
    return len(line) <= 90 and not BULLET.match(line) and not line.endswith((".", ";", ":")) and not dates_in(line)


def _has_title(line: str) -> bool:
    return any(is_title(part) for part in _parts(line))


def _leads(lines: list[str], place: int, free: int) -> bool:
    """Whether a line names a job, or the employer below one."""
    higher = lines[place - 1] if place > free else ""
    return _has_title(lines[place]) or (_head_line(higher) and _has_title(higher) and is_name(lines[place]))


def _begins(lines: list[str], place: int) -> bool:
    """Whether a line is the first one, or stands after an empty one."""
    return (place == 0 or not lines[place - 1]) and is_name(_parts(lines[place])[0])

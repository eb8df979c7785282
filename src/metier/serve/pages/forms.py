"""Forms into records: what was typed, what it means, and a sentence beside each field that means nothing."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from metier.live import Order
from metier.serve.problems import Refused, faults
from metier.serve.records import Asked, Profile
from metier.sources.candidate import Candidate

Checked = TypeVar("Checked", bound=BaseModel)
FIRST, STEP, MOST = 20, 20, 200
"""Jobs shown at first, added by "more", and at most."""
CONDITIONS = {
    "city": "Enter the name of a city, of at most 120 letters.",
    "state": "Enter the name of a state, of at most 120 letters.",
    "country": "Enter the name of a country, of at most 120 letters.",
    "within_km": "Enter a number of kilometres between 0 and 20,038.",
    "remote": "Tick the box or leave it.",
    "salary_min": "Enter a yearly amount as a number, such as 42000.",
    "level_min": "Choose a level from the list.",
    "level_max": "Choose a level from the list.",
    "posted_after": "Enter a date as year, month and day, such as 2026-11-23.",
    "employer": "Enter the name of an employer, of at most 120 letters.",
    "words": "Enter at most ten words or phrases, apart by commas, of at most 120 letters each.",
}
"""Fields of the filter -> what to do about one that is wrong."""
PROFILE = {
    "text": "Enter at most 20,000 characters.",
    "titles": "Enter at most 50 titles, one a line, of at most 120 characters each.",
    "wishes": "Enter at most 2,000 characters.",
    **dict.fromkeys(("city", "state", "country", "zip"), "Enter at most 120 characters."),
}
"""Fields of the profile -> what to do about one that is wrong."""
FILE = "Choose a file."
EMPTY = "This file is empty: it has no bytes. Save or export it again, then choose it."
LARGE = "Choose a file of at most 10 MB."
MONTH = "Enter a year or a month, such as 2019 or 2019-07."
WORK = ("title", "employer", "start", "end", "summary")
EDUCATION = ("degree", "field", "school", "start", "end")
SPARE = 1
"""Empty rows offered for what was not recognised."""


def conditions(values: Mapping[str, str]) -> tuple[Asked, dict[str, str], dict[str, str]]:
    """What is asked for, the conditions as they were typed, and an error for each that is left out as wrong."""
    typed = {name: value.strip() for name, value in values.items() if name in CONDITIONS and value.strip()}
    meant: dict[str, object] = dict(typed)
    if "words" in typed:
        meant["words"] = tuple(part.strip() for part in typed["words"].split(",") if part.strip())
    if "posted_after" in typed:
        meant["posted_after"] = _midnight(typed["posted_after"])
    k = int(values["k"]) if values.get("k", "").isdecimal() and len(values["k"]) < 4 else FIRST
    asked = {"k": min(max(k, 1), MOST), "reasons": True, "order": chosen_order(values)}
    try:
        return Asked.model_validate(asked | meant), typed, {}
    except ValidationError as error:
        bad = {str(one["loc"][0]) for one in error.errors(include_input=False)}
    left = {name: value for name, value in meant.items() if name not in bad}
    return Asked.model_validate(asked | left), typed, {name: CONDITIONS[name] for name in CONDITIONS if name in bad}


def chosen_order(values: Mapping[str, str]) -> Order:
    """The order that a page was asked for."""
    return "closest" if values.get("order") == "closest" else "likely"


def checked(kind: type[Checked], /, **values: object) -> Checked:
    """A record of values that a form sent; Refused (422) with the faults where they do not fit."""
    try:
        return kind(**values)
    except ValidationError as error:
        raise Refused(422, "The form does not fit.", errors=faults(error.errors(include_input=False))) from None


def profile(values: Mapping[str, str]) -> Profile:
    """A profile as typed: titles one a line, empty fields unknown; Refused (422) where a field does not fit."""
    places = {name: _plain(values.get(name, "")) or None for name in ("city", "state", "country", "zip")}
    titles = [_plain(line) for line in lines(values.get("titles", ""))]
    text, wishes = values.get("text", "").strip(), values.get("wishes", "").strip()
    return checked(
        Profile, text=text, titles=titles, wishes=wishes, discoverable=values.get("discoverable") == "true", **places
    )


def candidate(values: Mapping[str, str]) -> tuple[Candidate | None, dict[str, str]]:
    """What the person says of their résumé; an error for each field that does not fit, and then no record.

    Fields are named `contact-city`, `work-0-title`, `education-1-school`; `skills` and `languages` have one a line. An
    entry whose fields were all emptied is left out.
    """
    contact = {name.removeprefix("contact-"): value.strip() for name, value in values.items() if name[:8] == "contact-"}
    entries = {kind: _entries(values, kind, names) for kind, names in (("work", WORK), ("education", EDUCATION))}
    record = {
        "contact": {name: value for name, value in contact.items() if value},
        "headline": values.get("headline", "").strip() or None,
        "summary": values.get("summary", "").strip() or None,
        "skills": lines(values.get("skills", "")),
        "languages": lines(values.get("languages", "")),
        **{kind: [entry for _, entry in rows] for kind, rows in entries.items()},
    }
    try:
        return Candidate.model_validate(record), {}
    except ValidationError as error:
        said = {}
        for one in error.errors(include_input=False):
            field, month = _field(one["loc"], entries), one["loc"][-1] in ("start", "end")
            said[field] = MONTH if month else f"This {_words(one['msg'])}."
        return None, said


def word(text: str | None) -> str | None:
    """A title or the name of a place as a profile takes it: without control characters, at most 120 characters."""
    return _plain(text or "")[:120].strip() or None


def _plain(text: str) -> str:
    """In one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def lines(text: str) -> list[str]:
    """The lines that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _entries(values: Mapping[str, str], kind: str, names: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Entries of a kind by their number in the form."""
    numbers = sorted({int(parts[1]) for parts in _parts(values, kind)})
    rows = [
        (number, {name: typed for name in names if (typed := values.get(f"{kind}-{number}-{name}", "").strip())})
        for number in numbers
    ]
    return [row for row in rows if row[1]]


def _parts(values: Mapping[str, str], kind: str) -> list[list[str]]:
    split = [name.split("-") for name in values]
    return [parts for parts in split if len(parts) == 3 and parts[0] == kind and re.fullmatch("[0-9]{1,4}", parts[1])]


def _field(place: tuple[int | str, ...], entries: Mapping[str, list[tuple[int, dict[str, str]]]]) -> str:
    """The form's field for a place in the record."""
    kind, *rest = place
    if kind in entries and len(rest) == 2:
        return f"{kind}-{entries[str(kind)][int(rest[0])][0]}-{rest[1]}"
    return f"contact-{rest[0]}" if kind == "contact" and rest else str(kind)


def _words(message: str) -> str:
    return message.replace("String should have", "has").replace("String should", "should")


def _midnight(day: str) -> float | str:
    """Seconds since 1970 of a day's start, or the text itself, which is no number."""
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return "no date"

"""A résumé's text -> its sections, by their headings."""

import re
from functools import cache
from typing import NamedTuple

from metier.sources.documents.vocabulary import headings

BULLET = re.compile(r"^(?:[•·▪●■◦‣∙○➢➤►✓*o\-–—]|\u00b7|\uf0b7|\(?\d{1,2}[.)])\s+(?=\S)")
"""What begins an item of a list."""
_LABEL = re.compile(r"(.[^:•\t]{1,60}?)\s*(?:([:•]|(?<=\t))(.*))?")


class Section(NamedTuple):
    """Lines under a heading: "head" before the first one, else a key of the headings in the vocabulary."""

    name: str
    lines: list[str]


def sections_of(text: str) -> list[Section]:
    """Sections in the order of the text. A heading is a line of its own, or has its content behind a colon or in the
    next cell of a table."""
    found = [Section("head", [])]
    for line in _separated(text).split("\n"):
        name, rest = _heading(line)
        if name:
            found.append(Section(name, [rest] if rest else []))
        else:
            found[-1].lines.append(line.strip())
    return found


def _heading(line: str) -> tuple[str | None, str]:
    match = _LABEL.fullmatch(line.strip())
    if match is None:
        return None, ""
    label, colon, rest = match[1], match[2], match[3] or ""
    name = headings().get(_plain(label))
    if name is None or (not colon and not label[:1].isupper() and not BULLET.match(label)):
        return None, ""
    return name, rest.strip()


def _plain(label: str) -> str:
    """Small letters and single blanks; "E X P E R I E N C E" is one word."""
    label = label.replace("&", " and ")
    kept = re.sub(r"[^\w\s]|_", " ", label).split()
    if len(kept) > 3 and all(len(part) == 1 for part in kept):
        return "".join(kept).casefold()
    return " ".join(kept).casefold()


def _separated(text: str) -> str:
    """The text with headings that stand in the middle of a line at the beginning of one."""
    return _inner_heading().sub("\n", text.replace("\f", "\n"))


@cache
def _inner_heading() -> re.Pattern[str]:
    phrases = sorted(headings(), key=len, reverse=True)
    labels = "|".join(re.escape(form) for phrase in phrases for form in (phrase.upper(), phrase.title()))
    details = "|".join(re.escape(phrase.title()) for phrase in phrases if phrase.endswith(" details"))
    label = rf"(?<=[\s.])(?<!\n)(?=(?:{labels})\s?:)"
    return re.compile(rf"{label}|(?<=[\w)\s.,])(?<!\n)(?=(?:{details})\s*(?:\n|\Z))")

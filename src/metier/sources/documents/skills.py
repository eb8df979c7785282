"""Skills and spoken languages: the items of their sections."""

import re

from metier.sources.documents.sections import BULLET
from metier.sources.documents.vocabulary import words

_ITEM = re.compile(r"[,;•·▪●|\t]|\s[/–—-]\s(?=[A-Z])|\u00b7")
_LABEL = re.compile(r"^[A-Z][\w &/()-]{1,40}?\s*[:]\s*(?=\S)")
_PRACTICE = re.compile(r"\s*[-–:(]\s*(?:expe?r\w*|less than|\d+\+?\s*(?:years?|yrs?|months?))\b.*$", re.IGNORECASE)
_SPOKEN = re.compile(
    r"^(?:languages?(?: known| spoken| proficiency)?|known languages|linguistic (?:ability|abilities|proficiency))"
    r"\s*[:\-–]\s*",
    re.IGNORECASE,
)
_MOST = 200
_LONGEST, _WORDS = 60, 6  # of an item: what is longer is a sentence about a skill


def skills_in(lines: list[str]) -> list[str]:
    """Items of lists, without labels ("Databases:") and lengths of practice; sentences are left out."""
    found: dict[str, str] = {}
    for line in lines:
        if dates_like(line):
            continue
        bare = _LABEL.sub("", _PRACTICE.sub("", BULLET.sub("", line)))
        for item in _ITEM.split(bare):
            name = _balanced(_PRACTICE.sub("", item).strip(" .:-–*"))
            if re.search(r"[^\W\d_]", name) and len(name) <= _LONGEST and len(name.split()) <= _WORDS:
                found.setdefault(name.casefold(), name)
    return list(found.values())[:_MOST]


def dates_like(line: str) -> bool:
    """Whether a line is only about a year or a period."""
    return bool(re.fullmatch(r"[\W\d]*", line))


def spoken_in(lines: list[str]) -> list[str]:
    """Natural languages named in the lines, as they are written there."""
    known = words("languages", "names")
    found = (word for line in lines for word in re.findall(r"[^\W\d_]+", line) if word.casefold() in known)
    return list({word.casefold(): word for word in found}.values())


def labelled_languages(lines: list[str]) -> list[str]:
    """Languages behind a label such as "Languages known:", wherever it stands."""
    return spoken_in([line[match.end() :] for line in lines if (match := _SPOKEN.match(BULLET.sub("", line)))])


def _balanced(name: str) -> str:
    """Without a bracket whose partner is elsewhere."""
    return name if name.count("(") == name.count(")") else name.split("(")[0].strip().rstrip(")").strip()

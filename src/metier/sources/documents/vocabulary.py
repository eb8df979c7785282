"""The words by which résumés are recognised, from `vocabulary.toml` and the titles of the market's occupations."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words(section: str, name: str) -> frozenset[str]:
    """The words of one list of the vocabulary."""
    return frozenset(_vocabulary()[section][name])


@cache
def headings() -> dict[str, str]:
    """Section by heading, in small letters."""
    return {phrase: section for section, phrases in _vocabulary()["headings"].items() for phrase in phrases}


@cache
def degree_letters(level: str) -> tuple[tuple[str, ...], ...]:
    """The degrees of a level of schooling, each as the parts between its dots, such as ("B", "Sc")."""
    listed = _vocabulary()["education"]["degrees"][level]
    return tuple(tuple(part for part in degree.split(".") if part) for degree in listed)


@cache
def degrees() -> re.Pattern[str]:
    """Degrees by their letters ("B.Sc.", "BSc", "B. Sc"), and in words ("Bachelor of Science")."""
    listed = (parts for level in _vocabulary()["education"]["degrees"] for parts in degree_letters(level))
    longest_first = sorted(listed, key=lambda parts: len(".".join(parts)), reverse=True)
    short = "|".join(r"\.? ?".join(parts) + r"\.?" for parts in longest_first)
    long = (
        r"(?:Bachelor|Master|Associate|Doctor)(?:'?s|’s)?(?: [Dd]egree)?(?: of [A-Z][\w]+(?: Administration| Arts)?)?"
    )
    return re.compile(
        rf"(?<![\w.])(?:{short})(?!\w)|\b{long}\b|\b(?:Post ?)?(?:Graduate |Advanced )?Diploma\b|"
        r"\b(?:High School(?: Diploma)?|Doctorate|(?:Post ?)?Graduation)\b|"
        r"\b(?:BSC|MSC|BCOM|MCOM|BTECH|MTECH|Mba|Bcom|Mca|Bca|PHD|Be)\b"
    )


@cache
def occupations() -> frozenset[str]:
    """Titles of the market's occupations, in small letters."""
    folder = files("metier.sources.market").joinpath("occupations")
    tables = (tomllib.loads(path.read_text("utf-8")) for path in folder.iterdir() if path.name.endswith(".toml"))
    listed = (one for table in tables for one in table["occupation"])
    return frozenset(title.casefold() for one in listed for title in (*one["postings"], *one["past"]))


@cache
def _vocabulary() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text("utf-8"))

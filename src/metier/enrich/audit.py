"""Does each generated item follow from what it cites? Counts inventions by kind; drops or flags them.

The check is by words, numbers, degrees and a vocabulary, without a model: it can be read, and it cannot be talked into
anything. It errs on the strict side; what it cannot see is a wrong claim made of the cited words alone ("manages the
store" from "works for the store's manager").
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from metier.enrich.claims import (
    bare_of_degrees,
    content,
    covered,
    degrees,
    durations,
    holds,
    names,
    numbers,
    tokens,
    wishes,
)
from metier.enrich.grounds import Ground, Grounds
from metier.enrich.resume import Education, Experience, Item, Resume, Skill, Statement
from metier.enrich.skills import Match, SkillFinder
from metier.enrich.taxonomy import Taxonomy, own_taxonomy

Verdict = Literal["supported", "uncited", "misquoted", "degree", "employer", "years", "skill", "title", "statement"]
"""supported, or why not: no such label; a quote that is not there; an invented degree, employer (or other name), number
of years or date, skill, title; a sentence most of whose words are not in what it cites."""
LEAST_COVERED = 0.5
"""Share of a sentence's words that must be in what it cites, beside every hard fact in it."""


@dataclass(frozen=True)
class Audit:
    """place -> verdict, for every item of a résumé."""

    verdicts: Mapping[str, Verdict]

    @property
    def items(self) -> int:
        """How many items were looked at."""
        return len(self.verdicts)

    @property
    def unsupported(self) -> dict[str, Verdict]:
        """The items that fail, with the reason."""
        return {place: verdict for place, verdict in self.verdicts.items() if verdict != "supported"}

    def as_json(self) -> dict[str, Any]:
        """What the store keeps."""
        bad = self.unsupported
        return {"items": self.items, "unsupported": bad, "by_class": dict(Counter(bad.values()))}


class Auditor:
    """Holds résumés against their grounds.

    Parameters
    ----------
    taxonomy : skills and occupations with all their spellings; metier's own when None. Only exact phrases count.
    """

    def __init__(self, taxonomy: Taxonomy | None = None) -> None:
        self._finder = SkillFinder(taxonomy or own_taxonomy(), threshold=None)

    def audit(self, resume: Resume, grounds: Grounds) -> Audit:
        """A verdict on every item."""
        lines = {line.label: line for line in grounds.lines}
        return Audit({place: self._verdict(place, item, lines) for place, item in resume.items()})

    def _verdict(self, place: str, item: Item, lines: Mapping[str, Ground]) -> Verdict:
        if not item.cites or any(label not in lines for label in item.cites):
            return "uncited"
        cited = [lines[label] for label in item.cites]
        texts = [line.text for line in cited]
        if not isinstance(item, Statement) and item.quote and not any(holds(text, item.quote) for text in texts):
            return "misquoted"
        own = [line.text for line in cited if line.kind != "job"]  # a job applied to was neither held nor studied for
        match item:
            case Statement():
                if not own and not wishes(item.text):
                    return "title"
                return self._statement(item.text, texts, least=1.0 if place == "headline" else LEAST_COVERED)
            case Skill():
                return "supported" if any(self._names_skill(text, item.name) for text in texts) else "skill"
            case Experience():
                return _experience(item, own)
            case Education():
                return _education(item, own)

    def _statement(self, text: str, texts: list[str], *, least: float) -> Verdict:
        whole = "\n".join(texts)
        there, known = set(tokens(whole)), {match.id for match in self._found(whole)}
        if degrees(text) - degrees(whole):
            return "degree"
        with_years = {number for line in texts if "year" in tokens(line) for number in numbers(line)}
        if durations(text) - with_years or numbers(text) - numbers(whole):
            return "years"
        for match in self._found(text):
            if match.id not in known and not all(covered(content(text[match.start : match.end]), there)):
                return "skill" if match.kind == "skill" else "title"
        rest, there = bare_of_degrees(text), there | self._explained(text, known)
        if not all(all(covered(content(name), there)) for name in names(rest)):
            return "employer"
        claimed = content(rest)
        return "supported" if sum(covered(claimed, there)) >= least * len(claimed) else "statement"

    def _names_skill(self, text: str, skill: str) -> bool:
        """All words of the skill are in the line, or stand for a term that the line names in another spelling."""
        there = set(tokens(text)) | self._explained(skill, {match.id for match in self._found(text)})
        claimed = content(skill)
        return bool(claimed) and all(covered(claimed, there))

    def _explained(self, text: str, known: set[str]) -> set[str]:
        """The words of the text's phrases that stand for known terms, perhaps in another spelling."""
        phrases = (text[match.start : match.end] for match in self._found(text) if match.id in known)
        return {token for phrase in phrases for token in tokens(phrase)}

    def _found(self, text: str) -> list[Match]:
        return self._finder.find(text)


def _experience(item: Experience, own: list[str]) -> Verdict:
    title = item.title or ""
    claimed = set(content(title))
    if not any(holds(text, title) if not claimed else claimed <= set(tokens(text)) for text in own):
        return "title"
    if item.employer and not any(holds(text, item.employer) for text in own):
        return "employer"
    return _years(item.years, own)


def _education(item: Education, own: list[str]) -> Verdict:
    levels = degrees(item.degree or "")
    parts = [bare_of_degrees(part) for part in (item.degree, item.field, item.school) if part]
    supported = all(any(set(content(part)) <= set(tokens(text)) for text in own) for part in parts)
    if not parts or not own or not supported or not levels <= degrees("\n".join(own)):
        return "degree"
    return _years(item.years, own)


def _years(claimed: str | None, own: Iterable[str]) -> Verdict:
    return "supported" if numbers(claimed or "") <= numbers("\n".join(own)) else "years"

"""What a person wants and does not want of a job, in their own words, as phrases of the posting."""

import re
from functools import cached_property
from typing import Self

from metier.enrich.phrases import PhraseMatcher, words
from metier.sources.candidate import Record

_PART = re.compile(
    r"[;,\n!]|\.(?=\s|$)|\b(?:but|and)\s+(?=(?:no|not|without)\b)|(?<!thing )\bbut\b|(?<=\w)\s+(?=not\s)", re.IGNORECASE
)
_POLITE = re.compile(r"^(?:(?:please|also|and|so)\s+)+", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:i\s+|we\s+|i['’]d\s+|would\s+|really\s+|please\s+|also\s+|want(?:s|ed)?\s+|like\s+|love\s+|need\s+|prefer(?:ably)?\s+|"
    r"looking\s+for\s+|am\s+|i['’]m\s+|must\s+(?:have|be)\s+|to\s+(?:have|be|work|do)\s+|with\s+|in\s+|some\s+|only\s+|an?\s+|the\s+)+",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"^(?:(?:i\s+|we\s+)?(?:do\s+not|don['’]t|would\s+not|wouldn['’]t|will\s+not|won['’]t|can\s*not|can['’]t)\s+"
    r"(?:want|like|do|need|have)?\s*|no\s+|not\s+|without\s+|never\s+|avoid(?:ing)?\s+|"
    r"(?:any|every)thing\s+(?:but|except)\s+|except\s+|nothing\s+with\s+)",
    re.IGNORECASE,
)
_ASKS_NOTHING = re.compile(
    r"^(?:no|not)\s+(?:necessarily|sure|matter|preference|more|less|fewer|later|earlier|yet)\b|^no$|^not$",
    re.IGNORECASE,
)
"""A matter of degree or of no opinion."""
_AFFIRMED = re.compile(
    r"^no\s+(?:\w+\s+){1,3}(?:needed|required|necessary)$|^not[\s-]for[\s-]profit$|^no[\s-]code$", re.IGNORECASE
)
"""Begins with a negation and is wanted as it stands."""
_NOT_ONLY = re.compile(r"^not\s+(?:only|just)\s+", re.IGNORECASE)
_OR = re.compile(r"\s+(?:or|nor|and)\s+|\s*/\s*", re.IGNORECASE)
_DENIALS = frozenset({"no", "not", "without", "non", "never"})


class Wishes(Record):
    """Phrases that a posting should or should not hold. They order the answer, they never hide a job."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Wishes in plain English, apart by commas, semicolons, "but" or lines; whatever is said, nothing is refused.

        "no", "not", "without", "don't want", "avoid" and "anything but" make the part that they begin unwanted. A part
        of no opinion ("not necessarily in sales") asks nothing; "no experience needed" is wanted as it stands.

        >>> Wishes.parse("no travel; python, not java; remote")
        Wishes(wanted=('python', 'remote'), unwanted=('travel', 'java'))
        """
        found: dict[bool, list[str]] = {True: [], False: []}
        for part in _PART.split(re.sub(r"[^\S\n]+", " ", text)):
            said = _POLITE.sub("", " ".join(part.split()))
            if _AFFIRMED.match(said):
                found[True].append(said)
                continue
            said = _NOT_ONLY.sub("", said)
            if not said or _ASKS_NOTHING.match(said):
                continue
            negation = _NEGATED.match(said)
            rest = said[negation.end() :] if negation else said
            phrases = [_LEAD.sub("", f"{one} ").strip() for one in _OR.split(rest)]
            found[negation is None] += [phrase.strip(" \"'").rstrip(".?") for phrase in phrases if words(phrase)]
        unwanted = tuple(dict.fromkeys(found[False]))
        return cls(wanted=tuple(one for one in dict.fromkeys(found[True]) if one not in unwanted), unwanted=unwanted)

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)

    def found_in(self, text: str) -> dict[str, tuple[int, int]]:
        """Each wish that a posting's words hold -> the characters [start, end) where it first stands.

        Phrases are compared as `metier.enrich.phrases` does: whole words in any case, without accents, singular or
        plural. One right behind "no", "not", "non", "without" or "never" is not there: "no travel" is no travel.
        """
        found: dict[str, tuple[int, int]] = {}
        phrases = (*self.wanted, *self.unwanted)
        for number, start, end in self._matcher.find(text):
            before = words(text[max(0, start - 20) : start])
            if phrases[number] not in found and not (before and before[-1].folded in _DENIALS):
                found[phrases[number]] = start, end
        return found

    @cached_property
    def _matcher(self) -> PhraseMatcher:
        return PhraseMatcher((phrase, number) for number, phrase in enumerate((*self.wanted, *self.unwanted)))

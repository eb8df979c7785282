"""What a person wants and does not want of a job, in their own words, as phrases of the posting."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Self

from metier.enrich.phrases import Word, english_stop_words, words
from metier.sources.candidate import Record

_PART = re.compile(
    r"[;,\n!]|\.(?=\s|$)|\b(?:but|and)\s+(?=(?:no|not|without)\b)|(?<!thing )\bbut\b|(?<=\w)\s+(?=not\s)", re.IGNORECASE
)
_POLITE = re.compile(r"^(?:(?:please|also|and|so)\s+)+", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:i\s+|we\s+|i['’]d\s+|would\s+|really\s+|please\s+|also\s+|want(?:s|ed)?\s+|like\s+|love\s+|need\s+|prefer(?:ably)?\s+|"
    r"looking\s+for\s+|am\s+|i['’]m\s+|must\s+(?:have|be)\s+|to\s+(?:have|be|work|do)\s+|with\s+|in\s+|as\s+|any\s+|some\s+|only\s+|an?\s+|the\s+)+",
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
_WORK = re.compile(r"(?<=\w)\s+(?:jobs?|roles?|positions?|careers?)$", re.IGNORECASE)
"""Says that what stands before it is work; a posting need not."""


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
            phrases = [_WORK.sub("", phrase.strip(" \"'“”‘’").rstrip(".?")) for phrase in phrases]
            found[negation is None] += [phrase for phrase in phrases if words(phrase)]
        unwanted, wanted = _each_once(found[False]), _each_once(found[True])
        return cls(
            wanted=tuple(one for key, one in wanted.items() if key not in unwanted), unwanted=tuple(unwanted.values())
        )

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)

    def found_in(self, text: str) -> dict[str, tuple[int, int]]:
        """Each wish that a posting's words hold -> the characters [start, end) where it first stands.

        Whole words are compared in any case, without accents, singular or plural; "front end", "front-end" and
        "frontend" are one. A short word or one such as "it" is meant as it is typed, or in capitals: "IT". Right behind
        "no", "not", "non", "without" or "never" nothing is there: "no travel" is no travel.
        """
        found: dict[str, tuple[int, int]] = {}
        phrases, beginnings = self._phrases
        spoken = words(text)
        for at, first in enumerate(spoken):
            if first.folded not in beginnings or _denied(text, spoken, at):
                continue
            joined = ""
            for last in spoken[at:]:
                joined += last.folded
                if joined not in beginnings:
                    break
                for phrase in phrases.get(joined, ()):
                    if phrase not in found and _is_meant(phrase, text[first.start : last.end]):
                        found[phrase] = first.start, last.end
        return found

    @cached_property
    def _phrases(self) -> tuple[dict[str, list[str]], frozenset[str]]:
        """Phrases by their words in one, and everything that these begin with."""
        phrases: dict[str, list[str]] = {}
        for phrase in (*self.wanted, *self.unwanted):
            phrases.setdefault(_joined(words(phrase)), []).append(phrase)
        return phrases, frozenset(one[:end] for one in phrases for end in range(1, len(one) + 1))


def _each_once(phrases: Sequence[str]) -> dict[str, str]:
    """Of phrases that read alike the first, by how they read."""
    found: dict[str, str] = {}
    for one in phrases:
        found.setdefault(_joined(words(one)), one)
    return found


def _joined(spoken: Sequence[Word]) -> str:
    return "".join(word.folded for word in spoken)


def _denied(text: str, spoken: Sequence[Word], at: int) -> bool:
    """Whether the word before, in the same sentence, says that there is none."""
    if not at or spoken[at - 1].folded not in _DENIALS:
        return False
    return not re.search(r"[.!?:;\n]", text[spoken[at - 1].end : spoken[at].start])


def _is_meant(phrase: str, said: str) -> bool:
    """Whether a word that could be another one is spelled as typed or in capitals."""
    unclear = phrase.casefold() in english_stop_words() or (len(phrase) <= 2 and phrase.isalpha())
    return not unclear or said == phrase.upper() or (said == phrase and phrase.casefold() not in english_stop_words())

"""Many phrases in a text at once: a trie over normalised words, so the time does not grow with the phrases."""

import re
import runpy
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.metadata import distribution
from typing import Any, NamedTuple

from metier.features.distance import gazetteer

_WORD = re.compile(r"(?:(?<![^\W_])\.(?=[a-z]{2}))?[^\W_]+(?:[+#]+(?![^\W_]))?", re.IGNORECASE)
"""A run of letters and digits; "C++", "C#", "A+" keep their signs and ".NET" its dot when nothing stands before it."""
_END = ""
"""The key under which a node of the trie keeps the phrases that end there; no word is empty."""


class Word(NamedTuple):
    """A normalised word and where it stands in the text."""

    folded: str
    start: int
    end: int


class Found(NamedTuple):
    """A phrase's number and the characters [start, end) it was found in."""

    number: int
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words of a text: lower case, without accents, singular.

    >>> [word.folded for word in words("Web-Services in C#, .NET & Node.js")]
    ['web', 'service', 'in', 'c#', '.net', 'node', 'js']
    """
    return [Word(fold(found.group()), found.start(), found.end()) for found in _WORD.finditer(text)]


@lru_cache(maxsize=1 << 17)
def fold(word: str) -> str:
    """Lower case, no accents, and a plain English plural cut: "studies" -> "study", "skills" -> "skill"."""
    folded = word.casefold()
    if not folded.isascii():
        bare = (c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
        folded = "".join(bare)
    if len(folded) > 4 and folded.endswith("ies"):
        return folded[:-3] + "y"
    if len(folded) > 3 and folded.endswith("s") and not folded.endswith(("ss", "us", "is")):
        return folded[:-1]
    return folded


@cache
def english_stop_words() -> frozenset[str]:
    """The list of scikit-learn, read from its file: to import the package for it takes two seconds and 50 MB."""
    file = distribution("scikit-learn").locate_file("sklearn/feature_extraction/_stop_words.py")
    return frozenset(runpy.run_path(str(file))["ENGLISH_STOP_WORDS"])


class PhraseMatcher:
    """Finds every phrase, leftmost first and as long as possible, without overlaps.

    A phrase of one word that is an English stop word or has at most two letters ("LESS", "IT", "R"), or an abbreviation
    that a city's name begins with ("SAN"), is found only as it is spelled: "less than" is no style sheet, "San Jose" no
    storage area network.

    Parameters
    ----------
    phrases : (phrase, number) pairs; of two that read alike the first wins.
    """

    def __init__(self, phrases: Iterable[tuple[str, int]]) -> None:
        self.size = 0
        cities = {place.partition("|")[0].partition(" ")[0].upper() for place in gazetteer()}
        plain = english_stop_words()
        self._trie: dict[str, Any] = {}
        for phrase, number in phrases:
            spoken = words(phrase)
            if not spoken:
                continue
            node = self._trie
            for word in spoken:
                node = node.setdefault(word.folded, {})
            only = phrase[spoken[0].start : spoken[0].end]
            unclear = only.casefold() in plain or only in cities or (len(only) <= 2 and only.isalpha())
            exact = len(spoken) == 1 and unclear
            node.setdefault(_END, []).append((number, only if exact else None))
            self.size += 1

    def find(self, text: str) -> Iterator[Found]:
        """The phrases in a text, from left to right."""
        spoken = words(text)
        at = 0
        while at < len(spoken):
            node: dict[str, Any] | None = self._trie
            best, after = -1, at
            for place in range(at, len(spoken)):
                node = node.get(spoken[place].folded) if node else None
                if node is None:
                    break
                for number, spelled in node.get(_END, ()):
                    if spelled is None or text[spoken[at].start : spoken[at].end] == spelled:
                        best, after = number, place + 1
                        break
            if best >= 0:
                yield Found(best, spoken[at].start, spoken[after - 1].end)
            at = max(after, at + 1)

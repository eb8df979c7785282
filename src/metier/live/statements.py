"""A person's text -> what they state, piece by piece: whole sentences, phrases and items of lists.

A document's lines end where its page did, not where its author did, so a line that goes on in the next is joined with
it before sentences are told apart.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from metier.sources.documents.sections import BULLET
from metier.sources.documents.vocabulary import headings

LONGEST = 160
"""Characters of a statement that are quoted."""
NARROW, WIDE, FULL = 60, 140, 0.8
"""Characters of the longest line of a text that a page broke, and what share of these three of its lines have. In such
a text a line was broken if the next line's first word would have made it the longest; in others only authors end lines.
"""
_LINE = re.compile(r"[^\n\f]+")
_ENDED = re.compile(r"[.!?;][\"'”’)]*$")
_UNENDED = re.compile(
    r"(?:[,&/(+–—-]|\b(?:a|an|and|as|at|by|for|from|in|into|is|of|on|or|the|to|using|via|with|within))$", re.IGNORECASE
)
_ENTRY = re.compile(r"\w[\w/&().-]*(?: [\w/&().-]+){0,3} ?(?::|\t| [|–-] )")
"""Begins with a label, or is a row of facts such as an employer and years."""
_STOP = re.compile(
    r"(?<=;)\s+|(?<=[.!?])(?<!\b[A-Za-z]\.)(?<!\b(?:Co|Dr|Jr|Mr|Ms|No|Sr|St|vs)\.)"
    r"(?<!\b(?:e\.g|i\.e|Inc|Ltd|Mrs|Pvt)\.)\s+(?=[^a-z\s])"
)
_ITEM = re.compile(r"\s(?=[•▪●■◦‣➢➤►✓*\uf0b7]\s)")


def statements(text: str) -> list[tuple[int, int]]:
    """Characters [start, end) of each statement, in order and apart; white space, bullets and headings are in none.

    >>> text = "- Resolve incidents & create\\ndifferent tickets as well. Fix bugs.\\n- Java"
    >>> [quoted(text, *span) for span in statements(text)]
    ['Resolve incidents & create different tickets as well.', 'Fix bugs.', 'Java']
    """
    found = []
    for start, end in _joined(text):
        cuts = sorted({one.end() for mark in (_STOP, _ITEM) for one in mark.finditer(text, start, end)})
        for first, last in pairwise([start, *cuts, end]):
            said = text[first:last]
            first += len(said) - len(said.lstrip())
            if bullet := BULLET.match(text[first:last]):
                first += bullet.end()
            last = first + len(text[first:last].rstrip())
            if _says_something(text[first:last]):
                found.append((first, last))
    return found


def quoted(text: str, start: int, end: int) -> str:
    """A statement in one line; what was cut off a long one is shown by an ellipsis."""
    said = " ".join(text[start:end].split())
    return said if len(said) <= LONGEST else said[:LONGEST].rpartition(" ")[0].rstrip(" ,;:") + " …"


def _joined(text: str) -> Iterator[tuple[int, int]]:
    """Lines, and as one those that go on in the next."""
    lines = [one.span() for one in _LINE.finditer(text)]
    lengths = sorted((len(text[start:end].rstrip()) for start, end in lines), reverse=True)
    broken = len(lengths) > 2 and NARROW <= lengths[0] <= WIDE and lengths[2] >= FULL * lengths[0]
    width = lengths[0] if broken else WIDE * len(text)
    begun: int | None = None
    for number, (start, end) in enumerate(lines):
        begun = start if begun is None else begun
        following = lines[number + 1] if number + 1 < len(lines) else None
        if following is None or not _goes_on(text[start:end], text[end : following[0]], text[slice(*following)], width):
            yield begun, end
            begun = None


def _goes_on(line: str, gap: str, following: str, width: int) -> bool:
    """Whether a line is continued by the following one; width : of the page, in characters."""
    line, following = line.rstrip(), following.strip()
    if gap.count("\n") > 1 or not line.strip() or not following:
        return False
    if _ENDED.search(line) or BULLET.match(following):
        return False
    if _UNENDED.search(line):
        return True
    wrapped = len(line) + 1 + len(following.split()[0]) > width
    return (wrapped or following[0].islower()) and not _ENTRY.match(following)


def _says_something(said: str) -> bool:
    """Whether there are words in it, and more than a heading."""
    words = re.findall(r"[^\W\d_]{2,}[+#]*", said.casefold())
    return bool(words) and not said.endswith(":") and " ".join(words) not in headings()

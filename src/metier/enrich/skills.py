"""Normalised skills and occupations in a text, each with the characters that support it.

Exact phrases first (names and aliases, by `PhraseMatcher`), then meaning: a clause whose vector lies near that of a
term, the mean of its spellings. Nothing is found that no span of the text stands for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import Literal

import numpy as np

from metier.data import Floats
from metier.enrich.phrases import Found, PhraseMatcher, words
from metier.enrich.taxonomy import Kind, Taxonomy
from metier.features.text import Embedder, StaticEmbedder

THRESHOLD = 0.7
"""Least cosine of a clause and a term. Chosen on ESCO's own aliases (benchmarks/skills.py), not on annotated ads."""
_QUALIFIER = re.compile(r"\s*\([^()]*\)$")
"""What taxonomies add to tell two meanings apart: "Java (computer programming)" is written "Java"."""
_LONGEST = 12
"""Words of a clause; a longer one is a sentence whose average says nothing."""
_BREAK = re.compile(
    r"[.!?](?=\s|$)|[,;:|()\[\]{}•·*/\n\r\t]|\s[-–—]\s|\b(?:and|or|und|including|such as|using)\b", re.I
)
"""Where a clause ends."""
_ABBREVIATION = re.compile(r"\b[A-Z][A-Z0-9]{1,4}\b")
_FILLER = frozenset(
    word.folded
    for word in words(
        """a an the of in on to for with as at by from is are be been have has had will would can must should our your
        their this that these those all any other etc you we they i my good strong excellent great solid proven deep
        sound basic working extensive hands ability able experience experienced knowledge understanding familiarity
        familiar proficiency proficient expertise background awareness skill skilled years months required preferred
        plus desirable requirements minimum least related relevant including demonstrated present"""
    )
)
"""Words at the ends of a clause that say how well, how long or until when, not what."""


@dataclass(frozen=True, slots=True)
class Match:
    """A term and the characters [start, end) of the text that support it; score 1 for exact, else the cosine."""

    id: str
    name: str
    kind: Kind
    start: int
    end: int
    how: Literal["exact", "embedding"]
    score: float


class SkillFinder:
    """Finds the terms of a taxonomy in texts.

    Parameters
    ----------
    threshold : least cosine of a match by meaning; None looks for exact phrases only.
    embedder : of clauses and names; static word vectors when None.
    """

    def __init__(
        self, taxonomy: Taxonomy, *, threshold: float | None = THRESHOLD, embedder: Embedder | None = None
    ) -> None:
        self.taxonomy = taxonomy
        self.threshold = threshold
        self._embedder = embedder or StaticEmbedder()
        self._terms: list[tuple[str, Kind, str, list[str]]] = list(
            taxonomy.terms.select("id", "kind", "name", "aliases").iter_rows()
        )
        names = ((name, number) for number, (_, _, name, _) in enumerate(self._terms))
        plain = ((_QUALIFIER.sub("", name), number) for number, (_, _, name, _) in enumerate(self._terms))
        aliases = ((alias, number) for number, (*_, spellings) in enumerate(self._terms) for alias in spellings)
        self.phrases = PhraseMatcher(chain(names, plain, aliases))
        self._vectors: Floats | None = None

    def find(self, text: str) -> list[Match]:
        """The matches of one text, by place."""
        return self.find_all([text])[0]

    def find_exact(self, texts: Sequence[str]) -> list[list[Match]]:
        """The exact phrases of each text, by place; whatever the threshold, nothing is embedded."""
        return [[self._match(*found) for found in self.phrases.find(text)] for text in texts]

    def find_all(self, texts: Sequence[str]) -> list[list[Match]]:
        """The matches of each text, by place; all clauses are embedded in one go."""
        exact = [list(self.phrases.find(text)) for text in texts]
        found = [[self._match(*one) for one in line] for line in exact]
        if self.threshold is None or not self._terms:
            return found
        spans = [
            (row, start, end)
            for row, text in enumerate(texts)
            for start, end in clauses(text)
            if not any(one.start <= start and end <= one.end for one in exact[row])
        ]
        best, cosine = self._nearest([texts[row][start:end] for row, start, end in spans])
        for (row, start, end), number, score in zip(spans, best, cosine, strict=True):
            if score < self.threshold or _only_letters(texts[row][start:end], self._terms[number][2]):
                continue
            if not _said(exact[row], number, start, end):
                found[row].append(self._match(int(number), start, end, float(score)))
        return [sorted(line, key=lambda match: (match.start, match.end, match.id)) for line in found]

    def nearest(self, texts: Sequence[str], kind: Kind) -> list[Match | None]:
        """The term of a kind that is nearest to each whole text, such as a job title; None below the threshold.

        A text that holds an exact phrase of the kind is that term, the longest one if there are several.
        """
        found: list[Match | None] = []
        exact = [[one for one in self.phrases.find(text) if self._terms[one.number][1] == kind] for text in texts]
        least = 2.0 if self.threshold is None else self.threshold  # no cosine reaches 2
        best, cosine = self._nearest(texts if self.threshold is not None else [""] * len(texts), kind)
        for row, text in enumerate(texts):
            if exact[row]:
                one = max(exact[row], key=lambda found: found.end - found.start)
                found.append(self._match(*one))
            elif cosine[row] >= least:
                found.append(self._match(int(best[row]), 0, len(text), float(cosine[row])))
            else:
                found.append(None)
        return found

    def _nearest(self, texts: Sequence[str], kind: Kind | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the numbers and (n,) the cosines of the nearest terms."""
        vectors = self._term_vectors()
        rows = np.array([row for row, term in enumerate(self._terms) if kind in (None, term[1])], np.int64)
        best, cosine = np.zeros(len(texts), np.int64), np.full(len(texts), -1, np.float32)
        distinct = list(dict.fromkeys(texts))
        if not len(rows) or not distinct:
            return best, cosine
        place = {text: number for number, text in enumerate(distinct)}
        of = [place[text] for text in texts]
        near, near_cosine = np.empty(len(distinct), np.int64), np.empty(len(distinct), np.float32)
        vectors = vectors[rows]
        for start in range(0, len(distinct), 1024):
            part = slice(start, start + 1024)
            scores = self._embedder.embed(distinct[part]) @ vectors.T  # (b, d) @ (d, terms)
            columns = scores.argmax(axis=1)
            near[part], near_cosine[part] = rows[columns], scores[np.arange(len(scores)), columns]
        return near[of], near_cosine[of]

    def _term_vectors(self) -> Floats:
        """(terms, d) of length 1, worked out once: the mean of the vectors of a term's name and aliases."""
        if self._vectors is None:
            spelled = [(row, text) for row, (*_, name, more) in enumerate(self._terms) for text in (name, *more)]
            rows, texts = [row for row, _ in spelled], [text for _, text in spelled]
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            sums = np.add.reduceat(self._embedder.embed(texts), starts, axis=0)
            self._vectors = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        return self._vectors

    def _match(self, number: int, start: int, end: int, score: float | None = None) -> Match:
        key, kind, name, _ = self._terms[number]
        return Match(key, name, kind, start, end, "exact" if score is None else "embedding", score or 1.0)


@lru_cache(maxsize=8)
def skill_finder(taxonomy: Taxonomy, threshold: float | None = THRESHOLD) -> SkillFinder:
    """A finder with static word vectors, built once a taxonomy object."""
    return SkillFinder(taxonomy, threshold=threshold)


def clauses(text: str) -> list[tuple[int, int]]:
    """[start, end) of the parts of a text that may name a skill: between breaks, without filler at either end.

    >>> text = "Strong knowledge of pipe welding, and 3 years of night shifts."
    >>> [text[start:end] for start, end in clauses(text)]
    ['pipe welding', 'night shifts']
    """
    found, edges = [], [(0, 0), *((one.start(), one.end()) for one in _BREAK.finditer(text)), (len(text), len(text))]
    for (_, start), (end, _) in pairwise(edges):
        spoken = words(text[start:end])
        said = [place for place, word in enumerate(spoken) if word.folded not in _FILLER and not _number(word.folded)]
        if said and said[-1] - said[0] < _LONGEST:
            found.append((start + spoken[said[0]].start, start + spoken[said[-1]].end))
    return found


def _number(word: str) -> bool:
    return word.rstrip("+").isdigit()


def _only_letters(clause: str, name: str) -> bool:
    """Whether the abbreviation that begins a name of several words is all that a clause has of it.

    >>> _only_letters("AWS cloud services", "AWS certification"), _only_letters("SQL", "Structured query language SQL")
    (True, False)
    """
    letters = _ABBREVIATION.match(name)
    if letters is None or letters[0] not in _ABBREVIATION.findall(clause):
        return False
    others = {word.folded for word in words(name[letters.end() :])}
    return bool(others) and not others & {word.folded for word in words(clause)}


def _said(exact: Sequence[Found], number: int, start: int, end: int) -> bool:
    """Whether the term was found in these characters already."""
    return any(one.number == number and start <= one.start < end for one in exact)

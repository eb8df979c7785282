"""Why a job fits, and what would make it fit better: measured by leaving out, or adding, one thing at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metier.data import Floats, Nums
from metier.data.posting import Posting
from metier.enrich.skills import Match, skill_finder
from metier.enrich.taxonomy import own_taxonomy
from metier.live.case import Case
from metier.live.order import WANTED
from metier.live.records import Ground, Kind, Raise, Reasons, SkillSpan, Span
from metier.live.statements import quoted, statements

Measure = Callable[[Sequence[Case], Nums], Floats]
"""(b, m) scores of m jobs, by row number, for b variants of a person."""
LEAST = 0.05
"""What a piece of evidence must lower the score by, in standard deviations of the person's scores over a sample of
jobs: less than that does not tell one job from another."""
LINES, PAST = 60, 20
"""Longest statements and latest applications that are left out one by one at most."""


@dataclass(frozen=True)
class Usual:
    """What is usual for a person, over a sample of jobs.

    Parameters
    ----------
    spread : standard deviation of the scores.
    said : mean of what the scores lose without all words and all past applications.
    """

    spread: float
    said: float

    @classmethod
    def of(cls, case: Case, measure: Measure, sample: Nums) -> "Usual":
        """sample : row numbers; jobs that are not scored do not count."""
        whole, less = measure([case, _silent(case)], sample)
        lost, whole = whole - less, whole[np.isfinite(whole)]
        lost = lost[np.isfinite(lost)]
        return cls(float(whole.std()) if len(whole) else 0.0, float(lost.mean()) if len(lost) else 0.0)


@dataclass(frozen=True)
class Evidence:
    """Something that may speak for a job, where it stands, and the person without it."""

    kind: Kind
    name: str
    spans: tuple[Span, ...]
    without: Case


def reasons(
    case: Case,
    postings: Mapping[int, Posting],
    past: Sequence[Posting],
    measure: Measure,
    usual: Usual,
    shares: Mapping[int, dict[str, float]],
) -> dict[int, Reasons]:
    """What the scores of some jobs rest on, by row number. Each variant of the person is measured once for all of them.

    Parameters
    ----------
    postings : by row number.
    past : the postings of `case.past`.
    shares : of the feature groups, by row number.
    """
    said, common, before = (
        skill_finder(own_taxonomy()).find_exact([case.text])[0],
        [*_lines(case)],
        [*_past(case, past)],
    )
    named = {row: skills(said, posting) for row, posting in postings.items()}
    found = {
        row: [*common, *_skills(case, said, named[row][0]), *before, *_place(case, posting)]
        for row, posting in postings.items()
    }
    silent, least = _silent(case), LEAST * usual.spread
    measured: dict[Case, list[float]] = {}

    def read(variants: Iterable[Case]) -> None:
        new = [one for one in dict.fromkeys(variants) if one not in measured]
        if new:
            measured.update(zip(new, measure(new, np.array(list(postings), np.int32)).tolist(), strict=True))

    read([case, silent, *(one.without for each in found.values() for one in each)])
    for column, row in enumerate(postings):
        weights = {one: measured[case][column] - measured[one.without][column] for one in found[row]}
        found[row] = _skills_joined(case, weights)
    read(one.without for each in found.values() for one in each)
    answers = {}
    for column, (row, posting) in enumerate(postings.items()):
        score = measured[case][column]
        lost = [(one, score - measured[one.without][column]) for one in found[row]]
        grounds = [Ground(one.kind, one.name, loss, one.spans) for one, loss in lost if loss > least]
        grounds += _wishes(case, posting)
        grounds.sort(key=lambda ground: -ground.weight)
        own = score - measured[silent][column] - usual.said
        particular = own > least or any(one.kind == "wish" for one in grounds)
        matched, missing = map(tuple, named[row])
        answers[row] = Reasons(posting.id, score, tuple(grounds), particular, shares[row], matched, missing)
    return answers


def raises(case: Case, posting: Posting, row: int, measure: Measure) -> list[Raise]:
    """What each skill that the posting names and the text lacks would add, were it said in a line of its own."""
    _, missing = skills(skill_finder(own_taxonomy()).find_exact([case.text])[0], posting)
    variants = [replace(case, text=f"{case.text}\n{one.name}".strip()) for one in missing]
    score, *more = measure([case, *variants], np.array([row], np.int32))[:, 0].tolist()
    found = [Raise(one.id, one.name, with_it - score, one.posting) for one, with_it in zip(missing, more, strict=True)]
    return sorted((one for one in found if one.rise > 0), key=lambda one: -one.rise)


def skills(said: Sequence[Match], posting: Posting) -> tuple[list[SkillSpan], list[SkillSpan]]:
    """Skills of our own vocabulary that a posting names, in its order: those that are `said` too, and others."""
    (there,) = skill_finder(own_taxonomy()).find_exact([posting.words])
    mine = _first(said)
    named = [
        SkillSpan(
            one.id,
            one.name,
            in_posting(posting, one.start, one.end),
            Span("asker", "text", mine[key].start, mine[key].end) if key in mine else None,
        )
        for key, one in _first(there).items()
    ]
    return [one for one in named if one.asker], [one for one in named if not one.asker]


def in_posting(posting: Posting, start: int, end: int) -> Span:
    """Characters of a posting's words as those of its title or text."""
    whole = f"{posting.title}\n{posting.text}"
    start, end = (at + len(whole) - len(whole.lstrip()) for at in (start, end))
    size = len(posting.title)
    if start < size:
        return Span("posting", "title", start, min(end, size))
    return Span("posting", "text", start - size - 1, end - size - 1)


def _first(matches: Sequence[Match]) -> dict[str, Match]:
    """The first match of each skill."""
    return {one.id: one for one in reversed(matches) if one.kind == "skill"}


def _silent(case: Case) -> Case:
    """Somebody who says nothing and applied to nothing."""
    return replace(case, text="", past=(), times=())


def _lines(case: Case) -> Iterator[Evidence]:
    """Statements of the text: past titles, and what the person says of themselves."""
    longest = sorted(statements(case.text), key=lambda span: span[0] - span[1])[:LINES]
    for start, end in sorted(longest):
        less = replace(case, text=case.text[:start] + case.text[end:])
        yield Evidence("line", quoted(case.asker.text, start, end), (Span("asker", "text", start, end),), less)


def _skills(case: Case, said: Sequence[Match], matched: Sequence[SkillSpan]) -> Iterator[Evidence]:
    """Skills that both name, one by one and wherever the person names them."""
    for skill in matched:
        own = [Span("asker", "text", one.start, one.end) for one in said if one.id == skill.id]
        yield Evidence("skill", skill.name, (*own, skill.posting), _without(case, own))


def _skills_joined(case: Case, weights: Mapping[Evidence, float]) -> list[Evidence]:
    """The evidence with all skills that lower the score when they go as one, heaviest first: in a long text each alone
    weighs little."""
    mine = sorted((one for one in weights if one.kind == "skill" and weights[one] > 0), key=lambda one: -weights[one])
    if len(mine) < 2:
        return list(weights)
    spans = tuple(span for one in mine for span in one.spans)
    own = [span for span in spans if span.of == "asker"]
    joined = Evidence("skill", ", ".join(one.name for one in mine), spans, _without(case, own))
    return [joined, *(one for one in weights if one.kind != "skill")]


def _without(case: Case, spans: Sequence[Span]) -> Case:
    """Somebody whose text lacks these characters."""
    text = case.text
    for span in sorted(spans, key=lambda span: -span.start):
        text = text[: span.start] + text[span.end :]
    return replace(case, text=text)


def _past(case: Case, past: Sequence[Posting]) -> Iterator[Evidence]:
    latest = sorted(range(len(past)), key=lambda at: (case.times[at] != case.times[at], -case.times[at]))[:PAST]
    for at in latest:
        rest = [other for other in range(len(past)) if other != at]
        less = replace(
            case, past=tuple(case.past[other] for other in rest), times=tuple(case.times[other] for other in rest)
        )
        one = past[at]
        field, words = ("title", one.title) if one.title else ("text", one.text)
        if words:
            yield Evidence("application", words[:200], (Span("past", field, 0, len(words), one.id),), less)


def _place(case: Case, posting: Posting) -> Iterator[Evidence]:
    """Where the person is, as a whole."""
    names = ("city", "state", "country", "zip")
    mine = {name: value for name in names if (value := getattr(case.asker, name))}
    theirs = {name: value for name in names if (value := getattr(posting, name))}
    if mine and theirs:
        spans = [Span("asker", name, 0, len(value)) for name, value in mine.items()]
        spans += [Span("posting", name, 0, len(value)) for name, value in theirs.items()]
        nowhere = replace(case, asker=replace(case.asker, city=None, state=None, country=None, zip=None))
        yield Evidence("place", ", ".join(mine.values()), tuple(spans), nowhere)


def _wishes(case: Case, posting: Posting) -> Iterator[Ground]:
    """Wanted phrases that the posting holds, each with its part of what wishes add to the score."""
    wishes = case.asker.wishes
    held = wishes.found_in(posting.words) if wishes else {}
    for phrase in wishes.wanted:
        if phrase in held:
            span = in_posting(posting, *held[phrase])
            yield Ground("wish", phrase, WANTED / len(wishes.wanted), (span,))

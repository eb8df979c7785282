"""How well skills are found in texts whose skills were marked by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from metier.enrich.skills import SkillFinder
from metier.errors import DataRejectedError

NO_LABEL = ("LABEL NOT PRESENT", "UNDERSPECIFIED")
"""What annotators write where the taxonomy has no such skill, or none so vague."""


@dataclass(frozen=True)
class Mark:
    """Characters [start, end) that name a skill, and the names of it that annotators accept; none of them: empty."""

    start: int
    end: int
    labels: frozenset[str]


@dataclass(frozen=True)
class SkillScores:
    """Shares of marks found and of matches that were right.

    Parameters
    ----------
    marks, matches : how many there are; `labelled` marks bear a name that the taxonomy holds.
    span_recall : share of marks that some match overlaps.
    span_precision : share of matches that overlap some mark.
    label_recall : share of labelled marks that a match of the same name overlaps.
    label_precision : share of matches that overlap a mark of the same name; all others count as wrong, also those
        on a mark that annotators found no name for.
    """

    marks: int
    labelled: int
    matches: int
    span_recall: float
    span_precision: float
    label_recall: float
    label_precision: float

    def as_row(self) -> dict[str, int | float]:
        """For tables and JSON."""
        return asdict(self)


def read_marks(paths: Sequence[Path]) -> dict[str, list[Mark]]:
    """Sentence -> marks, from CSV files with the columns sentence, span, sub_span, label (UTF-8).

    `sub_span` may be rewritten ("engineering practices" out of "innovation and engineering practices"), so a mark is
    where the sub-span stands, and where it does not stand as such, the span. Labels of one place are joined.

    Raises
    ------
    DataRejectedError : a column is missing, or a span is not in its sentence.
    """
    places: dict[str, dict[tuple[int, int], set[str]]] = {}
    for path in paths:
        frame = pl.read_csv(path, infer_schema=False)
        missing = {"sentence", "span", "sub_span", "label"} - set(frame.columns)
        if missing:
            raise DataRejectedError(f"{path}: no column {sorted(missing)[0]!r}; cure: sentence, span, sub_span, label")
        for sentence, span, sub_span, label in frame.select("sentence", "span", "sub_span", "label").iter_rows():
            said = sub_span if sub_span and sub_span in sentence else span
            start = sentence.find(said)
            if start < 0:
                raise DataRejectedError(f"{path}: a span of {len(span)} characters is not in its sentence")
            labels = places.setdefault(sentence, {}).setdefault((start, start + len(said)), set())
            if label not in NO_LABEL:
                labels.add(label)
    return {
        sentence: [Mark(start, end, frozenset(labels)) for (start, end), labels in sorted(marks.items())]
        for sentence, marks in places.items()
    }


def score_skills(finder: SkillFinder, marked: Mapping[str, Sequence[Mark]]) -> SkillScores:
    """Recall and precision of a finder's skills (not occupations) on marked sentences; 0 of 0 is 0."""
    known = set(finder.taxonomy.of_kind("skill")["name"])
    marks = labelled = matches = marks_hit = matches_hit = names_hit = names_right = 0
    for sentence, found in zip(marked, finder.find_all(list(marked)), strict=True):
        said = [match for match in found if match.kind == "skill"]
        matches += len(said)
        touched, named = set(), set()
        for mark in marked[sentence]:
            over = {row for row, match in enumerate(said) if match.start < mark.end and mark.start < match.end}
            right = {row for row in over if said[row].name in mark.labels}
            touched |= over
            named |= right
            marks += 1
            marks_hit += bool(over)
            if mark.labels & known:
                labelled += 1
                names_hit += bool(right)
        matches_hit += len(touched)
        names_right += len(named)
    return SkillScores(
        marks,
        labelled,
        matches,
        _share(marks_hit, marks),
        _share(matches_hit, matches),
        _share(names_hit, labelled),
        _share(names_right, matches),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0

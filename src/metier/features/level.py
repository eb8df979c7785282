"""Seniority of a title, from its words."""

import re
from collections.abc import Sequence

import numpy as np

from metier.data import Floats

RANKS = (
    r"intern|internship|trainee|apprentice|entry|junior|jr|i|helper",
    r"senior|sr|lead|iii|iv|specialist iii|principal|expert",
    r"supervisor|manager|head|director|chief|president|vp|superintendent|foreman|owner",
)
"""Words of a level below, one above and two above the plain title."""
_PATTERNS = [re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in RANKS]


def levels(titles: Sequence[str]) -> Floats:
    """(n,) float32: 0 for a beginner's title, 1 for a plain one, 2 for a senior one, 3 for a leader's; of several lines
    the mean, NaN for an empty text.

    >>> levels(["Nurse", "Senior Nurse", "Nursing Intern", "Head Nurse", ""]).tolist()
    [1.0, 2.0, 0.0, 3.0, nan]
    """
    return np.array([_level(title) for title in titles], np.float32)


def _level(text: str) -> float:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return float("nan")
    return sum(_of_line(line) for line in lines) / len(lines)


def _of_line(line: str) -> int:
    below, above, leads = (pattern.search(line) is not None for pattern in _PATTERNS)
    return 3 if leads else 2 if above else 0 if below else 1

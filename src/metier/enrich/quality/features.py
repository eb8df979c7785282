"""What a detector of weak résumés may look at, as numbers: the text, how complete the profile is, the applications."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metier.enrich.grounds import Grounds, Kind
from metier.features.text import Embedder

Matrix = NDArray[np.float64]
TOLD: tuple[Kind, ...] = ("profile", "text", "history")
"""Kinds of facts that a person states; the jobs applied to are none of them, since they would give the count away."""
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def text_features(texts: Sequence[str], embedder: Embedder) -> Matrix:
    """(n, d + 1) the vector of each text, which knows no length, and ln(1 + words)."""
    words = np.log1p([len(text.split()) for text in texts])
    return np.column_stack([embedder.embed(texts), words]).astype(np.float64)


def profile_features(people: Sequence[Grounds]) -> tuple[Matrix, list[str]]:
    """(n, f) how complete each profile is, and the f names.

    For each profile field whether it is filled; for each kind of fact their number and ln(1 + characters); years of
    experience where a field says so; years from the first to the last that studies or past jobs mention.
    """
    fields = sorted({_name(line.text) for one in people for line in one.only({"profile"}).lines})
    names = [
        *(f"has {field}" for field in fields),
        *(f"{what} of {kind}" for kind in TOLD for what in ("lines", "characters")),
        "years of experience",
        "years spanned",
    ]
    return np.array([_completeness(one, fields) for one in people], np.float64).reshape(len(people), -1), names


def count_features(counts: NDArray[np.int64]) -> Matrix:
    """(n, 1) ln(1 + jobs applied to before the cut-off)."""
    return np.log1p(counts.astype(np.float64))[:, None]


def sameness(texts: Sequence[str], embedder: Embedder) -> float:
    """Mean cosine of the texts of two different people, of at least two; a text without a word is like no other."""
    vectors = embedder.embed(texts).astype(np.float64)
    n, total = len(vectors), vectors.sum(axis=0)
    return float((total @ total - (vectors**2).sum()) / (n * (n - 1)))


def _completeness(grounds: Grounds, fields: Sequence[str]) -> list[float]:
    by_kind = {kind: [line.text for line in grounds.only({kind}).lines] for kind in TOLD}
    filled = dict(map(_parts, by_kind["profile"]))
    sizes = [size for lines in by_kind.values() for size in (len(lines), float(np.log1p(sum(map(len, lines)))))]
    experience = [
        float(found[0]) for name, value in filled.items() if "year" in name and (found := _NUMBER.search(value))
    ]
    years = [int(year) for line in (*by_kind["profile"], *by_kind["history"]) for year in _YEAR.findall(line)]
    span = max(years) - min(years) if years else 0
    return [*(float(field in filled) for field in fields), *sizes, max(experience, default=0.0), float(span)]


def _parts(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value


def _name(line: str) -> str:
    return _parts(line)[0]

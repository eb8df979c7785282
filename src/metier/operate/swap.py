"""Does a score move when a name, a pronoun or a school is another one? Asked of a model, pair by pair."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from metier.bundle import Bundle, answers_live, load
from metier.evaluate.statistics import bootstrap_means, interval
from metier.live import Asker, Filter, LiveModel
from metier.operate.resume_pairs import DEFAULT_PATH, Kind, Pair

Ask = Callable[[str], Mapping[str, float]]
"""A résumé's text -> the jobs suggested, best first, and their scores."""


@dataclass(frozen=True)
class Swapped:
    """What swapping did to the pairs of one kind and two groups.

    Parameters
    ----------
    kind, one, other : what was swapped, and for what.
    pairs, moved : pairs; those whose jobs, order or scores differ.
    overlap : mean share of the first text's jobs that the second is given, too.
    shift, low, high : mean score of the second text's jobs minus that of the first's, and its 95 % bootstrap interval
        over pairs.
    """

    kind: Kind
    one: str
    other: str
    pairs: int
    moved: int
    overlap: float
    shift: float
    low: float
    high: float

    @property
    def must_not_move(self) -> bool:
        """Whether a move is a fault."""
        return self.kind in DEFAULT_PATH


def swap_audit(ask: Ask, pairs: Iterable[Pair], *, rng: np.random.Generator) -> list[Swapped]:
    """Ask for both texts of each pair; rows by kind and groups, the two groups in the order of their names."""
    found: dict[tuple[Kind, str, str], list[tuple[bool, float, float]]] = {}
    for pair in pairs:
        texts = dict(sorted(zip(pair.groups, (pair.one, pair.other), strict=True)))
        (one, first), (other, second) = ((group, ask(text)) for group, text in texts.items())
        moved = list(first.items()) != list(second.items())
        overlap = len(first.keys() & second.keys()) / max(1, len(first))
        found.setdefault((pair.kind, one, other), []).append((moved, overlap, _mean(second) - _mean(first)))
    rows = []
    for (kind, one, other), outcomes in sorted(found.items()):
        moves, overlaps, shifts = (np.array(column, np.float64) for column in zip(*outcomes, strict=True))
        low, high = interval(bootstrap_means(shifts[:, None], rng=rng))
        rows.append(
            Swapped(
                kind, one, other, len(outcomes), int(moves.sum()), float(overlaps.mean()), float(shifts.mean()),
                float(low[0]), float(high[0]),
            )
        )  # fmt: skip
    return rows


def ask_bundle(folder: Path, k: int) -> tuple[Ask, bool]:
    """How to ask a bundle for the k best jobs of a text, at the time of its newest interaction.

    The second value says whether it is asked as the service asks it, without names and pronouns in the text. Other
    models than `profile` and `ranker` are not served, and see the text as it is.
    """
    bundle = load(folder)
    if not answers_live(folder):
        return partial(_plain_answer, bundle, k), False
    times = bundle.dataset.interactions.times
    now = float(np.nanmax(times)) if np.isfinite(times).any() else time.time()
    live = LiveModel.load(folder)

    def ask(text: str) -> dict[str, float]:
        return {one.job: one.score for one in live.jobs(Asker(text=text), Filter(), k, now=now).suggestions}

    return ask, True


def _plain_answer(bundle: Bundle, k: int, text: str) -> dict[str, float]:
    ranking = bundle.recommend(bundle.newcomer(text), k)
    known = ranking.items[0] >= 0
    ids = bundle.job_table["id"].gather(ranking.items[0][known].astype(np.uint32))
    return dict(zip(ids, ranking.scores[0][known].tolist(), strict=True))


def _mean(scores: Mapping[str, float]) -> float:
    return float(np.mean(list(scores.values()))) if scores else 0.0

"""How evenly jobs are shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from metier.evaluate.metrics import gini

TOP = 0.1


@dataclass(frozen=True)
class Concentration:
    """How much of what was shown falls on few jobs; of the jobs that were shown at all.

    Parameters
    ----------
    jobs, shown : jobs shown at least once, and how often together.
    gini : 0, all as often; towards 1, one job alone.
    top_share : share of what was shown that falls on the tenth of the jobs shown most.
    """

    jobs: int
    shown: int
    gini: float
    top_share: float


def concentration(shown: Mapping[str, int]) -> Concentration | None:
    """The concentration of a count by job; None when nothing was shown.

    >>> concentration({"a": 8, "b": 1, "c": 1}).top_share
    0.8
    """
    counts = np.sort(np.array([times for times in shown.values() if times > 0], np.int64))[::-1]
    if not counts.size:
        return None
    top = counts[: max(1, round(TOP * counts.size))].sum() / counts.sum()
    return Concentration(counts.size, int(counts.sum()), gini(counts), float(top))

"""Who is few-shot and who is many-shot, by the number of applications: the labels of LGIR (Du et al., AAAI 2024)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.errors import UsageError

WEAK, STRONG, UNLABELLED = 0, 1, -1
Labels = NDArray[np.int8]
"""(n,) WEAK, STRONG or UNLABELLED."""


@dataclass(frozen=True)
class Cuts:
    """Who applied to at most `few` jobs is few-shot (LGIR's κ2), to at least `many` many-shot (κ1)."""

    few: int
    many: int


def count_labels(counts: NDArray[np.int64], few: float, many: float) -> tuple[Labels, Cuts]:
    """Weak for few jobs applied to, strong for many.

    Parameters
    ----------
    counts : (n,) jobs that each person applied to before the cut-off.
    few, many : the quantiles of `counts` that are κ2 and κ1; where both fall on the same number, κ1 is one more.

    Raises
    ------
    UsageError : nobody would be strong.
    """
    low, high = (int(value) for value in np.quantile(counts, (few, many), method="lower"))
    cuts = Cuts(low, max(high, low + 1))
    labels = np.full(len(counts), UNLABELLED, np.int8)
    labels[counts <= cuts.few] = WEAK
    labels[counts >= cuts.many] = STRONG
    if not (labels == STRONG).any():
        raise UsageError(f"nobody applied to {cuts.many} jobs before the cut-off; cure: smaller quantiles")
    return labels, cuts

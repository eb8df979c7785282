"""What a generator does to the representations of few-shot people, as numbers: has it moved them, or collapsed them?"""

from typing import NamedTuple

import numpy as np

from metier.data import Floats


class Alignment(NamedTuple):
    """How n thin vectors lie to m rich ones before and after they were refined."""

    before: float
    """distance of the two means, in root mean squared lengths of a rich vector from their mean"""
    after: float
    """the same of the refined vectors"""
    spread: float
    """total variance of the refined vectors over that of the vectors they were: 0 is a collapse to one point"""
    identity: float
    """share of the refined vectors whose nearest neighbour among the vectors before is the one they come from, all
    compared around their own means: 1 keeps everybody apart"""


def alignment(thin: Floats, refined: Floats, rich: Floats) -> Alignment:
    """Of (n, d) vectors before and after, and the (m, d) ones they are to be like; n and m at least 2."""
    unit = np.sqrt(rich.var(axis=0).sum())
    centred, moved = thin - thin.mean(axis=0), refined - refined.mean(axis=0)
    # |a - b|^2 up to |b|^2, which is the same for all candidates a
    distance = (centred**2).sum(axis=1) - 2 * moved @ centred.T  # (n, n)
    return Alignment(
        before=float(np.linalg.norm(thin.mean(axis=0) - rich.mean(axis=0)) / unit),
        after=float(np.linalg.norm(refined.mean(axis=0) - rich.mean(axis=0)) / unit),
        spread=float(moved.var(axis=0).sum() / max(centred.var(axis=0).sum(), 1e-12)),
        identity=float((distance.argmin(axis=1) == np.arange(len(thin))).mean()),
    )

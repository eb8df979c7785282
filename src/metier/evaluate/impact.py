"""Impact ratios: is one group of people selected less often than another?

The arithmetic is that of New York City's Local Law 144 (Rules of the City of New York, title 6, sections 5-300, 5-301):

    selection rate   selected / assessed, in a category
    scoring rate     share of a category whose score is above the median score of the whole sample
    impact ratio     rate of a category / rate of the category whose rate is highest

People whose category is unknown are counted and left out. A category with less than 2 % of the people may be excluded
by an auditor who says why; here it is marked. The four-fifths rule is that of 29 CFR 1607.4(D). Neither is a verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.errors import DataRejectedError
from metier.evaluate.statistics import RESAMPLES, Values, interval

SMALL = 0.02
"""Share of the people below which a category may be excluded."""
FOUR_FIFTHS = 0.8


@dataclass(frozen=True)
class CategoryRate:
    """One category: how often its people are selected, beside the category that is selected most often.

    Parameters
    ----------
    category : a value of each column of the table.
    people, assessed, selected : people; their assessments (as many, unless people are assessed more than once); those
        that ended in selection, or in a score above the median.
    share : of the table's people.
    small : `share` is below 2 %.
    rate : selected / assessed.
    ratio, low, high : impact ratio and its 95 % interval; None when nobody was selected, or the category is excluded.
    p : Fisher's exact test, two-sided, against the most selected category; None for that one, without a ratio, and
        when people are assessed more than once, since the test needs assessments that do not depend on each other.
    """

    category: tuple[str, ...]
    people: int
    assessed: int
    selected: int
    share: float
    small: bool
    rate: float
    ratio: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def below_four_fifths(self) -> bool:
        """The ratio is below 0.8."""
        return self.ratio is not None and self.ratio < FOUR_FIFTHS

    @property
    def interval_below(self) -> bool:
        """The whole interval is below 0.8."""
        return self.high is not None and self.high < FOUR_FIFTHS


@dataclass(frozen=True)
class ImpactTable:
    """The categories of one column, or the crossings of several.

    Parameters
    ----------
    by : the columns.
    rows : by category, in the order of their values.
    people, unknown : people in the rows; people left out because a column is null.
    """

    by: tuple[str, ...]
    rows: tuple[CategoryRate, ...]
    people: int
    unknown: int


def impact(
    people: pl.DataFrame,
    by: Sequence[str],
    *,
    rng: np.random.Generator,
    exclude_small: bool = False,
    resamples: int = RESAMPLES,
) -> ImpactTable:
    """The impact ratios of the categories of `by`.

    The interval is a percentile bootstrap over people, with the category that has the highest rate in the sample held
    fixed, so that an interval may pass 1: then the difference may as well be the other way round.

    Parameters
    ----------
    people : a row a person: `assessed` and `selected` (integers, selected <= assessed) and the columns of `by`
        (String, null = unknown).
    exclude_small : no ratio for categories below 2 %, and none of them is the one the others are divided by.

    Raises
    ------
    DataRejectedError : nobody has a known category.
    """
    known = people.drop_nulls(list(by))
    if known.is_empty():
        raise DataRejectedError(f"nobody has a known {' and '.join(by)}; cure: fill the column, or name another one")
    # People alike in category and outcome are one cell: resampling people is drawing how many of each cell there are.
    cells = known.group_by([*by, "assessed", "selected"]).agg(n=pl.len()).sort([*by, "assessed", "selected"])
    names = cells.select(by).unique(maintain_order=True)
    place = cells.join(names.with_row_index("place"), on=list(by), how="left", maintain_order="left")[
        "place"
    ].to_numpy()
    member = np.eye(len(names))[place]  # (cells, c)
    n, assessed, selected = (cells[name].to_numpy().astype(np.float64) for name in ("n", "assessed", "selected"))

    counts = np.column_stack([n, n * assessed, n * selected]).T @ member  # (3, c)
    share, rate = counts[0] / counts[0].sum(), counts[2] / counts[1]
    small = share < SMALL
    excluded = small & exclude_small
    best = int(np.argmax(np.where(excluded, -1.0, rate)))
    ratio = np.full(len(names), np.nan)
    low, high = ratio.copy(), ratio.copy()
    if rate[best] > 0 and not excluded.all():
        ratio = np.where(excluded, np.nan, rate / rate[best])
        drawn = rng.multinomial(int(n.sum()), n / n.sum(), size=resamples)  # (resamples, cells)
        rates = _ratio((drawn * selected) @ member, (drawn * assessed) @ member)  # (resamples, c)
        low, high = _known_interval(_ratio(rates, rates[:, [best]]))
    once = bool((assessed == 1).all())
    rows = [
        CategoryRate(
            category=name,
            people=int(counts[0, c]),
            assessed=int(counts[1, c]),
            selected=int(counts[2, c]),
            share=float(share[c]),
            small=bool(small[c]),
            rate=float(rate[c]),
            ratio=_number(ratio[c]),
            low=_number(low[c]) if np.isfinite(ratio[c]) else None,
            high=_number(high[c]) if np.isfinite(ratio[c]) else None,
            p=_fisher(counts[1:, c], counts[1:, best]) if once and c != best and np.isfinite(ratio[c]) else None,
        )
        for c, name in enumerate(names.iter_rows())
    ]
    return ImpactTable(tuple(by), tuple(rows), len(known), len(people) - len(known))


def above_median(scores: Values) -> NDArray[np.bool_]:
    """(n, j) bool: is a score above the median of its column? A score that is NaN takes no part and is not above.

    >>> above_median(np.array([[1.0], [2.0], [3.0], [np.nan]])).ravel().tolist()  # the median is 2
    [False, False, True, False]
    """
    return np.asarray(scores > np.nanmedian(scores, axis=0, keepdims=True))


def _ratio(above: Values, below: Values) -> Values:
    """NaN where there is nothing to divide by."""
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0), np.float64)


def _known_interval(ratios: Values) -> tuple[Values, Values]:
    """The interval over the resamples that have a ratio; a small category may be absent from some."""
    low, high = np.full(ratios.shape[1], np.nan), np.full(ratios.shape[1], np.nan)
    for c, column in enumerate(ratios.T):
        known = column[np.isfinite(column)]
        if len(known):
            low[c], high[c] = (float(bound[0]) for bound in interval(known[:, None]))
    return low, high


def _fisher(one: Values, other: Values) -> float:
    """Two-sided p of (assessed, selected) of two categories."""
    from scipy.stats import fisher_exact  # half a second that the service does not need at its start

    table = [[int(selected), int(assessed - selected)] for assessed, selected in (one, other)]
    return float(fisher_exact(table).pvalue)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

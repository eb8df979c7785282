"""From each person's values to the figures of a report: means with intervals by segment, and paired differences."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, get_args

import numpy as np
from numpy.typing import NDArray

from metier.evaluate.evaluation import Evaluation
from metier.evaluate.metrics import LIST_METRICS, METRICS, Values
from metier.evaluate.statistics import bootstrap_means, interval, paired

Segment = Literal["all", "warm", "cold", "history 1", "history 2-4", "history 5-9", "history 10+"]
SEGMENTS: tuple[Segment, ...] = get_args(Segment)
_BOUNDS: dict[Segment, tuple[int, float]] = {
    "all": (0, np.inf),
    "warm": (1, np.inf),
    "cold": (0, 0),
    "history 1": (1, 1),
    "history 2-4": (2, 4),
    "history 5-9": (5, 9),
    "history 10+": (10, np.inf),
}
"""Fewest and most past applications of the people in a segment."""


class Row(TypedDict):
    """One figure; low and high bound the 95 % interval, None for metrics of all lists together."""

    model: str
    segment: str
    metric: str
    k: int
    value: float | None
    low: float | None
    high: float | None
    users: int


class Difference(TypedDict):
    """`model` minus `baseline` over the same people, with 95 % interval, two-sided p and Holm-adjusted p."""

    model: str
    baseline: str
    metric: str
    k: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    users: int


def members(history: NDArray[np.int64], segment: Segment) -> NDArray[np.bool_]:
    """(n,) bool: who is in a segment, by number of past applications (n,).

    >>> members(np.array([0, 1, 3]), "warm").tolist()
    [False, True, True]
    """
    fewest, most = _BOUNDS[segment]
    return (history >= fewest) & (history <= most)


def rows(evaluation: Evaluation, segments: Sequence[Segment] = SEGMENTS) -> list[Row]:
    """Every figure: all metrics at k for each segment that has people; the MAP@k curve, coverage and Gini for "all".

    "all" is reported whether it is among `segments` or not.

    Segments are resampled apart; inside one, all models and metrics share the same draws.
    """
    labels, columns = list(evaluation.values), evaluation.columns
    history = evaluation.people["history"].to_numpy()
    found: list[Row] = []
    for segment in (one for one in SEGMENTS if one == "all" or one in segments):
        inside = members(history, segment)
        users, width = int(inside.sum()), len(columns) if segment == "all" else len(METRICS)
        if not users:
            continue
        values = np.hstack([evaluation.values[label][inside, :width] for label in labels])  # (users, models * width)
        rng = np.random.default_rng(evaluation.seed)
        means, bounds = values.mean(axis=0), interval(bootstrap_means(values, rng=rng))
        for at, (label, (metric, cut)) in enumerate((label, column) for label in labels for column in columns[:width]):
            value, low, high = (_rounded(array[at]) for array in (means, *bounds))
            found.append(
                Row(model=label, segment=segment, metric=metric, k=cut, value=value, low=low, high=high, users=users)
            )
    return found + [_list_row(evaluation, label, metric) for label in labels for metric in LIST_METRICS]


def best(evaluation: Evaluation) -> str | None:
    """The label with the highest MAP@k among the competitors; references such as an oracle do not compete."""
    competitors = [label for label in evaluation.ranked if evaluation.about[label].model is not None]
    return max(competitors, key=lambda label: float(evaluation.values[label][:, 0].mean()), default=None)


def differences(
    values: Mapping[str, Values], pairs: Sequence[tuple[str, str]], *, metric: str, k: int, seed: int
) -> list[Difference]:
    """Test (model, baseline) pairs at once.

    `values` maps a name to (n,) values of the same n people in the same order; Holm's correction is over `pairs`.
    """
    if not pairs:
        return []
    tested = paired(
        np.column_stack([values[model] - values[baseline] for model, baseline in pairs]),
        rng=np.random.default_rng(seed),
    )
    columns = (tested.mean, tested.low, tested.high, tested.p, tested.p_holm)
    return [
        Difference(
            model=model,
            baseline=baseline,
            metric=metric,
            k=k,
            difference=difference,
            low=low,
            high=high,
            p=p,
            p_holm=p_holm,
            users=len(values[model]),
        )
        for (model, baseline), (difference, low, high, p, p_holm) in zip(
            pairs, np.column_stack(columns).round(10).tolist(), strict=True
        )
    ]


def against_best(evaluation: Evaluation) -> list[Difference]:
    """Every other model minus the best one, by MAP@k over all people."""
    top = best(evaluation)
    if top is None:
        return []
    maps = {label: values[:, 0] for label, values in evaluation.values.items()}
    pairs = [(label, top) for label in maps if label != top]
    return differences(maps, pairs, metric="map", k=evaluation.k, seed=evaluation.seed)


def against_defaults(evaluation: Evaluation, tuned: Mapping[str, str]) -> list[Difference]:
    """Each tuned row minus its model's row of defaults, by MAP@k over all people; `tuned` maps label -> label.

    A pair of which one has no row, because its model failed or was not asked for, is left out.
    """
    maps = {label: values[:, 0] for label, values in evaluation.values.items()}
    pairs = [(label, model) for label, model in tuned.items() if label in maps and model in maps]
    return differences(maps, pairs, metric="map", k=evaluation.k, seed=evaluation.seed)


def _list_row(evaluation: Evaluation, label: str, metric: str) -> Row:
    value = evaluation.list_values[label][metric]
    return Row(
        model=label,
        segment="all",
        metric=metric,
        k=evaluation.k,
        value=None if np.isnan(value) else _rounded(value),
        low=None,
        high=None,
        users=len(evaluation.people),
    )


def _rounded(value: float) -> float:
    """Ten decimals: sums in another order (more cores, another BLAS) still print the same figure."""
    return round(float(value), 10)

"""The charts of a study as SVG, drawn by Vega without a browser or a network."""

from collections.abc import Sequence
from typing import Any, get_args

import altair as alt
import polars as pl

from metier.enrich.quality.detectors import Detector
from metier.enrich.quality.study import Row
from metier.evaluate.charts import Theme, svg

WIDTH, ROW = 620, 42
"""Pixels of a chart's width, and of the height that the bars of one set of features share."""
MARGIN = 60
"""Pixels that names need beside what Vega reckons with a narrower font."""
SIDE = 300


def auc_bars(rows: Sequence[Row], theme: Theme) -> str:
    """SVG of the AUC of each text and feature set: a bar for each detector from one half on, and its 95 % interval.

    In grey behind them the band that permuted labels give.
    """
    names = list(dict.fromkeys(map(name_of, rows)))
    points = pl.DataFrame(
        [{"name": name_of(row), **{key: getattr(row, key) for key in _DRAWN}, "half": 0.5} for row in rows]
    )
    least = min(0.45, *(min(row.low, row.null_low) for row in rows))
    x = alt.X("auc:Q", title="AUC", scale=alt.Scale(domain=(least, 1)), axis=alt.Axis(format=".2f", tickCount=6))
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    offset = alt.YOffset(
        "detector:N", sort=list(get_args(Detector)), scale=alt.Scale(paddingInner=0.15, paddingOuter=0.6)
    )
    base = alt.Chart(points)
    chart = alt.layer(
        base.mark_bar(color=theme.others, opacity=0.5).encode(
            x=alt.X("null_low:Q", title="AUC", scale=alt.Scale(domain=(least, 1))), x2="null_high:Q", y=y
        ),
        base.mark_bar().encode(x=x, x2="half:Q", y=y, yOffset=offset, color=_colour(theme)),
        base.mark_rule(color=theme.ink, strokeWidth=1.2).encode(
            x=alt.X("low:Q", scale=alt.Scale(domain=(least, 1))), x2="high:Q", y=y, yOffset=offset
        ),
    ).properties(width=WIDTH, height=ROW * len(names))
    return _svg(chart, theme)


def reliability_curve(rows: Sequence[Row], theme: Theme) -> str:
    """SVG of the share that is strong by the stated probability, a line for each detector, on the diagonal at best."""
    points = pl.DataFrame(
        [
            {"detector": row.detector, "stated": one.stated, "strong": one.strong, "people": one.people}
            for row in rows
            for one in row.bins
        ]
    )
    axes = {
        "x": alt.X("stated:Q", title="stated probability of strong", scale=alt.Scale(domain=(0, 1))),
        "y": alt.Y("strong:Q", title="share that is strong", scale=alt.Scale(domain=(0, 1))),
    }
    diagonal = alt.Chart(pl.DataFrame({"stated": [0.0, 1.0], "strong": [0.0, 1.0]})).mark_line(
        color=theme.muted, strokeDash=[5, 4], strokeWidth=1.2
    )
    base = alt.Chart(points)
    chart = alt.layer(
        diagonal.encode(**axes),
        base.mark_line(strokeWidth=2).encode(**axes, color=_colour(theme)),
        base.mark_circle(opacity=1).encode(
            **axes, color=_colour(theme), size=alt.Size("people:Q", legend=None, scale=alt.Scale(range=[20, 160]))
        ),
    ).properties(width=SIDE, height=SIDE)
    return _svg(chart, theme)


def name_of(row: Row) -> str:
    """ "raw: text + profile", "counts"."""
    return f"{row.text}: {row.features}" if row.text else row.features


_DRAWN = ("detector", "auc", "low", "high", "null_low", "null_high")


def _colour(theme: Theme) -> alt.Color:
    detectors = list(get_args(Detector))
    scale = alt.Scale(domain=detectors, range=list(theme.lines[: len(detectors)]))
    return alt.Color("detector:N", scale=scale, legend=alt.Legend(title=None, orient="top", columnPadding=MARGIN))


def _svg(chart: Any, theme: Theme) -> str:
    return svg(chart, theme, {"left": MARGIN, "top": 8, "right": 8, "bottom": 8})

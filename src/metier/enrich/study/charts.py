"""The effect plot of a study as SVG, drawn by Vega without a browser or a network."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from metier.enrich.study.study import Contrast
from metier.evaluate.charts import Theme, svg

WIDTH, ROW = 620, 24
"""Pixels of the chart's width, and of each contrast in a group of people."""
MARGIN = 60
"""Pixels that names need beside what Vega reckons with a narrower font."""
SHOTS = ("cold", "history 1", "history 2-4", "history 5-9", "history 10+")
"""Groups by number of past applications, from top to bottom."""
DRAWN = ("raw − none", "raw − raw-shuffled", "interactive − none", "interactive − shuffled", "interactive − raw")
"""Contrasts of texts in the plot, as far as they were asked."""


def effect_plot(contrasts: Sequence[Contrast], names: Sequence[str], theme: Theme) -> str:
    """SVG of each contrast and its 95 % interval for each group of people; "" when none of `names` was asked.

    Parameters
    ----------
    contrasts : of one model. names : which of them, at most five, in the order of their colours.
    """
    kept = [one for one in contrasts if one["name"] in names and one["segment"] in SHOTS]
    if not kept:
        return ""
    there = [name for name in names if any(one["name"] == name for one in kept)]
    sizes = {one["segment"]: one["people"] for one in kept}
    points = pl.DataFrame(
        [
            {"who": _who(one["segment"], sizes), **{key: one[key] for key in ("name", "difference", "low", "high")}}
            for one in kept
        ]
    )
    order = [_who(segment, sizes) for segment in SHOTS if segment in sizes]
    colour = alt.Color(
        "name:N",
        scale=alt.Scale(domain=there, range=list(theme.lines[: len(there)])),
        legend=alt.Legend(title=None, orient="top", columnPadding=MARGIN, labelLimit=240),
    )
    base = alt.Chart(points).encode(
        y=alt.Y("who:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False)),
        yOffset=alt.YOffset("name:N", sort=there, scale=alt.Scale(paddingOuter=0.5)),
        color=colour,
    )
    x = alt.X("low:Q", title="difference of MAP", axis=alt.Axis(format="+.3~f", tickCount=7))
    nothing = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=theme.ink).encode(x="zero:Q")
    chart = alt.layer(
        nothing,
        base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q"),
        base.mark_circle(size=60, opacity=1).encode(x="difference:Q"),
    ).properties(width=WIDTH, height=ROW * len(there) * len(order))
    return svg(chart, theme, {"left": MARGIN, "top": 8, "right": 8, "bottom": 8})


def _who(segment: str, sizes: dict[str, int]) -> str:
    """ "history 1 (420 people)"."""
    return f"{segment} ({sizes[segment]:,} people)"

"""Charts as SVG, drawn by Vega without a browser or a network: the MAP@k curve."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from metier.evaluate.summary import Row

WIDTH, HEIGHT = 860, 400
LABEL_HEIGHT, LABEL_WIDTH = 15, 140
"""Pixels a name needs, so that neighbours do not overlap and none is cut at the right."""


@dataclass(frozen=True)
class Theme:
    """Colours of one colour scheme; `lines` are told apart by colour-blind readers (Okabe and Ito 2008, lightened
    for the dark page)."""

    ink: str
    muted: str
    grid: str
    others: str
    lines: tuple[str, ...]


LIGHT = Theme("#1c2430", "#5b6675", "#e3e7ec", "#b9c1cb", ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a06a00"))
DARK = Theme("#e6eaf0", "#9aa6b5", "#2b333e", "#566170", ("#56b4e9", "#ff8f4a", "#2fd0a0", "#f0a3cb", "#f0c044"))


def map_curve(rows: Sequence[Row], highlighted: Sequence[str], references: Sequence[str], theme: Theme) -> str:
    """SVG of MAP@k by k for all people, with 95 % bands.

    Parameters
    ----------
    rows : those of `summary.rows`; the curve takes metric "map", segment "all".
    highlighted : labels drawn in colour with a band and a name, best first, at most five.
    references : labels drawn dashed, such as an oracle; every other label is a thin grey line.
    """
    points = pl.DataFrame([row for row in rows if row["metric"] == "map" and row["segment"] == "all"])
    named = [*highlighted, *references]
    colours = [*theme.lines[: len(highlighted)], *([theme.muted] * len(references))]
    colour = alt.Color("model:N", scale=alt.Scale(domain=named, range=colours), legend=None)
    cuts = points["k"].unique().sort().to_list()
    x = alt.X("k:Q", title="k", axis=alt.Axis(values=cuts, grid=False), scale=alt.Scale(domain=(cuts[0], cuts[-1])))
    y = alt.Y("value:Q", title="MAP@k", axis=alt.Axis(tickCount=6, format=".3~f", domain=False, ticks=False))
    base = alt.Chart(points)
    others = base.transform_filter(~alt.FieldOneOfPredicate("model", named)).mark_line(
        color=theme.others, strokeWidth=1.2
    )
    bands = base.transform_filter(alt.FieldOneOfPredicate("model", list(highlighted))).mark_area(opacity=0.13)
    lines = base.transform_filter(alt.FieldOneOfPredicate("model", list(highlighted))).mark_line(
        strokeWidth=2.4, point=alt.OverlayMarkDef(size=28)
    )
    dashed = base.transform_filter(alt.FieldOneOfPredicate("model", list(references))).mark_line(
        strokeWidth=1.8, strokeDash=[5, 4]
    )
    names = (
        alt.Chart(_label_places(points, named))
        .mark_text(align="left", dx=9, fontSize=12, fontWeight=600)
        .encode(x="k:Q", y="value:Q", text="model:N", color=colour)
    )
    chart = alt.layer(
        others.encode(x=x, y=y, detail="model:N"),
        bands.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        dashed.encode(x=x, y=y, color=colour),
        lines.encode(x=x, y=y, color=colour),
        names,
    )
    sized = chart.properties(width=WIDTH, height=HEIGHT)
    return svg(sized, theme, {"left": 5, "top": 5, "bottom": 5, "right": LABEL_WIDTH})


def svg(chart: Any, theme: Theme, padding: dict[str, int]) -> str:
    """An altair chart in a theme's colours as SVG; padding : pixels beside it, by side."""
    styled = (
        chart.properties(background="transparent", padding=padding)
        .configure(font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_legend(labelColor=theme.ink, labelFontSize=12)
        .configure_axis(
            labelColor=theme.muted,
            titleColor=theme.ink,
            gridColor=theme.grid,
            domainColor=theme.grid,
            tickColor=theme.grid,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
    )
    return str(vl_convert.vegalite_to_svg(styled.to_dict()))


def _label_places(points: pl.DataFrame, named: Sequence[str]) -> pl.DataFrame:
    """Where the lines end, moved apart upwards from below so that names do not overlap."""
    ends = points.filter((pl.col("k") == pl.col("k").max()) & pl.col("model").is_in(list(named))).sort("value")
    gap = float(points["high"].max() or 1.0) * LABEL_HEIGHT / HEIGHT  # type: ignore[arg-type]
    places = list(itertools.accumulate(ends["value"].to_list(), lambda below, value: max(value, below + gap)))
    return ends.select("model", "k").with_columns(value=pl.Series(places, dtype=pl.Float64))

"""report.html of a run: one self-contained page, light and dark, no script, nothing fetched."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from metier.evaluate.charts import DARK, LIGHT, map_curve
from metier.evaluate.metrics import LIST_METRICS, METRICS
from metier.evaluate.summary import Row

HIGHLIGHTED = 5
"""Models drawn in colour in the MAP@k curve."""

ROOM = 2.0
"""A reference further than this above the best model is named but not drawn: it would flatten all others."""

ALPHA = 0.05


def render(document: dict[str, Any], timings: dict[str, Any], experiment: str) -> str:
    """The page, from the content of metrics.json and timings.json and the text of experiment.toml."""
    rows, meta = document["rows"], document["meta"]
    index = {(row["model"], row["segment"], row["metric"], row["k"]): row for row in rows}
    table = _table(index, document, timings)
    competitors = [line for line in table if not line["reference"]]
    highlighted = [line["label"] for line in competitors[:HIGHLIGHTED]]
    top = max((line["map"]["high"] for line in competitors), default=1.0) or 1.0
    drawn = [line for line in table if not line["reference"] or line["map"]["high"] <= ROOM * top]
    references = [line["label"] for line in drawn if line["reference"]]
    beyond = [line["label"] for line in table if line not in drawn]
    rows_drawn = [row for row in rows if row["model"] not in beyond]
    curves = [map_curve(rows_drawn, highlighted, references, theme) for theme in (LIGHT, DARK)]
    template = page_template("metier.evaluate", "report.html.j2", {"figure": _figure, "places": p_value})
    return template.render(
        meta=meta,
        timings=timings,
        experiment=experiment,
        table=table,
        scale=max((line["map"]["high"] for line in drawn), default=top) or top,
        highlighted=highlighted,
        references=references,
        beyond=beyond,
        light=curves[0],
        dark=curves[1],
        segments=_segments(rows),
        index=index,
        differences=sorted(document["differences"], key=lambda one: -one["difference"]),
        tuned=sorted(document["tuned"], key=lambda one: -one["difference"]),
        changed=lambda label, default: _changed(meta["models"], label, default),
        judged=sum(fold["judged"] for fold in meta["folds"]),
        candidates=sum(fold["candidates"] for fold in meta["folds"]),
        alpha=ALPHA,
    )


def page_template(package: str, name: str, filters: Mapping[str, Callable[..., str]]) -> Template:
    """A Jinja template that lies in a package: everything is escaped, and a name that is missing is an error."""
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)


def _table(
    index: dict[tuple[str, str, str, int], Row], document: dict[str, Any], timings: dict[str, Any]
) -> list[dict[str, Any]]:
    """One line a model, best first: its rows by metric, warm and cold MAP, seconds and what to say beside the name."""
    meta, k = document["meta"], document["meta"]["k"]
    tied = {one["model"] for one in document["differences"] if one["p_holm"] >= ALPHA}
    lines = []
    for label, about in meta["models"].items():
        if label in meta["failed"]:
            continue
        lines.append(
            {
                "label": label,
                "note": about["note"],
                "reference": about["model"] is None,
                "best": label == meta["best"],
                "tied": label in tied,
                **{metric: index[label, "all", metric, k] for metric in (*METRICS, *LIST_METRICS)},
                "warm": index.get((label, "warm", "map", k)),
                "cold": index.get((label, "cold", "map", k)),
                "seconds": timings["models"][label],
            }
        )
    return sorted(lines, key=lambda line: -line["map"]["value"])


def _changed(models: dict[str, Any], label: str, default: str) -> str:
    """The settings in which two rows of one model differ, as `key = value` of the first."""
    there, usual = models[label]["settings"], models[default]["settings"]
    return ", ".join(f"{key} = {value}" for key, value in there.items() if value != usual[key])


def _segments(rows: Sequence[Row]) -> dict[str, int]:
    """Segment -> people, in order."""
    return {row["segment"]: row["users"] for row in rows}


def _figure(value: float | None) -> str:
    """Four decimals, a dash for what has no value."""
    return "–" if value is None else f"{value:.4f}"


def p_value(value: float) -> str:
    """A p-value that never prints as 0."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"

"""study.html and study.json: the answer of a study, its figures, and how to repeat it."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from metier.enrich.study.cells import Cell, CellLog
from metier.enrich.study.charts import DRAWN, effect_plot
from metier.enrich.study.study import (
    MODEL_CONTRASTS,
    Measured,
    Row,
    contrasts,
    field_pairs,
    means,
    text_pairs,
)
from metier.enrich.study.texts import CONDITIONS, TextAudit
from metier.enrich.study.words import answers, chosen_model, limits
from metier.evaluate.charts import DARK, LIGHT
from metier.evaluate.report import p_value, page_template
from metier.evaluate.summary import SEGMENTS, Segment

PUBLIC = (
    ("FM", 0.0505, ("fm", "raw")),
    ("AFM", 0.0493, ("afm", "raw")),
    ("FM without résumé", 0.0509, ("fm", "none")),
    ("user-based CF", 0.0049, ("user-knn", "none")),
    ("SVD", 0.0001, ("svd-naive", "none")),
    ("SVD++", 0.0001, ("svdpp-naive", "none")),
    ("random", 0.0001, ("random", "none")),
)
"""The public experiment's own table of MAP@25, and the rows of ours that are the same model."""
PACKAGES = ("metier", "numpy", "scipy", "numba", "polars", "lightgbm", "wordllama", "torch")


def document(
    cells: Sequence[Cell],
    log: CellLog,
    *,
    audits: Mapping[str, Sequence[TextAudit]],
    grids: Mapping[str, Any],
    segments: Sequence[Segment] = SEGMENTS,
    left_out: Mapping[str, str],
    command: str,
) -> dict[str, Any]:
    """Everything that the page shows and study.json holds, from the cells that are finished.

    Parameters
    ----------
    cells : of the plan; those that are not finished are counted. audits : dataset -> audited texts.
    grids : name -> models and texts, the tables of the page. left_out : label -> why it does not run here.
    """
    datasets = {}
    for name in dict.fromkeys(cell.dataset for cell in cells):
        mine = [cell for cell in cells if cell.dataset == name]
        if any(log.done(cell) for cell in mine):
            datasets[name] = _dataset(name, mine, log, grids, segments) | {
                "audits": [{**asdict(one), "rate": one.rate} for one in audits.get(name, ())]
            }
    completions = {one.condition for some in audits.values() for one in some if one.source != "rules"}
    known = [(cell, log.finished[cell.key()]) for cell in cells if cell.key() in log.finished]
    return {
        "command": command,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "k": cells[0].k,
        "trials": cells[0].trials,
        "cells": {"all": len(cells), "finished": sum(log.done(cell) for cell in cells)},
        "seconds": round(sum(one.seconds for _, one in known), 1),
        "failed": [
            {
                "dataset": cell.dataset,
                "model": cell.label,
                "condition": cell.condition,
                "seed": cell.seed,
                "why": one.error,
            }
            for cell, one in known
            if one.error
        ],
        "left_out": dict(left_out),
        "limits": limits(((cell.model, cell.condition) for cell in cells if log.done(cell)), completions),
        "grids": {name: dict(grid) for name, grid in grids.items()},
        "datasets": datasets,
        "public": [{"model": model, "map": value, "ours": _ours(datasets, row)} for model, value, row in PUBLIC],
        "versions": {"python": platform.python_version()} | _versions(),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
    }


def save(content: Mapping[str, Any], folder: Path) -> Path:
    """Write study.json and study.html into `folder`, which is made; the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "study.json").write_text(text + "\n", encoding="utf-8")
    page = folder / "study.html"
    page.write_text(render(content), encoding="utf-8")
    return page


def render(content: Mapping[str, Any]) -> str:
    """One self-contained page, light and dark, no script, nothing fetched."""
    filters = {"figure": _figure, "signed": _signed, "p": p_value}
    plots = {name: _plots(found) for name, found in content["datasets"].items()}
    return page_template("metier.enrich.study", "study.html.j2", filters).render(
        study=content,
        plots=plots,
        index={
            name: {(one["model"], one["condition"], one["segment"]): one for one in found["means"]}
            for name, found in content["datasets"].items()
        },
        conditions=CONDITIONS,
        segments=SEGMENTS,
    )


def _dataset(
    name: str, cells: Sequence[Cell], log: CellLog, grids: Mapping[str, Any], segments: Sequence[Segment]
) -> dict[str, Any]:
    done = [cell for cell in cells if log.done(cell)]
    measured = Measured.of(((cell.label, cell.condition), cell.seed, log.values(cell)) for cell in done)
    pairs = [*text_pairs(measured.values), *field_pairs(measured.values)]
    levels, tested = means(measured, segments), contrasts(measured, pairs, segments)
    main = list(grids["main"]["models"]) if "main" in grids else []
    seconds: dict[Row, list[float]] = {}
    for cell in done:
        seconds.setdefault((cell.label, cell.condition), []).append(log.finished[cell.key()].seconds)
    return {
        "protocol": cells[0].protocol,
        "people": len(measured.history),
        "answers": answers(name, levels, tested, main, cells[0].k),
        "model": chosen_model(levels, main),
        "means": levels,
        "contrasts": tested,
        "seconds": [
            {"model": label, "condition": condition, "seconds": round(sum(some) / len(some), 2)}
            for (label, condition), some in seconds.items()
        ],
    }


def _plots(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Effect plots in both schemes: texts with the model of the answer, and what LGIR's parts add."""
    plots = []
    lgir = [name for name, *_ in MODEL_CONTRASTS]
    for title, names, model in ((f"Texts, {found['model']}", DRAWN, found["model"]), ("LGIR", lgir, "lgir")):
        mine = [one for one in found["contrasts"] if one["model"] == model]
        light, dark = (effect_plot(mine, names, theme) for theme in (LIGHT, DARK))
        if light:
            plots.append({"title": title, "light": light, "dark": dark})
    return plots


def _ours(datasets: Mapping[str, Any], row: Row) -> dict[str, float]:
    """Dataset -> MAP of everybody in a row, where the study has it."""
    return {
        name: one["map"]
        for name, found in datasets.items()
        for one in found["means"]
        if (one["model"], one["condition"], one["segment"]) == (*row, "all")
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _figure(value: float | None) -> str:
    """Four decimals, a dash for what has no value."""
    return "–" if value is None else f"{value:.4f}"


def _signed(value: float) -> str:
    return f"{value:+.4f}"

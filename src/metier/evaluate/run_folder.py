"""A run on disk: figures, each person's values, TREC files and the report, written whole or not at all.

metrics.json      rows, differences against the best model and of tuned rows against defaults, and what was run; the
                  same seed gives the same bytes
timings.json      seconds to fit and rank, and when: what differs between two equal runs
per_user.parquet  model, fold, person, history, relevant and one column a metric at k
runs/*.trec       person Q0 job place score label; qrels.txt: person 0 job 1 (trec_eval reads both)
experiment.toml   repeats the run; report.html shows it
"""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from metier.data.workspace import swap
from metier.errors import UsageError
from metier.evaluate.evaluation import Evaluation, Ranked
from metier.evaluate.experiment import Experiment
from metier.evaluate.metrics import METRICS
from metier.evaluate.summary import against_best, against_defaults, best, rows

PACKAGES = ("metier", "numpy", "scipy", "numba", "polars")


def save(
    folder: Path, evaluation: Evaluation, experiment: Experiment, *, completed: Mapping[str, Any] | None = None
) -> Path:
    """Write the run in place of an older one of the same name; returns the report's path.

    Parameters
    ----------
    completed : what `dataset.json` says about the completed texts of the people, where they have such.
    """
    from metier.evaluate.report import render  # brings the drawing library, which readers of a run can do without

    document, timings, toml = _document(evaluation, experiment, completed), _timings(evaluation), experiment.toml()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # After the swap there is nothing left to clean up; after an error nothing half-written stays behind.
    with TemporaryDirectory(prefix=".", dir=folder.parent, ignore_cleanup_errors=True) as temporary:
        partial = Path(temporary) / folder.name
        (partial / "runs").mkdir(parents=True)
        for name, content in (("metrics.json", document), ("timings.json", timings)):
            text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
            (partial / name).write_text(text + "\n", encoding="utf-8")
        (partial / "experiment.toml").write_text(toml, encoding="utf-8")
        (partial / "report.html").write_text(render(document, timings, toml), encoding="utf-8")
        per_user(evaluation).write_parquet(partial / "per_user.parquet")
        _write_trec(_qrels(evaluation), partial / "qrels.txt")
        for label, ranked in evaluation.ranked.items():
            _write_trec(_trec_run(evaluation, label, ranked), partial / "runs" / f"{label}.trec")
        swap(partial, folder)
    return folder / "report.html"


def load(folder: Path) -> dict[str, Any]:
    """metrics.json of a run; UsageError lists the runs there are."""
    path = folder / "metrics.json"
    if not path.is_file():
        there = sorted(run.parent.name for run in folder.parent.glob("[!.]*/metrics.json"))
        raise UsageError(
            f"no run {folder.name!r} in {folder.parent} (there: {', '.join(there) or 'none yet'}); "
            f"cure: metier evaluate ... --as {folder.name}"
        )
    return dict(json.loads(path.read_text(encoding="utf-8")))


def per_user(evaluation: Evaluation) -> pl.DataFrame:
    """One row a model and judged person: model, fold, person, history, relevant, then the metrics at k."""
    return pl.concat(
        evaluation.people.select(pl.lit(label).alias("model"), pl.all()).hstack(
            pl.DataFrame(values[:, : len(METRICS)], schema=list(METRICS))
        )
        for label, values in evaluation.values.items()
    )


def _document(evaluation: Evaluation, experiment: Experiment, completed: Mapping[str, Any] | None) -> dict[str, Any]:
    """The content of metrics.json."""
    meta = {
        **experiment.model_dump(mode="json", exclude={"models"}),
        "completed": None if completed is None else dict(completed),
        "command": experiment.command,
        "best": best(evaluation),
        "models": {label: asdict(about) for label, about in evaluation.about.items()},
        "trials": {label: entry.trials for label, entry in experiment.models.items() if entry.trials},
        "failed": evaluation.failed,
        "folds": evaluation.sizes.to_dicts(),
        "left_out": evaluation.left_out,
        "jobs": len(evaluation.jobs),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
    }
    tuned = {label: entry.model for label, entry in experiment.models.items() if entry.model and entry.trials}
    return {
        "rows": rows(evaluation, experiment.segments),
        "differences": against_best(evaluation),
        "tuned": against_defaults(evaluation, tuned),
        "meta": meta,
    }


def _timings(evaluation: Evaluation) -> dict[str, Any]:
    """The content of timings.json."""
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": {
            label: {"fit": round(ranked.fit_seconds, 3), "rank": round(ranked.rank_seconds, 3)}
            for label, ranked in evaluation.ranked.items()
        },
    }


def _qrels(evaluation: Evaluation) -> pl.DataFrame:
    """person, 0, job, 1 of every relevant job."""
    return evaluation.truth.select(
        _token("person"), pl.lit(0).alias("iteration"), _token("job"), pl.lit(1).alias("relevance")
    )


def _trec_run(evaluation: Evaluation, label: str, ranked: Ranked) -> pl.DataFrame:
    """person, Q0, job, place, score, label.

    trec_eval orders by score and breaks ties by name, so the score column counts places down: it must read the very
    order that was judged.
    """
    unit, place = np.nonzero(ranked.items >= 0)
    return pl.DataFrame(
        {
            "person": evaluation.people["person"].gather(unit),
            "job": evaluation.jobs.gather(ranked.items[unit, place]),
            "place": place + 1,
            "score": ranked.items.shape[1] - place,
        }
    ).select(_token("person"), pl.lit("Q0").alias("Q0"), _token("job"), "place", "score", pl.lit(label).alias("label"))


def _write_trec(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path, separator=" ", include_header=False, quote_style="never")


def _token(column: str) -> pl.Expr:
    """An id as one word: TREC files split at white space."""
    return pl.col(column).str.replace_all(r"\s", "_")

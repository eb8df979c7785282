"""The grid of an experiment, fold x model x seed, on an engine: each cell is finished once, wherever it runs.

A cell's result depends on the dataset, the fold, the label, its settings and the seed, so neither the engine nor a
worker that was killed can change a figure. The cells of a fold follow each other, and a worker keeps the fold that it
made ready last: one process makes each fold ready once and holds one at a time. The driver itself reads no more of the
dataset than the ids of the jobs and the windows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from metier.data.splits import Protocol
from metier.data.workspace import Workspace
from metier.engine import RunningEngine, Work, kept, work
from metier.engine import parts as storage
from metier.evaluate.evaluation import (
    Asked,
    Evaluation,
    Factory,
    Progress,
    Ranked,
    Stage,
    attempt,
    describe,
    gather,
    prepare,
)
from metier.evaluate.experiment import Experiment
from metier.evaluate.trials import fingerprint
from metier.models.registry import create

CELL = {"fold": pl.Int32, "label": pl.String, "model": pl.String, "given": pl.String, "seed": pl.Int64}
"""`model` with the settings `given` as JSON, or a reference with the folder `given`. No label: what the fold asks."""


class Reference(NamedTuple):
    """Something shown beside the models, such as a synthetic market's oracle: no competitor, so not in the registry.

    Parameters
    ----------
    source : "metier.module:class" with a class method `load(folder)`.
    """

    source: str
    folder: Path


@dataclass(frozen=True)
class Grid:
    """An experiment under several seeds; its own seed does not count.

    Parameters
    ----------
    workspace : holds the dataset; workers find it under the same path.
    references : by label.
    """

    workspace: Workspace
    experiment: Experiment
    seeds: Sequence[int]
    references: Mapping[str, Reference]

    def run(self, engine: RunningEngine, folder: Path, *, progress: Progress | None = None) -> list[Evaluation]:
        """One evaluation a seed. Finished cells stay in `folder`, so a run that was killed goes on with the others.

        Raises
        ------
        UsageError, MetierError : as `metier.evaluate.evaluation.evaluate` and the engine.
        """
        rows = self._rows()
        about = {
            label: describe(factory_of(model, given), *(self._entry(label) or (None, {})))
            for label, (model, given) in rows.items()
        }
        folds = self._folds()
        cells: list[dict[str, Any]] = []
        for fold in range(len(folds)):
            cells.append({"fold": fold, "label": None, "model": None, "given": None, "seed": None})
            cells += [
                {"fold": fold, "label": label, "model": model, "given": given, "seed": seed}
                for label, (model, given) in rows.items()
                for seed in self.seeds
            ]
        parts = storage.save_table(pl.DataFrame(cells, CELL), str(folder / "in"), rows=1)

        def show(done: int, total: int, part: str) -> None:
            cell = cells[parts.index(part)]
            if progress:
                progress(done, total, f"{folds[cell['fold']]}: {cell['label'] or 'making ready'}")

        finished = engine.map_batches(
            self._work(len(rows), len(folds), engine.workers), parts, str(folder / "out"), progress=show
        )
        asked = []
        found: dict[int, dict[str, list[Ranked | str]]] = {seed: {label: [] for label in rows} for seed in self.seeds}
        for cell, url in zip(cells, finished, strict=True):
            result = storage.load(url)
            if cell["label"] is None:
                asked.append(_asked(result))
            else:
                found[cell["seed"]][cell["label"]].append(_ranked(result))
        protocol, k, jobs = self.experiment.protocol, self.experiment.k, self._read("jobs", "id")
        return [gather(protocol, k, seed, jobs, about, asked, found[seed]) for seed in self.seeds]

    def _work(self, rows: int, folds: int, workers: int) -> Work:
        """Workers share out the folds, and those of one fold its cells."""
        asked = self.experiment
        settings = {
            "home": str(self.workspace.home.absolute()),
            "dataset": asked.dataset,
            "fingerprint": fingerprint(self.workspace.dataset(asked.dataset)),
            "protocol": asked.protocol,
            "inner": asked.inner,
            "k": asked.k,
        }
        together = ceil((1 + rows * len(self.seeds)) / ceil(workers / folds)) if folds > 1 else 1
        return Work("metier.evaluate.grid:judge", settings, together)

    def _entry(self, label: str) -> tuple[str, dict[str, Any]] | None:
        """The name and settings of a model, None for a reference."""
        if label not in self.experiment.models:
            return None
        entry = self.experiment.models[label]
        return entry.model or label, entry.settings

    def _rows(self) -> dict[str, tuple[str, str]]:
        """Label -> `model` and `given` of its cells."""
        models = {label: self._entry(label) or ("", {}) for label in self.experiment.models}
        rows = {label: (model, json.dumps(settings)) for label, (model, settings) in models.items()}
        return rows | {label: (one.source, str(one.folder.absolute())) for label, one in self.references.items()}

    def _folds(self) -> list[str]:
        """A word for each fold."""
        windows = self._read("windows", "window").sort()
        each = self.experiment.protocol == "temporal" and len(windows)
        return [f"window {window}" for window in windows] if each else [self.experiment.protocol]

    def _read(self, table: str, column: str) -> pl.Series:
        path = self.workspace.dataset(self.experiment.dataset) / f"{table}.parquet"
        return pl.read_parquet(path, columns=[column])[column]


def factory_of(model: str, given: str) -> Factory:
    """What makes a fresh model, or reference, of a cell."""
    module, _, name = model.partition(":")
    if name:
        return partial(getattr(import_module(module), name).load, Path(given))
    return partial(create, model, json.loads(given))


@work
def judge(
    batch: pl.DataFrame, *, home: str, dataset: str, fingerprint: str, protocol: Protocol, inner: bool, k: int
) -> pl.DataFrame:
    """What one row of CELL stands for.

    For a model n rows of items (depth places), fit_seconds, rank_seconds, or one row of `failed`, the reason; without
    a label one row of what the fold asks.
    """
    (cell,) = batch.rows(named=True)
    place = Workspace(Path(home)), dataset, fingerprint, protocol, inner, cell["fold"]
    stage = kept("fold", place, lambda: _stage(*place))
    if cell["label"] is None:
        asked = stage.asked
        frames = {name: [getattr(asked, name).to_struct()] for name in ("people", "truth")}
        others = {"candidates": [asked.candidates.tolist()], "rest": [json.dumps([asked.sizes, asked.left_out])]}
        return pl.DataFrame(frames | others, schema_overrides={"candidates": pl.List(pl.Int32)})
    found = attempt(
        factory_of(cell["model"], cell["given"]), stage, cell["label"], cell["fold"], k=k, seed=cell["seed"]
    )
    if isinstance(found, str):
        return pl.DataFrame({"failed": [found]})
    seconds = {name: pl.lit(getattr(found, name)) for name in ("fit_seconds", "rank_seconds")}
    return pl.DataFrame({"items": found.items}).with_columns(**seconds)


def _stage(workspace: Workspace, dataset: str, fingerprint: str, protocol: Protocol, inner: bool, number: int) -> Stage:
    """One fold made ready; a window's fold depends on no other window."""
    tables = kept("dataset", (workspace, dataset, fingerprint), lambda: workspace.load(dataset))
    return next(
        prepare(tables.replace(windows=tables.windows.sort("window")[number : number + 1]), protocol, inner=inner)
    )


def _asked(row: pl.DataFrame) -> Asked:
    sizes, left_out = json.loads(row["rest"][0])
    people, truth = (row[name][0].struct.unnest() for name in ("people", "truth"))
    return Asked(people, truth, row["candidates"][0].to_numpy(), tuple(sizes), left_out)


def _ranked(rows: pl.DataFrame) -> Ranked | str:
    if "failed" in rows.columns:
        return str(rows["failed"][0])
    fit, rank = (sum(rows[name][:1]) for name in ("fit_seconds", "rank_seconds"))
    return Ranked(rows["items"].to_numpy(), fit, rank)

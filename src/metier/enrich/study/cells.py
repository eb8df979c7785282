"""One cell of a study is one model with one condition on one dataset under one seed. Each is kept once it is done.

<folder>/cells.jsonl        a line a finished cell: what it was, seconds, settings after tuning, or why it failed
<folder>/values/<key>.parquet  each judged person: fold, person, history, relevant, map, ndcg, mrr
<folder>/tuning/<key>/      trials, where each model with each text is tuned

The key is a digest of everything that decides the values, the data and the version of metier among it. So a process may
be killed at any moment and the same command goes on; a cell of another plan in the same folder stays what it is.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from metier import __version__
from metier.data.splits import Protocol
from metier.enrich.study.board import Board
from metier.errors import MetierError, UsageError
from metier.evaluate.evaluation import evaluate
from metier.evaluate.metrics import METRICS
from metier.evaluate.trials import Plan, Trial, TrialLog
from metier.evaluate.tuning import best, proposal

MEASURES = ("map", "ndcg", "mrr")
"""Kept of each person, at the plan's k."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Cell:
    """Everything that decides the values of a cell.

    Parameters
    ----------
    label, model, settings : the row it belongs to, its name in the registry, and what is set over its defaults.
    condition : what the model may read: a text condition or a field condition, see `Board.stages`.
    trials : of its tuning on the inner split; 0 leaves the defaults.
    data : fingerprint of the tables; texts : digest of the files of completions, "" without.
    """

    dataset: str
    protocol: Protocol
    label: str
    model: str
    settings: Mapping[str, Any]
    condition: str
    seed: int
    k: int
    trials: int
    data: str
    texts: str
    version: str = __version__

    def key(self, *, seed: bool = True) -> str:
        """A digest; without `seed` one for all seeds of the cell."""
        content = asdict(self) | ({} if seed else {"seed": None})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Finished:
    """A finished cell; `tuned` are the settings that its trials chose, `error` says why there are no values."""

    key: str
    cell: Mapping[str, Any]
    seconds: float
    tuned: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


class CellLog:
    """The finished cells of a folder, by key; a later line about the same cell counts."""

    def __init__(self, folder: Path) -> None:
        """Start a log or go on with one; a last line without its end is not read."""
        self.folder, self.path = folder, folder / "cells.jsonl"
        (folder / "values").mkdir(parents=True, exist_ok=True)
        self.finished: dict[str, Finished] = {}
        for number, line in enumerate(self._whole_lines().splitlines(), 1):
            try:
                one = Finished(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise MetierError(f"{self.path}, line {number}, is damaged: {error}; cure: delete this line") from None
            self.finished[one.key] = one

    def done(self, cell: Cell) -> bool:
        """Whether the cell has values; one that failed is tried again."""
        one = self.finished.get(cell.key())
        return one is not None and one.error is None

    def add(self, cell: Cell, seconds: float, values: pl.DataFrame | str, tuned: Mapping[str, Any]) -> None:
        """Keep the values, or why there are none; both are on the disk when this returns."""
        key = cell.key()
        if not isinstance(values, str):
            target = self.folder / "values" / f"{key}.parquet"
            partial = target.with_name(f".{key}")
            values.write_parquet(partial)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(target)
        one = Finished(key, asdict(cell), round(seconds, 3), dict(tuned), values if isinstance(values, str) else None)
        with self.path.open("ab") as file:
            file.write(json.dumps(asdict(one), ensure_ascii=False, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.finished[key] = one

    def mend(self) -> None:
        """Cut off a last line that a crash left without its end; only for the process that goes on with the log."""
        end = len(self._whole_lines())
        if self.path.is_file() and end < self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.truncate(end)

    def _whole_lines(self) -> bytes:
        content = self.path.read_bytes() if self.path.is_file() else b""
        return content[: content.rfind(b"\n") + 1]

    def values(self, cell: Cell) -> pl.DataFrame:
        """What was kept of a cell that is done."""
        return pl.read_parquet(self.folder / "values" / f"{cell.key()}.parquet")


def run(
    cells: Iterable[Cell],
    board_of: Callable[[str], Board],
    log: CellLog,
    progress: Progress = lambda done, total, what: None,
) -> None:
    """Judge the cells that the log has no values of, in order. One that fails is kept with its reason.

    UsageError: nobody has a relevant job under the protocol, or a file of completions belongs to other data.
    """
    cells = list(cells)
    log.mend()
    todo = [cell for cell in cells if not log.done(cell)]
    for number, cell in enumerate(todo):
        what = f"{cell.dataset}: {cell.label}, {cell.condition}, seed {cell.seed}; {_time_left(todo[number:], log)}"
        progress(len(cells) - len(todo) + number, len(cells), what)
        board = board_of(cell.dataset)
        started = time.perf_counter()
        tuned: Mapping[str, Any] = {}
        values: pl.DataFrame | str
        try:
            tuned = _tuned(cell, board, log.folder) if cell.trials else {}
            values = judge(cell, board, {**tuned, **cell.settings})
        except UsageError:
            raise
        except MetierError as error:
            values = str(error)
        log.add(cell, time.perf_counter() - started, values, tuned)
    progress(len(cells), len(cells), "finished")


def judge(cell: Cell, board: Board, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Fit and rank on every fold: fold, person, history, relevant and MEASURES of each judged person."""
    stages = board.stages(cell.condition, cell.seed)
    found = evaluate(
        board.tables, cell.protocol, {cell.label: (cell.model, settings)}, k=cell.k, seed=cell.seed, stages=stages
    )
    columns = [list(METRICS).index(name) for name in MEASURES]
    values = pl.DataFrame(found.values[cell.label][:, columns], schema=list(MEASURES))
    return found.people.select("fold", "person", "history", "relevant").hstack(values)


def _tuned(cell: Cell, board: Board, folder: Path) -> dict[str, Any]:
    """The best settings of the cell's trials on the inner split, the same for all seeds; what is kept is not repeated.

    The trials are those of `metier tune`: the defaults, random points, then steps around the best.
    """
    plan = Plan(dataset=cell.dataset, fingerprint=cell.data, protocol=cell.protocol, k=cell.k, trials=cell.trials)
    log = TrialLog(folder / "tuning" / cell.key(seed=False), plan)
    while len(log.trials) < cell.trials:
        settings = proposal(plan, cell.model, log.trials)
        if settings is None:
            break
        log.add(_trial(cell, board, len(log.trials), settings))
    found = best(log.trials)
    if found is None:
        raise MetierError(f"every trial failed: {log.trials[-1].error if log.trials else 'there is nothing to try'}")
    return found.settings


def _trial(cell: Cell, board: Board, number: int, settings: dict[str, Any]) -> Trial:
    started = time.perf_counter()
    try:
        judged = evaluate(
            board.tables,
            cell.protocol,
            {cell.label: (cell.model, {**settings, **cell.settings})},
            k=cell.k,
            inner=True,
            stages=board.stages(cell.condition, 0, inner=True),
        )
    except UsageError:
        raise
    except MetierError as error:
        return Trial(cell.model, number, settings, round(time.perf_counter() - started, 3), error=str(error))
    value = float(np.mean(judged.values[cell.label][:, 0]))
    return Trial(cell.model, number, settings, round(time.perf_counter() - started, 3), value=round(value, 10))


def _time_left(todo: list[Cell], log: CellLog) -> str:
    """A guess from the mean time of the same label on the same dataset, of all cells where there is none yet."""
    took: dict[tuple[str, str], list[float]] = {}
    for one in log.finished.values():
        took.setdefault((one.cell["dataset"], one.cell["label"]), []).append(one.seconds)
    if not took:
        return "first cell"
    every = [seconds for some in took.values() for seconds in some]
    means = [took.get((cell.dataset, cell.label), every) for cell in todo]
    left = sum(sum(some) / len(some) for some in means)
    return f"about {left / 3600:.1f} h left" if left >= 5400 else f"about {left / 60:.0f} min left"

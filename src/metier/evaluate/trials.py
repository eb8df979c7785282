"""The trials of a tuning on disk: one line of JSON each, kept the moment it is finished.

The first line says what the trials answer (dataset, protocol, seed, budget); a restart with another question is
refused. Each line is on the disk before the next trial starts, so a killed process loses only the trial it was in.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from metier import __version__
from metier.data.splits import Protocol
from metier.errors import MetierError, UsageError


class Plan(BaseModel):
    """What decides the result of every trial; the models are free, because no model's trials depend on another's."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dataset: str
    """Name of an imported dataset."""
    fingerprint: str
    """`fingerprint` of its files."""
    protocol: Protocol
    """Judged on its inner split."""
    k: int = 25
    """Cut of MAP."""
    trials: int = 30
    """Most trials of a model; the first has the defaults."""
    seconds: float = 600.0
    """A model starts no trial after this many seconds of fitting and ranking."""
    seed: int = 0
    """Draws the settings, and seeds each fit."""
    version: str = __version__
    """Of metier."""


@dataclass(frozen=True)
class Trial:
    """One finished trial: the searched settings and how they did.

    Parameters
    ----------
    seconds : to fit and to rank, wall clock.
    value, low, high : MAP at the plan's k and its 95 % interval, None when the trial failed.
    error : why it failed.
    """

    model: str
    trial: int
    settings: dict[str, Any]
    seconds: float
    value: float | None = None
    low: float | None = None
    high: float | None = None
    error: str | None = None


class TrialLog:
    """`trials.jsonl` of a tuning folder: `trials` holds what is finished, `add` appends."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Start a log or go on with one. UsageError when it belongs to another plan, MetierError when it is damaged."""
        self.path = folder / "trials.jsonl"
        self.trials: list[Trial] = []
        whole = _whole_lines(self.path)
        if not whole:
            folder.mkdir(parents=True, exist_ok=True)
            self._append(plan.model_dump(mode="json"))
            return
        self._check(self._content(whole[0], 1), plan)
        for number, line in enumerate(whole[1:], 2):
            self.trials.append(self._trial(line, number))

    def of(self, model: str) -> list[Trial]:
        """The trials of one model, first to last."""
        return [trial for trial in self.trials if trial.model == model]

    def add(self, trial: Trial) -> None:
        """Append a line; it is on the disk when this returns."""
        self._append(asdict(trial))
        self.trials.append(trial)

    def _append(self, content: dict[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _check(self, there: dict[str, Any], plan: Plan) -> None:
        asked = plan.model_dump(mode="json")
        other = [f"{key} {there.get(key)!r} there, {asked[key]!r} now" for key in asked if there.get(key) != asked[key]]
        if other:
            raise UsageError(
                f"{self.path} belongs to another tuning ({'; '.join(other)}); "
                "cure: another name (--as), the options of then, or delete its folder to start anew"
            )

    def _trial(self, line: bytes, number: int) -> Trial:
        content = self._content(line, number)
        names = {field.name for field in fields(Trial)}
        if set(content) != names:
            raise self._damaged(number, f"has {', '.join(content)} instead of {', '.join(sorted(names))}")
        trial = Trial(**content)
        if trial.trial != len(self.of(trial.model)):
            there = len(self.of(trial.model))
            raise self._damaged(number, f"is trial {trial.trial} of {trial.model} after {there}; two tunings at once?")
        return trial

    def _content(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            return dict(json.loads(line))
        except ValueError as error:
            raise self._damaged(number, f"is not a line of JSON: {error}") from None

    def _damaged(self, number: int, what: str) -> MetierError:
        return MetierError(f"{self.path}, line {number}, {what}; cure: delete this line and those after it")


def fingerprint(folder: Path) -> str:
    """SHA-256 over the tables of a dataset: other data, other trials."""
    whole = sha256()
    for path in sorted(folder.glob("*.parquet")):
        with path.open("rb") as file:
            whole.update(f"{path.name} {file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _whole_lines(path: Path) -> list[bytes]:
    """The lines of a log; a last one that a crash left without its end is cut off the file."""
    content = path.read_bytes() if path.is_file() else b""
    end = content.rfind(b"\n") + 1
    if end < len(content):
        with path.open("r+b") as file:
            file.truncate(end)
    return content[:end].splitlines()

"""The port of batch work: a named function of metier over Parquet partitions.

What travels to a worker is a name, JSON and URLs; the data lie where every worker can read them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, TypeVar

import polars as pl

from metier import __version__
from metier.engine import parts
from metier.errors import UsageError

Batch = Callable[..., pl.DataFrame]
"""(frame, **settings) -> frame"""
Progress = Callable[[int, int, str], None]
"""Called with partitions done, partitions in all and what comes next."""
F = TypeVar("F", bound=Batch)


def work(function: F) -> F:
    """Mark a function as batch work: engines run it by name, and no other.

    It takes a partition (n, ...) and settings by keyword, and gives a frame. It must not depend on where it runs or on
    what ran before it: engines may run it again, elsewhere, on the same partition.
    """
    function.is_work = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class Work:
    """Batch work by name.

    Parameters
    ----------
    name : "metier.module:function", marked with `work`.
    settings : its keyword arguments; plain JSON.
    together : so many consecutive partitions go to one worker, one after the other, because they share something that
        is costly to open (`metier.engine.kept`). Changes no result.

    Raises
    ------
    UsageError : a name outside metier or of something that is not marked as work, or settings that are not JSON.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    together: int = 1

    def __post_init__(self) -> None:
        try:
            same = json.loads(json.dumps(self.settings, allow_nan=False)) == self.settings
        except (TypeError, ValueError):
            same = False
        if not same:
            raise UsageError(f"settings of {self.name} must be plain JSON (lists, not tuples), got {self.settings!r}")
        if self.together < 1:
            raise UsageError(f"{self.name}: together is {self.together}, it must be 1 or more")
        self.function()

    def function(self) -> Batch:
        """What the name stands for."""
        module, _, attribute = self.name.partition(":")
        if not module.startswith("metier."):
            raise UsageError(f"work {self.name!r} is not of metier; cure: give a name like 'metier.module:function'")
        try:
            found = getattr(import_module(module), attribute)
        except (ModuleNotFoundError, AttributeError, ValueError):
            raise UsageError(
                f"there is no work {self.name!r}; cure: give a name like 'metier.module:function'"
            ) from None
        if not getattr(found, "is_work", False):
            raise UsageError(f"{self.name!r} is not batch work; cure: mark it with `metier.engine.work`")
        return found  # type: ignore[no-any-return]

    def fingerprint(self, content: bytes) -> str:
        """64 hex digits of what decides the result on a partition with this content: work, settings, metier version."""
        known = json.dumps([self.name, dict(self.settings), __version__], sort_keys=True)
        return hashlib.sha256(known.encode() + b"\0" + content).hexdigest()


class Engine(Protocol):
    """Runs work over partitions."""

    def map_batches(self, work: Work, parts: Sequence[str], out: str, *, progress: Progress | None = None) -> list[str]:
        """Apply `work` to each Parquet partition; what is there already is not done again.

        Parameters
        ----------
        parts : URLs or paths of the partitions, such as "/data/part-00000.parquet" or "s3://bucket/part-00000.parquet".
        out : URL or path of the folder of the results, which is the engine's: partitions of an earlier call that do not
            belong to this one are removed.

        Returns
        -------
        URLs of the results, one a partition, in the order of `parts`. Each appears whole or not at all and carries the
        fingerprint of (work, settings, partition, metier version): an interrupted call, repeated, goes on.

        Raises
        ------
        MetierError : the work failed on a partition, or three workers died over it; the message names it. Results
            that are finished stay.
        """
        ...


def map_table(
    engine: Engine, work: Work, table: pl.DataFrame, folder: str, *, rows: int, progress: Progress | None = None
) -> pl.DataFrame:
    """Apply `work` to a table in partitions of so many rows, under `folder`/in and `folder`/out.

    Returns
    -------
    The results one below the other, in the order of the table. A table without rows is one empty partition.
    """
    urls = parts.save_table(table, parts.join(folder, "in"), rows)
    results = engine.map_batches(work, urls, parts.join(folder, "out"), progress=progress)
    return pl.concat([parts.load(url) for url in results])

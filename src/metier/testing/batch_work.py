"""Batch work to try an engine with: metier's own, since engines run no other."""

import os
import signal
from pathlib import Path

import polars as pl

from metier.engine.base import work
from metier.errors import DataRejectedError


@work
def doubled(batch: pl.DataFrame, *, seen: str | None = None) -> pl.DataFrame:
    """The column `x` times 2; a line a call in the file `seen`: first x, process, its number of Numba threads."""
    if seen is not None:
        with Path(seen).open("a", encoding="utf-8") as file:
            file.write(f"{batch['x'][0]} {os.getpid()} {os.environ.get('NUMBA_NUM_THREADS', '')}\n")
    return batch.select(pl.col("x") * 2)


@work
def refusing(batch: pl.DataFrame, *, bad: int, on_purpose: bool = False) -> pl.DataFrame:
    """As it is, but an error on the partition that begins with `bad`."""
    if batch["x"][0] == bad:
        raise DataRejectedError(f"{bad} is bad; cure: another number") if on_purpose else ZeroDivisionError("oh")
    return batch


@work
def dying(batch: pl.DataFrame, *, at: int, times: int, tally: str) -> pl.DataFrame:
    """As it is, but on the partition that begins with `at` the process kills itself the first so many times.

    `tally` is a file, which grows by a byte a death.
    """
    path = Path(tally)
    deaths = path.stat().st_size if path.exists() else 0
    if batch["x"][0] == at and deaths < times:
        path.write_bytes(b"." * (deaths + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return batch

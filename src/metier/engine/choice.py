"""Which engine: the word of `--engine`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from metier.engine.base import Engine
from metier.engine.local import LocalEngine
from metier.errors import UsageError


class RunningEngine(Engine, Protocol):
    """An engine and how many workers it has."""

    @property
    def workers(self) -> int:
        """Processes that work at a time."""
        ...


@contextmanager
def open_engine(engine: str = "local", *, workers: int | None = None) -> Iterator[RunningEngine]:
    """An engine to use as a context manager, which ends what it started.

    Parameters
    ----------
    engine : "local", "dask" (a cluster of processes on 127.0.0.1), or the address of a dask scheduler,
        "tcp://host:port" or "tls://host:port".
    workers : processes of "local" and "dask", 1 when None; one of "local" is this process itself.

    Raises
    ------
    UsageError : an unknown word, or a number of workers for a cluster that has its own.
    MissingExtraError : dask is not installed. MetierError : no scheduler answers.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers; there must be 1 or more")
    if engine == "local":
        with LocalEngine(workers or 1) as local:
            yield local
    elif engine == "dask":
        from metier.engine.dask import own_cluster

        with own_cluster(workers or 1) as cluster:
            yield cluster
    elif engine.startswith(("tcp://", "tls://")):
        from metier.engine.dask import joined

        if workers is not None:
            raise UsageError(f"the cluster at {engine} has its own workers; cure: leave --workers out")
        with joined(engine) as remote:
            yield remote
    else:
        raise UsageError(f"no engine {engine!r}; there are local, dask, tcp://host:port and tls://host:port")

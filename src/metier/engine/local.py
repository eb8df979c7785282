"""Processes of this machine. One worker is this process itself."""

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from metier.engine.base import Progress, Work
from metier.engine.kept import forget
from metier.engine.order import DEATHS, Failure, Order, carry_out, do, given_up, orders, raised, results

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OUR_THREADS = ("NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
"""What libraries read, when they are imported, to know how many threads they may start."""


def thread_limits(names: Sequence[str], workers: int) -> dict[str, str]:
    """Environment of one of so many workers that share this machine's cores."""
    return dict.fromkeys(names, str(max(1, (os.cpu_count() or 1) // workers)))


class LocalEngine:
    """Runs work in processes of this machine; a context manager, which ends them.

    Parameters
    ----------
    workers : processes; 1 does the work in this one. What a worker keeps (`metier.engine.kept`) lasts until the end.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        forget()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map_batches(self, work: Work, parts: Sequence[str], out: str, *, progress: Progress | None = None) -> list[str]:
        """As `metier.engine.Engine` says."""
        planned = orders(work, parts, out)
        if self.workers > 1:
            self._spread(planned, len(parts), progress)
        else:
            pairs = [pair for order in planned for pair in order["pairs"]]
            for done, (partition, result) in enumerate(pairs):
                if progress:
                    progress(done, len(pairs), partition)
                do(work, partition, result)
        return results(planned, out)

    def _spread(self, planned: Sequence[Order], total: int, progress: Progress | None) -> None:
        """Hand out as many orders as there are workers; those that are under way when a worker dies are repeated."""
        waiting, running, deaths, done = deque(planned), dict[Future[Failure | None], Order](), Counter[str](), 0
        while waiting or running:
            if progress:
                progress(done, total, (next(iter(running.values())) if running else waiting[0])["pairs"][0][0])
            try:
                while waiting and len(running) < self.workers:
                    running[self._submit(waiting[0])] = waiting[0]
                    waiting.popleft()
                wait(running, return_when=FIRST_COMPLETED)
                for future in [future for future in running if future.done()]:
                    failure = future.result()
                    if failure:
                        raise raised(failure["kind"], failure["message"])
                    done += len(running.pop(future)["pairs"])
            except BrokenProcessPool:
                self._pool = None  # one process died and took the pool along; results that were finished are on disk
                for order in running.values():
                    deaths[order["pairs"][0][0]] += 1
                    if deaths[order["pairs"][0][0]] == DEATHS:
                        raise given_up(order) from None
                waiting.extendleft(reversed(running.values()))
                running.clear()

    def _submit(self, order: Order) -> Future[Failure | None]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, multiprocessing.get_context("spawn"), _begin)
        with _environment(
            thread_limits(BLAS_THREADS + OUR_THREADS, self.workers)
        ):  # a process starts here when none is idle
            return self._pool.submit(carry_out, order)


def _begin() -> None:
    """In a new worker: end at once with Ctrl-C, and when the process that it works for is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

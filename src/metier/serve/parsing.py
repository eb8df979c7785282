"""Résumés are parsed in confined children, at most one per core at a time, and only so many may wait."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from metier.serve.metrics import Metrics
from metier.serve.problems import busy


class Parsing:
    """A bounded queue in front of the children."""

    def __init__(self, at_once: int, waiting: int, metrics: Metrics) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(at_once or cores, thread_name_prefix="parse")
        self._room = BoundedSemaphore((at_once or cores) + waiting)
        self._metrics = metrics

    def take(self) -> None:
        """Take a place in the queue; Refused (503) when all are taken. `submit` or `leave` gives it back."""
        if not self._room.acquire(blocking=False):
            raise busy("Too many résumés wait to be read; send it again in a moment.")
        self._metrics.parsing.inc()

    def leave(self) -> None:
        """Give a place back without having used it."""
        self._metrics.parsing.dec()
        self._room.release()

    def submit(self, work: Callable[[], None]) -> None:
        """Do the work in a place that was taken; it must not raise."""

        def done() -> None:
            try:
                work()
            finally:
                self.leave()

        self._pool.submit(done)

    def close(self) -> None:
        """Wait for what is being parsed, and drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

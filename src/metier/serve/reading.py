"""Uploaded résumés are read here, each in a confined child, as many at once as `parses` or the cores allow.

The queue is in the store. A process that is killed while it reads leaves the file in the queue; another takes it when
the lease runs out.
"""

import os
from threading import Event, Thread

import structlog

from metier.errors import DataRejectedError, MetierError
from metier.serve.logs import failure
from metier.serve.metrics import Metrics
from metier.sources.documents.limits import Limits
from metier.sources.documents.reading import read_document
from metier.sources.documents.recognise import candidate_of
from metier.store.store import Store

LEASE = 4.0 * Limits().wall_seconds
"""Seconds until a reader is taken for dead: a scan has one child a page."""


class ResumeReaders:
    """Threads that wait for uploads."""

    def __init__(self, store: Store, at_once: int, every: float, metrics: Metrics) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._store, self._every, self._metrics = store, every, metrics
        self._stop, self._came = Event(), Event()
        self._threads = [
            Thread(target=self._run, name=f"read-{number}", daemon=True) for number in range(at_once or cores)
        ]

    def start(self) -> None:
        """Begin with what a former process left."""
        for thread in self._threads:
            thread.start()

    def came(self) -> None:
        """Say that something was put into the queue."""
        self._came.set()

    def close(self) -> None:
        """Finish what is being read; the rest stays in the queue."""
        self._stop.set()
        self._came.set()
        for thread in self._threads:
            thread.join()

    def alive(self) -> bool:
        """Whether all of them run."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                while not self._stop.is_set() and self._read_one():
                    pass
            except Exception as error:  # a thread that ends here would read nothing ever again
                structlog.get_logger().error("résumé not read", **failure(error))
            self._came.wait(self._every)
            self._came.clear()

    def _read_one(self) -> bool:
        """Read what has waited longest; False when nothing waits."""
        found = self._store.next_resume(LEASE)
        if found is None:
            return False
        tenant, resume, content = found
        with self._metrics.parsing.track_inprogress():
            try:
                document = read_document(content)
            except MetierError as error:
                with self._store.write(tenant) as rows:
                    rows.resumes.refuse(resume.id, str(error))
                return True
        try:
            candidate = candidate_of(document).model_dump(mode="json", exclude_none=True)
        except DataRejectedError:  # text without anything that a rule recognises still says something to a model
            candidate = {}
        with self._store.write(tenant) as rows:
            rows.resumes.done(
                resume.id,
                kind=document.kind,
                how=document.how,
                text=document.text,
                hidden=[passage.model_dump() for passage in document.hidden],
                candidate=candidate,
            )
        return True

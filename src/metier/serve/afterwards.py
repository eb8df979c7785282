"""What a request leaves to be written once it was answered: audit of reads, stored answers, exposures.

One transaction a tenant and a second takes them all, since each commit waits for the disk. While
the audit cannot be written, `MOST` rows of it wait; then requests that would add to it are refused.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from threading import Event, Lock, Thread

import structlog

from metier.errors import MetierError
from metier.serve.logs import failure
from metier.serve.metrics import Metrics
from metier.serve.problems import busy
from metier.store.audit import Entry
from metier.store.store import Rows, Store

MOST = 50_000
"""Rows of audit that may wait: half a minute at full load."""
MOST_AT_ONCE = 5_000
Work = Callable[[Rows], object]


class Afterwards:
    """A queue for each tenant and the thread that empties it."""

    def __init__(self, store: Store, every: float, metrics: Metrics) -> None:
        self._store, self._every, self._metrics = store, every, metrics
        self._audit: dict[str, list[Entry]] = defaultdict(list)
        self._work: dict[str, list[Work]] = defaultdict(list)
        self._waiting = 0
        self._lock, self._flushing, self._stop = Lock(), Lock(), Event()
        self._thread = Thread(target=self._run, name="afterwards", daemon=True)

    def audit(self, tenant: str, entry: Entry) -> None:
        """Add a row to the tenant's audit; Refused (503) while the audit cannot be written."""
        with self._lock:
            if self._waiting >= MOST:
                raise busy("The audit cannot be written.")
            self._audit[tenant].append(entry)
            self._waiting += 1

    def do(self, tenant: str, work: Work) -> None:
        """Do something to the tenant's rows; it may be lost when the process is killed."""
        with self._lock:
            if len(self._work[tenant]) < MOST_AT_ONCE:
                self._work[tenant].append(work)

    def flush(self) -> None:
        """Write all that waits; what could not be written of the audit waits on."""
        with self._flushing:
            for tenant in [*self._audit, *self._work]:
                self._flush(tenant)

    def start(self) -> None:
        """Begin to flush."""
        self._thread.start()

    def close(self) -> None:
        """Flush and end; a database that does not answer is tried again for ten seconds."""
        self._stop.set()
        self._thread.join()
        until = time.monotonic() + 10
        while self._waiting and time.monotonic() < until:
            self._try()
            if self._waiting:
                time.sleep(0.2)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except MetierError as error:
            structlog.get_logger().error("audit not written", count=self._waiting, **failure(error))

    def _flush(self, tenant: str) -> None:
        while True:
            with self._lock:
                entries = self._audit[tenant][:MOST_AT_ONCE]
                work, self._work[tenant] = self._work[tenant], []
            if not entries and not work:
                return
            with self._store.write(tenant) as rows:
                rows.audit.append_many(entries)
                for one in work:
                    one(rows)
            with self._lock:
                del self._audit[tenant][: len(entries)]
                self._waiting -= len(entries)
                self._metrics.audit.set(self._waiting)

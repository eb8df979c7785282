"""What a request leaves to be written once it was answered: audit of reads, stored answers, showings.

One transaction a tenant and a second takes them all, since each commit waits for the disk; showings, each of twenty
jobs and the same jobs again and again, come less often. While the audit cannot be written, `MOST` rows of it wait; then
requests that would add to it are refused. Only a row that could never be written (a text too long, a value that is no
JSON) is left out, logged and counted, so that it does not hold up the rows behind.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread

import structlog
from pydantic_core import from_json

from metier.errors import UnknownIdError, UsageError
from metier.serve.logs import failure
from metier.serve.metrics import Metrics
from metier.serve.problems import busy
from metier.store.audit import Entry
from metier.store.store import Rows, Store

MOST = 50_000
"""Rows of audit that may wait: half a minute at full load."""
MOST_AT_ONCE = 5_000
SHOWN_SECONDS = 5.0
"""How often showings are written, unless somebody asks for all that waits."""
DAY = 86_400.0
Work = Callable[[Rows], object]
Shown = Counter[tuple[int, bytes]]
"""How often each answer was sent on a day, numbered from 1970-01-01 UTC."""


class Afterwards:
    """A queue for each tenant and the thread that empties it."""

    def __init__(self, store: Store, every: float, metrics: Metrics) -> None:
        self._store, self._every, self._metrics = store, every, metrics
        self._audit: dict[str, list[Entry]] = defaultdict(list)
        self._work: dict[str, list[Work]] = defaultdict(list)
        self._shown: dict[str, Shown] = defaultdict(Counter)
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

    def shown(self, tenant: str, answer: bytes) -> None:
        """Count the jobs of an answer, JSON of `Recommendations`, as shown; lost like the work of `do`."""
        one = int(self._store.clock() // DAY), answer
        with self._lock:
            if one in self._shown[tenant] or len(self._shown[tenant]) < MOST_AT_ONCE:
                self._shown[tenant][one] += 1

    def flush(self, tenant: str | None = None, *, showings: bool = True) -> None:
        """Write all that waits, of one tenant or of all; what could not be written of the audit waits on.

        `showings`: these too.

        Raises
        ------
        MetierError : the database does not take it. The other tenants' was written.
        """
        failed: Exception | None = None
        with self._flushing:
            for one in dict.fromkeys([*self._audit, *self._work, *self._shown] if tenant is None else [tenant]):
                try:
                    self._flush(one, showings)
                except Exception as error:  # raised again below, when all tenants had their turn
                    structlog.get_logger().error("audit not written", tenant=one, count=self._waiting, **failure(error))
                    failed = failed or error
        if failed is not None:
            raise failed

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

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
        due = time.monotonic() + SHOWN_SECONDS
        while not self._stop.wait(self._every):
            late = time.monotonic() >= due
            self._try(showings=late)
            if late:
                due = time.monotonic() + SHOWN_SECONDS
        self._try()

    def _try(self, *, showings: bool = True) -> None:
        with suppress(Exception):  # logged by `flush`; a thread that ends here would write nothing ever again
            self.flush(showings=showings)

    def _flush(self, tenant: str, showings: bool) -> None:
        while True:
            with self._lock:
                entries = self._audit[tenant][:MOST_AT_ONCE]
                work, self._work[tenant] = self._work[tenant], []
                shown = self._shown.pop(tenant, Shown()) if showings else Shown()
            if shown:
                work.append(partial(_count, shown))
            if entries or work:
                self._write(tenant, entries, work)
            if len(entries) < MOST_AT_ONCE:  # what came meanwhile waits its turn
                return

    def _write(self, tenant: str, entries: list[Entry], work: list[Work]) -> None:
        """Write the first that wait, in one transaction; in halves where a row among them can never be written."""
        try:
            with self._store.write(tenant) as rows:
                rows.audit.append_many(entries)
                for one in work:
                    one(rows)
        except UnknownIdError:  # no such tenant: not a row that is at fault
            raise
        except (UsageError, ValueError, TypeError) as error:
            if work:
                structlog.get_logger().error("work after an answer lost", tenant=tenant, **failure(error))
                self._write(tenant, entries, [])
            elif len(entries) > 1:
                half = len(entries) // 2
                self._write(tenant, entries[:half], [])
                self._write(tenant, entries[half:], [])
            else:
                structlog.get_logger().error("row of audit dropped", tenant=tenant, **failure(error))
                self._metrics.audit_dropped.inc()
                self._done(tenant, len(entries))
        else:
            self._done(tenant, len(entries))

    def _done(self, tenant: str, count: int) -> None:
        """Take the first rows out of the queue."""
        with self._lock:
            del self._audit[tenant][:count]
            self._waiting -= count
            self._metrics.audit.set(self._waiting)


def _count(shown: Shown, rows: Rows) -> None:
    """Add the showings of each job to its days."""
    days: dict[int, Counter[str]] = defaultdict(Counter)
    for (day, answer), times in shown.items():
        for one in from_json(answer)["items"]:
            days[day][one["job"]] += times
    for day, jobs in days.items():
        rows.exposures.add(jobs, day)

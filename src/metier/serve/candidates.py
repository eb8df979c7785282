"""Who fits a job: the discoverable people of a tenant, each read once and kept until something about them changes.

To read somebody takes milliseconds, to compare them microseconds. A request reads those who are new or changed, for
some seconds at most and who did something last first; who is left is read between the requests.

Who may be found is asked under the tenant's lock before people are read and again after it, and between the requests:
whoever withdrew is then neither named nor kept. The store is asked only after something of the tenant was written.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import NamedTuple

import numpy as np
import structlog

from metier.live import LiveModel, Pool
from metier.serve.askers import askers
from metier.serve.logs import failure
from metier.serve.models import Models
from metier.serve.problems import absent
from metier.store.store import Store

CHUNK = 128
"""People read at once."""


@dataclass(frozen=True)
class Held:
    """People as one bundle sees them.

    Parameters
    ----------
    stamps : of each of the pool, in its order, the number at which they were read.
    there : who may be found, as `People.discoverable` gave them when the tenant's last number was `drawn`.
    """

    version: str
    pool: Pool | None = None
    stamps: Mapping[str, int] = field(default_factory=dict)
    there: Mapping[str, int] = field(default_factory=dict)
    drawn: int = -1

    def only(self, there: Mapping[str, int], drawn: int) -> "Held":
        """Those of the pool who are still there, and as they were."""
        kept = [row for row, (person, stamp) in enumerate(self.stamps.items()) if there.get(person) == stamp]
        pool = self.pool if kept else None
        if pool and len(kept) < len(self.stamps):
            pool = pool.take(np.array(kept, np.int32))
        return Held(self.version, pool, {person: there[person] for person in pool.ids} if pool else {}, there, drawn)

    def left(self) -> list[str]:
        """Who is still to be read."""
        return [person for person in self.there if person not in self.stamps]


class Found(NamedTuple):
    """The best of those who were compared; `discoverable` counts also who is still to be read."""

    model: LiveModel
    people: list[tuple[str, float]]
    compared: int
    discoverable: int


class Candidates:
    """The people of each tenant whose recruiters asked for some.

    Parameters
    ----------
    most : people of a tenant that are kept: those about whom something was written last.
    seconds : for which a request reads people.
    """

    def __init__(self, store: Store, models: Models, most: int, seconds: float) -> None:
        self._store, self._models, self._most, self._seconds = store, models, most, seconds
        self._held: dict[str, Held] = {}
        self._behind: set[str] = set()
        """tenants with people to be read"""
        self._reading: dict[str, Lock] = defaultdict(Lock)

    def best(self, tenant: str, job: str, k: int, moment: Callable[[str], float]) -> Found:
        """The k people whom a job fits best, with scores; Refused (404) for no such job.

        Parameters
        ----------
        moment : when it is for a tenant, in seconds since 1970 UTC.
        """
        until = time.monotonic() + self._seconds
        with self._store.read(tenant) as rows:
            model = self._models.of(rows)
        if model.posting(job) is None:
            raise absent()
        held = self._read(tenant, model, until)
        if held.pool is None:
            return Found(model, [], 0, len(held.there))
        people = model.people(job, held.pool, k, now=moment(tenant))
        return Found(model, people, len(held.pool.ids), len(held.there))

    def follow(self, seconds: float) -> None:
        """Forget of every tenant who may no longer be found or has changed, and read for so long who was left."""
        until = time.monotonic() + seconds
        for tenant in list(self._held):
            try:
                with self._reading[tenant]:
                    self._now(tenant, self._held[tenant])
                if tenant in self._behind:
                    with self._store.read(tenant) as rows:
                        model = self._models.of(rows)
                    self._read(tenant, model, until)
            except Exception as error:  # whatever is wrong with one tenant, of the others somebody may have withdrawn
                structlog.get_logger().error("candidates not followed", tenant=tenant, **failure(error))

    def _read(self, tenant: str, model: LiveModel, until: float) -> Held:
        """Those who may be found after they were read, and were read until then; at least one chunk is read."""
        with self._reading[tenant]:
            held = self._held.get(tenant)
            if held is None or held.version != model.version:
                held = Held(model.version)
            held = self._now(tenant, held)
            if left := held.left():
                pools = [held.pool] if held.pool else []
                while left:
                    some, left = left[:CHUNK], left[CHUNK:]
                    with self._store.read(tenant) as rows:
                        people = askers(rows, model, some)
                    if people:
                        pools.append(model.pool(people))
                    if time.monotonic() >= until:
                        break
                pool = Pool.join(pools) if pools else None
                stamps = {person: held.there[person] for person in pool.ids} if pool else {}
                held = self._now(tenant, replace(held, pool=pool, stamps=stamps))  # somebody may have withdrawn since
            (self._behind.add if len(held.stamps) < len(held.there) else self._behind.discard)(tenant)
            return held

    def _now(self, tenant: str, held: Held) -> Held:
        """Keep those who may be found now, and forget the others; the caller holds the tenant's lock."""
        with self._store.read(tenant) as rows:
            drawn = rows.drawn()
            if drawn != held.drawn:
                held = held.only(rows.people.discoverable(self._most), drawn)
        self._held[tenant] = held
        return held

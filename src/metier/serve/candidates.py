"""Who fits a job: the discoverable people of a tenant, each read once and kept until something about them changes.

To read somebody takes milliseconds, to compare them microseconds. A request reads those who are new or changed, for
some seconds at most and who did something last first; who is left is read between the requests.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np

from metier.live import LiveModel, Pool
from metier.serve.askers import askers
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
    stamps : of each of the pool, in its order, what they were read at, as `People.discoverable` gives it.
    """

    version: str
    pool: Pool | None
    stamps: Mapping[str, int]

    def only(self, there: Mapping[str, int]) -> "Held":
        """Those who are still there, and as they were."""
        kept = [row for row, (person, stamp) in enumerate(self.stamps.items()) if there.get(person) == stamp]
        if self.pool is None or len(kept) == len(self.stamps):
            return self
        pool = self.pool.take(np.array(kept, np.int32)) if kept else None
        return Held(self.version, pool, {person: self.stamps[person] for person in pool.ids} if pool else {})


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
        """tenants with people to be read or forgotten"""
        self._reading: dict[str, Lock] = defaultdict(Lock)

    def best(self, tenant: str, job: str, k: int, moment: Callable[[str], float]) -> Found:
        """The k people whom a job fits best, with scores; Refused (404) for no such job.

        Parameters
        ----------
        moment : when it is for a tenant, in seconds since 1970 UTC.
        """
        until = time.monotonic() + self._seconds
        with self._store.read(tenant) as rows:
            model, there = self._models.of(rows), rows.people.discoverable(self._most)
        if model.posting(job) is None:
            raise absent()
        pool = self._read(tenant, model, there, until)
        if pool is None:
            return Found(model, [], 0, len(there))
        return Found(model, model.people(job, pool, k, now=moment(tenant)), len(pool.ids), len(there))

    def changed(self, tenant: str) -> None:
        """Say that somebody is to be forgotten soon, whether or not a recruiter asks."""
        if tenant in self._held:
            self._behind.add(tenant)

    def follow(self, seconds: float) -> None:
        """Read who is left, for so long."""
        until = time.monotonic() + seconds
        for tenant in list(self._behind):
            with self._store.read(tenant) as rows:
                model, there = self._models.of(rows), rows.people.discoverable(self._most)
            self._read(tenant, model, there, until)

    def _read(self, tenant: str, model: LiveModel, there: Mapping[str, int], until: float) -> Pool | None:
        """The pool of those who are there and were read until then; at least one chunk is read."""
        with self._reading[tenant]:
            held = self._held.get(tenant)
            if held is None or held.version != model.version:
                held = Held(model.version, None, {})
            held = held.only(there)
            left = [person for person in there if person not in held.stamps]
            read: list[Pool] = []
            while left:
                some, left = left[:CHUNK], left[CHUNK:]
                with self._store.read(tenant) as rows:
                    people = askers(rows, model, some)
                if people:
                    read.append(model.pool(people))
                if time.monotonic() >= until:
                    break
            if read:
                pool = Pool.join([held.pool, *read] if held.pool else read)
                held = Held(model.version, pool, {person: there[person] for person in pool.ids})
            self._held[tenant] = held
            (self._behind.add if left else self._behind.discard)(tenant)
            return held.pool

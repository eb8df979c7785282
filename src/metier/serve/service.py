"""What all requests share: the store, the models, the limits, and the threads beside them."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from threading import Event, Thread
from typing import TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi.concurrency import run_in_threadpool

from metier.errors import MetierError
from metier.live import LiveModel
from metier.operate.shown import ShownToRecruiters
from metier.serve.actors import ActorCache
from metier.serve.afterwards import Afterwards
from metier.serve.buckets import Buckets
from metier.serve.candidates import Candidates
from metier.serve.logs import failure
from metier.serve.metrics import Metrics
from metier.serve.models import Models
from metier.serve.policy import Actor
from metier.serve.reading import ResumeReaders
from metier.serve.settings import Settings
from metier.store.database import Database, connect
from metier.store.store import Store

DAY = 86_400.0
CALM_SECONDS = 60.0
"""Promotions may come in a row, and to settle stops all requests for a moment."""
T = TypeVar("T")


class Service:
    """One application's state.

    Parameters
    ----------
    rehearse : asks a model what it will be asked, once it is loaded and while others are answered already.
    settle : called once other models are held.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        models: Models,
        rehearse: Callable[[LiveModel], None],
        settle: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.store = Store(database)
        self.near = Store(Database(connect(settings.where))) if database.engine.dialect.name == "sqlite" else None
        """A connection for the event loop alone: SQLite answers sooner than another thread would begin to ask it."""
        self.models = models
        self._rehearse, self._rehearsed = rehearse, False
        self._settle, self._settled, self._may_settle_at = settle, list[str](), 0.0
        self.metrics = Metrics()
        self.actors = ActorCache(settings.key_cache_seconds)
        self.strangers = Buckets(settings.part(settings.requests_per_minute))
        self.regulars = Buckets(settings.part(settings.key_requests_per_minute))
        sign_ins = settings.part(settings.sign_ins_per_minute)
        self.sign_ins = Buckets(sign_ins, burst=max(1.0, sign_ins))
        self.afterwards = Afterwards(self.store, settings.audit_seconds, self.metrics)
        self.candidates = Candidates(self.store, models, settings.candidates, settings.candidate_seconds)
        self.shown = ShownToRecruiters()
        self.readers = ResumeReaders(self.store, settings.parses, settings.follow_seconds, self.metrics)
        self.scoring = CapacityLimiter((os.cpu_count() or 1) + (16 if settings.shards else 1))
        """Threads that score descriptions at once: more than the cores would only wait for each other, unless they wait
        for shards."""
        self.traces = True
        """Whether the database's log may still hold what was erased; at the start, by a process that was killed."""
        self._door, self._changing = CapacityLimiter(4), CapacityLimiter(1)
        """Threads apart from those of all other requests, which under a flood have thousands waiting."""
        self._stop = Event()
        work = {"follow": self._follow, "candidates": self._follow_candidates}
        self._followers = [Thread(target=one, name=name, daemon=True) for name, one in work.items()]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the models, start the threads; at the end write what is still to be written and close the store."""
        await run_in_threadpool(self.models.follow)
        self.afterwards.start()
        self.readers.start()
        for one in self._followers:
            one.start()
        structlog.get_logger().info("ready")
        try:
            yield
        finally:
            self._stop.set()
            joins = [one.join for one in self._followers]
            for end in (self.readers.close, self.afterwards.close, *joins, self.store.close):
                await run_in_threadpool(end)
            if self.near:
                self.near.close()
            structlog.get_logger().info("stopped")

    def running_beside(self) -> bool:
        """Whether every thread beside the requests runs."""
        return self.afterwards.alive() and self.readers.alive() and all(one.is_alive() for one in self._followers)

    def moment(self, tenant: str) -> float:
        """When it is, in seconds since 1970 UTC: by the clock, or as in the data of the tenant's bundle.

        Only a posting that names a date keeps a board with an old bundle in the present: somebody who tries a board of
        the past leaves events behind, and perhaps a posting without a date, and these must not close all its jobs.
        """
        model, clock = self.models.held(tenant), self.store.clock()
        if model is None or model.newest is None or self.settings.moment == "clock":
            return clock
        last = max(model.newest, model.posted_by(clock) or 0.0)
        past = self.settings.moment == "data" or clock - last > 365 * DAY
        return model.newest if past else clock

    async def change(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a change of models in a thread kept for it: it waits behind other changes, not behind all who ask."""
        return await to_thread.run_sync(partial(work, *arguments), limiter=self._changing)

    async def actor_of_key(self, secret: str) -> Actor | None:
        """Whom an API key lets in."""
        return await to_thread.run_sync(self._actor_of_key, secret, limiter=self._door)

    async def actor_of_session(self, token: str) -> Actor | None:
        """Whom a session's token lets in."""
        return await to_thread.run_sync(self._actor_of_session, token, limiter=self._door)

    def _actor_of_key(self, secret: str) -> Actor | None:
        found = self.store.authentication.key(secret)
        if found is None:
            return None
        tenant, key = found
        return Actor(key.id, tenant, scopes=frozenset(key.scopes), main=self.models.owns_workspace(tenant))

    def _actor_of_session(self, token: str) -> Actor | None:
        found = self.store.authentication.session(token)
        if found is None:
            return None
        main = self.models.owns_workspace(found.tenant)
        return Actor(found.account, found.tenant, found.role, person=found.person, main=main, csrf=found.csrf)

    def _follow(self) -> None:
        """Rehearse, notice what other processes promoted, clear the log of what was erased,
        and tidy up once an hour."""
        left = 0.0
        _try("rehearse", self._rehearse_once)
        _try("settle", self._settle_anew)
        while not self._stop.wait(self.settings.follow_seconds):
            _try("follow", self.models.follow)
            _try("rehearse", self._rehearse_once)
            _try("settle", self._settle_anew)
            if self.traces:
                _try("scrub", self._scrub)
            left -= self.settings.follow_seconds
            if left <= 0:
                left = 3600.0
                _try("tidy", self._tidy)

    def _settle_anew(self) -> None:
        """Where other models are held than the last time, which was `CALM_SECONDS` ago at least."""
        held = [model.version for one in self.store.tenants() if (model := self.models.held(one.id))]
        if held != self._settled and time.monotonic() >= self._may_settle_at:
            self._settled, self._may_settle_at = held, time.monotonic() + CALM_SECONDS
            self._settle()

    def _rehearse_once(self) -> None:
        """With the first model that there is: the others find what all share, and load the rest themselves."""
        held = (self.models.held(tenant.id) for tenant in self.store.tenants())
        model = None if self._rehearsed or self._stop.is_set() else next(filter(None, held), None)
        if model is not None:
            self._rehearsed = True
            self._rehearse(model)

    def _follow_candidates(self) -> None:
        """Beside the other follower, for reading people takes its time."""
        while not self._stop.wait(self.settings.follow_seconds):
            _try("candidates", partial(self.candidates.follow, self.settings.follow_seconds))

    def _scrub(self) -> None:
        self.traces = False  # first: an erasure meanwhile sets it again
        try:
            self.traces = not self.store.database.scrub(wait=False) or self.traces
        except MetierError:
            self.traces = True
            raise

    def _tidy(self) -> None:
        for tenant in self.store.tenants():
            _try("tidy", partial(self._tidy_one, tenant.id), tenant=tenant.id)

    def _tidy_one(self, tenant: str) -> None:
        today = int(self.store.clock() // DAY)
        with self.store.write(tenant) as rows:
            rows.recommendations.purge()
            rows.exposures.forget(today - self.settings.exposure_days)


def _try(what: str, work: Callable[[], None], **about: str) -> None:
    """Log which error it was and go on; a thread that ends here would follow nothing ever again."""
    try:
        work()
    except Exception as error:
        structlog.get_logger().error(f"{what} failed", **about, **failure(error))

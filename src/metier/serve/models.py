"""The live model of each tenant: one reference, swapped at once; what asks keeps the one it began with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
import structlog

from metier.bundle import answers_live
from metier.errors import BundleError, MetierError, UsageError
from metier.live import Asker, Filter, LiveModel
from metier.serve.logs import failure
from metier.serve.problems import absent, busy
from metier.store.models import Model
from metier.store.store import Rows, Store

Load = Callable[[Path], LiveModel]
Files = frozenset[tuple[str, int, int, int]]
"""What a folder holds: name, inode, time of change in nanoseconds and bytes of each file."""


@dataclass(frozen=True)
class Held:
    """A tenant's model with the jobs written up to a sequence number."""

    model: LiveModel
    sequence: int


class Models:
    """Loads, checks and swaps models; which one is live, the store says.

    Parameters
    ----------
    folder : of the bundles.
    load : reads one.
    main : name of the tenant to which belong the bundles that were given to nobody.
    """

    def __init__(self, folder: Path, store: Store, load: Load = LiveModel.load, main: str = "main") -> None:
        self._folder, self._store, self._load, self._main = folder, store, load, main
        self._held: dict[str, Held] = {}
        self._unfit: dict[str, tuple[str, Files]] = {}
        """tenant -> the live version that its folder does not hold, and the folder's state"""
        self._changing = Lock()
        self._catching_up = Lock()

    def of(self, rows: Rows) -> LiveModel:
        """The tenant's model with every job that `rows` sees, and perhaps newer ones; Refused (503) without a model."""
        held = self._held.get(rows.tenant)
        if held is None:
            raise busy("This tenant has no live model; promote one.")
        if rows.jobs.last() <= held.sequence:
            return held.model
        with self._catching_up:
            held = self._held[rows.tenant]
            self._held[rows.tenant] = held = _caught_up(held, rows)
            return held.model

    def held(self, tenant: str) -> LiveModel | None:
        """The tenant's model as it is here, perhaps without the newest jobs; None without one."""
        held = self._held.get(tenant)
        return None if held is None else held.model

    def is_current(self, rows: Rows, model: LiveModel) -> bool:
        """Whether the store still names this model as the live one; its answers may be stored only then."""
        live = rows.models.live()
        return live is not None and live.version == model.version

    def promote(self, tenant: str, bundle: str, actor: str) -> Model:
        """Load a bundle beside the live one, check it, make it live.

        Raises
        ------
        Refused : 404 for a bundle that is not there or is another tenant's.
        BundleError, UsageError : it cannot be loaded or does not answer; the live one goes on.
        """
        with self._changing:
            if bundle not in self.bundles(tenant):
                raise absent()
            held = self._loaded(tenant, bundle)
            with self._store.write(tenant) as rows:
                rows.models.add(held.model.version, bundle)
                model = rows.models.promote(held.model.version, actor)
                rows.audit.append(actor, "model.promoted", model.version, before=model.before)
            self._swap(tenant, held)
        return model

    def roll_back(self, tenant: str, actor: str) -> Model:
        """Go back to the model that was live before this one was promoted; it is loaded and checked first.

        Raises
        ------
        UsageError : there was none. BundleError : its bundle is gone or altered.
        """
        with self._changing:
            with self._store.read(tenant) as rows:
                live = rows.models.live()
                before = rows.models.get(live.before) if live and live.before else None
            held = self._loaded(tenant, before.bundle, before.version) if before else None
            with self._store.write(tenant) as rows:
                model = rows.models.roll_back(actor)  # says that there was none before
                rows.audit.append(actor, "model.rolled-back", model.version)
            if held:
                self._swap(tenant, held)
        return model

    def follow(self) -> None:
        """Load what the store says is live and this process does not hold: at the start, and what others promoted.

        A tenant whose live model cannot be loaded keeps the one it has, if any, and holds up no other tenant.
        """
        for tenant in self._store.tenants():
            try:
                with self._changing:
                    self._follow(tenant.id)
            except Exception as error:  # whatever one tenant's bundle provokes, the others are to be answered
                structlog.get_logger().error("live model not loaded", tenant=tenant.id, **failure(error))

    def loaded(self) -> tuple[int, int, int]:
        """Of the tenants that have a live model: how many have it (or the one before) here, how many have none, and of
        how many it is another one than is held here."""
        held = missing = behind = 0
        for tenant in self._store.tenants():
            with self._store.read(tenant.id) as rows:
                live, here = rows.models.live(), self.held(tenant.id)
            if live is not None:
                held += here is not None
                missing += here is None
                behind += here is not None and here.version != live.version
        return held, missing, behind

    def owns_workspace(self, tenant: str) -> bool:
        """Whether this is the main tenant."""
        main = self._store.tenant(self._main)
        return main is not None and main.id == tenant

    def bundles(self, tenant: str) -> list[str]:
        """Names of the bundles that the tenant may promote: its own, and for the main tenant those of nobody."""
        own, taken = set[str](), set[str]()
        for one in self._store.tenants():
            with self._store.read(one.id) as rows:
                (own if one.id == tenant else taken).update(model.bundle for model in rows.models.all())
        there = self._folder.iterdir() if self._folder.is_dir() else ()
        names = {one.name for one in there if not one.name.startswith(".") and answers_live(one)}
        return sorted(names - taken if self.owns_workspace(tenant) else names & own - taken)

    def _follow(self, tenant: str) -> None:
        """Load the tenant's live model; a folder that does not hold it is tried again once it has changed."""
        with self._store.read(tenant) as rows:
            live = rows.models.live()
        held = self._held.get(tenant)
        if live is None or (held is not None and held.model.version == live.version):
            return
        seen = live.version, _files(self._folder / live.bundle)
        if self._unfit.get(tenant) == seen:
            return
        try:
            self._swap(tenant, self._loaded(tenant, live.bundle, live.version))
        except (BundleError, UsageError):
            self._unfit[tenant] = seen
            raise

    def _loaded(self, tenant: str, bundle: str, version: str | None = None) -> Held:
        """A bundle with the tenant's own jobs, which has answered a question; BundleError for another `version`."""
        model = self._load(self._folder / bundle)
        if version not in (None, model.version):
            raise BundleError(f"bundle {bundle!r} is no longer {version}; cure: promote a bundle")
        with self._store.read(tenant) as rows:
            held = _caught_up(Held(model, 0), rows)
        model.warm()
        _check(held)
        return held

    def _swap(self, tenant: str, held: Held) -> None:
        with self._catching_up, self._store.read(tenant) as rows:
            self._held[tenant] = _caught_up(held, rows)


def _caught_up(held: Held, rows: Rows) -> Held:
    """With all jobs that `rows` sees."""
    while (changes := rows.jobs.changed(held.sequence)).last > held.sequence:
        held = Held(held.model.with_jobs(changes.posted, changes.withdrawn), changes.last)
    return held


def _files(folder: Path) -> Files:
    """What a folder holds; nothing where there is none."""
    found = set()
    for path in folder.glob("*"):
        about = path.stat()
        found.add((path.name, about.st_ino, about.st_mtime_ns, about.st_size))
    return frozenset(found)


def _check(held: Held) -> None:
    """BundleError unless the model answers somebody new with finite scores, best first."""
    model = held.model
    try:
        answer = model.jobs(Asker(text="check"), Filter(), 5, now=model.newest or 0.0)
    except (MetierError, ArithmeticError, LookupError, ValueError) as error:
        raise BundleError(f"{model.version} does not answer ({type(error).__name__}); the live model stays") from error
    scores = [one.score for one in answer.suggestions]
    in_order = np.isfinite(scores).all() and scores == sorted(scores, reverse=True)
    if answer.version != model.version or not in_order:
        raise BundleError(f"{model.version} answers with scores that are none; the live model stays")

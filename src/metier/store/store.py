"""The service's store: one transaction at a time, in which one tenant's repositories share a connection.

    with store.write(tenant) as rows:
        rows.events.add([Event(...)])
        rows.audit.append(account, "event.recorded", person)

All that happens inside is committed together or not at all.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from metier.data.tables import Tables
from metier.store import learned, resumes, tenants
from metier.store.accounts import Accounts
from metier.store.audit import Audit
from metier.store.authentication import Authentication
from metier.store.database import Database
from metier.store.erasure import Erasure, Receipt
from metier.store.events import Events
from metier.store.idempotency import Idempotency
from metier.store.imports import Imports
from metier.store.jobs import Jobs
from metier.store.keys import ApiKeys
from metier.store.models import Models
from metier.store.people import People
from metier.store.recommendations import Exposures, Recommendations
from metier.store.resumes import Resume, Resumes
from metier.store.scope import Clock, Scope
from metier.store.setup import Setup
from metier.store.tenants import Tenant


class Rows(Scope):
    """A tenant's repositories in one transaction."""

    @cached_property
    def accounts(self) -> Accounts:
        """Who signs in."""
        return Accounts(self)

    @cached_property
    def keys(self) -> ApiKeys:
        """Programs that act for the tenant."""
        return ApiKeys(self)

    @cached_property
    def people(self) -> People:
        """Profiles."""
        return People(self)

    @cached_property
    def resumes(self) -> Resumes:
        """Uploads."""
        return Resumes(self)

    @cached_property
    def jobs(self) -> Jobs:
        """Postings."""
        return Jobs(self)

    @cached_property
    def events(self) -> Events:
        """What people did."""
        return Events(self)

    @cached_property
    def recommendations(self) -> Recommendations:
        """Answers that may be served again."""
        return Recommendations(self)

    @cached_property
    def exposures(self) -> Exposures:
        """How often jobs were shown."""
        return Exposures(self)

    @cached_property
    def models(self) -> Models:
        """What answers."""
        return Models(self)

    @cached_property
    def imports(self) -> Imports:
        """Bulk calls."""
        return Imports(self)

    @cached_property
    def idempotency(self) -> Idempotency:
        """Requests that may be repeated."""
        return Idempotency(self)

    @cached_property
    def audit(self) -> Audit:
        """The chain."""
        return Audit(self)

    def learned(self, base: Tables | None = None) -> Tables:
        """People, jobs and applications, for training, alone or on top of a dataset; see `metier.store.learned`."""
        return learned.tables(self, base)

    @cached_property
    def erasure(self) -> Erasure:
        """All that is held about a person."""
        return Erasure(self)


class Store:
    """An open database of the service.

    Parameters
    ----------
    clock : seconds since 1970 UTC.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self.database = database
        self.clock = clock
        self.authentication = Authentication(database, clock)
        self.setup = Setup(database, clock)

    @classmethod
    def open(cls, where: str | Path) -> "Store":
        """Open and migrate a database; see `Database.open`."""
        return cls(Database.open(where))

    @contextmanager
    def read(self, tenant: str) -> Iterator[Rows]:
        """A transaction that reads one state of the tenant's rows and may not write."""
        with self.database.read() as connection:
            yield Rows(connection, tenant, self.clock)

    @contextmanager
    def write(self, tenant: str) -> Iterator[Rows]:
        """A transaction that writes, committed at the end; writers of one tenant take turns.

        Raises
        ------
        UnknownIdError : no such tenant.
        """
        with self.database.write() as connection:
            rows = Rows(connection, tenant, self.clock)
            rows.lock()
            yield rows
            rows.save_counters()

    def add_tenant(self, name: str) -> Tenant:
        """Make a tenant; UsageError if there is one of that name."""
        with self.database.write() as connection:
            return tenants.add_tenant(connection, name, self.clock())

    def tenant(self, name: str) -> Tenant | None:
        """The tenant of a name, if there is one."""
        with self.database.read() as connection:
            return tenants.tenant_named(connection, name)

    def tenants(self) -> list[Tenant]:
        """All tenants, by name."""
        with self.database.read() as connection:
            return tenants.all_tenants(connection)

    def next_resume(self, lease: float) -> tuple[str, Resume, bytes] | None:
        """Claim the upload that has waited longest, of any tenant: tenant, résumé and file; None when none waits.

        A reader that has not called `done` or `refuse` after `lease` seconds is taken for dead, and the file is free.
        """
        while True:
            with self.database.read() as connection:
                found = resumes.queued(connection, self.clock())
            if found is None:
                return None
            with self.write(found[0]) as rows:
                claimed = rows.resumes.claim(found[1], lease)
            if claimed is not None:
                return found[0], *claimed

    def erase(self, tenant: str, person: str, actor: str) -> tuple[Receipt, bool]:
        """Erase a person, audited in the same transaction, then clear the traces in the database's log.

        The second value says whether that succeeded; where a reader held the log, call `Database.scrub` again.
        """
        with self.write(tenant) as rows:
            receipt = rows.erasure.erase(person)
            rows.audit.append(actor, "person.erased", receipt.subject, receipt=receipt.id)
        return receipt, self.database.scrub()

    def close(self) -> None:
        """Give back every connection."""
        self.database.close()

"""Tenants: those whose people, jobs and models are kept apart from all others'."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from metier.errors import UsageError
from metier.store.audit import ORIGIN
from metier.store.schema import tenants
from metier.store.tokens import new_id

NAME = r"^[A-Za-z0-9._-]{1,64}$"
"""Of a tenant: it is typed to sign in, and part of addresses."""


@dataclass(frozen=True)
class Tenant:
    """A job board, an employer, a career office."""

    id: str
    name: str
    made: float


def add_tenant(connection: sa.Connection, name: str, now: float) -> Tenant:
    """Make a tenant; UsageError for a name that cannot be one, or that another tenant has."""
    if not re.fullmatch(NAME, name):
        raise UsageError(f"no name for a tenant: {name[:64]!r}; cure: 1 to 64 letters, digits, dots, - and _")
    if tenant_named(connection, name):
        raise UsageError(f"there is a tenant {name!r}; cure: choose another name")
    tenant = Tenant(new_id(), name, now)
    counters = {"sequence": 0, "generation": 0, "audited": 0, "audit_hash": ORIGIN}
    connection.execute(sa.insert(tenants).values(vars(tenant) | counters))
    return tenant


def all_tenants(connection: sa.Connection) -> list[Tenant]:
    """All of them, by name."""
    return _tenants(connection, sa.true())


def tenant_named(connection: sa.Connection, name: str) -> Tenant | None:
    """The tenant of a name, if there is one."""
    return next(iter(_tenants(connection, tenants.c.name == name)), None)


def tenant_of(connection: sa.Connection, id: str) -> Tenant | None:
    """The tenant of an id, if there is one."""
    return next(iter(_tenants(connection, tenants.c.id == id)), None)


def _tenants(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Tenant]:
    chosen = sa.select(tenants.c.id, tenants.c.name, tenants.c.made).where(where).order_by(tenants.c.name)
    return [Tenant(**row) for row in connection.execute(chosen).mappings()]

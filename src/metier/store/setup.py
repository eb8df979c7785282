"""The first admin of a tenant: made once, by whoever holds the token that the first start or `metier tenant` prints."""

import time

import sqlalchemy as sa

from metier.store.accounts import Account, Accounts, admin_exists
from metier.store.audit import Audit
from metier.store.database import Database
from metier.store.schema import setup_tokens
from metier.store.scope import Clock, Scope
from metier.store.tenants import Tenant, tenant_of
from metier.store.tokens import Hashed, digest, new_secret


class Setup:
    """Until a tenant has an admin it has one token; nobody has a password before somebody chose it."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def needed(self) -> bool:
        """Whether no tenant has an admin."""
        with self._database.read() as connection:
            return not admin_exists(connection)

    def waiting(self) -> bool:
        """Whether the token of any tenant can still be used."""
        with self._database.read() as connection:
            return connection.execute(sa.select(setup_tokens.c.hash).limit(1)).first() is not None

    def token(self, tenant: str) -> str | None:
        """A new token in the place of the tenant's last one; None once it has an admin. Only its hash is kept."""
        token = new_secret()
        with self._database.write() as connection:
            connection.execute(sa.delete(setup_tokens).where(setup_tokens.c.tenant == tenant))
            if admin_exists(connection, tenant):
                return None
            row = {"tenant": tenant, "hash": digest(token), "made": self._clock()}
            connection.execute(sa.insert(setup_tokens).values(row))
        return token

    def complete(self, token: str, login: str, password: Hashed) -> tuple[Tenant, Account] | None:
        """Make the first admin of the tenant whose token it is.

        None where the token is not the tenant's last one, was used, or the tenant has an admin: of two who come at
        once, one succeeds.
        """
        with self._database.write() as connection:
            same = setup_tokens.c.hash == digest(token)
            id = connection.execute(sa.select(setup_tokens.c.tenant).where(same)).scalar_one_or_none()
            tenant = None if id is None else tenant_of(connection, id)
            if tenant is None:
                return None
            scope = Scope(connection, tenant.id, self._clock)
            scope.lock()
            used = connection.execute(sa.delete(setup_tokens).where(same)).rowcount
            if used != 1 or admin_exists(connection, tenant.id):
                return None
            account = Accounts(scope).add(login, password, "admin")
            Audit(scope).append(account.id, "account.first-admin", account.id)
            scope.save_counters()
        return tenant, account

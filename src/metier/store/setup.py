"""The first admin: made once, by whoever holds the token that the first start prints."""

import time

import sqlalchemy as sa

from metier.store.accounts import Account, Accounts, admin_exists
from metier.store.audit import Audit
from metier.store.database import Database
from metier.store.schema import setup_tokens
from metier.store.scope import Clock, Scope
from metier.store.tenants import add_tenant, tenant_named
from metier.store.tokens import Hashed, digest, new_secret


class Setup:
    """Until an admin exists there is one token; nobody has a password before somebody chose it."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def needed(self) -> bool:
        """Whether no tenant has an admin."""
        with self._database.read() as connection:
            return not admin_exists(connection)

    def token(self) -> str | None:
        """A new token in the place of the last one; None once an admin exists. Only its hash is kept."""
        token = new_secret()
        with self._database.write() as connection:
            connection.execute(sa.delete(setup_tokens))
            if admin_exists(connection):
                return None
            connection.execute(sa.insert(setup_tokens).values(hash=digest(token), made=self._clock()))
        return token

    def complete(self, token: str, tenant: str, login: str, password: Hashed) -> tuple[str, Account] | None:
        """Make the first admin, and the tenant of that name if there is none: the tenant's id and the account.

        None where the token is not the last one, was used, or an admin exists: of two who come at once, one succeeds.
        """
        with self._database.write() as connection:
            used = sa.delete(setup_tokens).where(setup_tokens.c.hash == digest(token))
            if connection.execute(used).rowcount != 1 or admin_exists(connection):
                return None
            known = tenant_named(connection, tenant) or add_tenant(connection, tenant, self._clock())
            scope = Scope(connection, known.id, self._clock)
            scope.lock()
            account = Accounts(scope).add(login, password, "admin")
            Audit(scope).append(account.id, "account.first-admin", account.id)
            scope.save_counters()
        return known.id, account

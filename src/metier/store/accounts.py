"""Accounts: who signs in with a password, and as what."""

from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

import sqlalchemy as sa

from metier.errors import UsageError
from metier.store.schema import accounts, api_keys, sessions
from metier.store.scope import Page, Scope
from metier.store.tokens import Hashed, digest, new_id

Role = Literal["seeker", "recruiter", "operator", "admin"]


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in; their password's hash stays in the store."""

    id: str
    login: str
    role: Role
    person: str | None
    """The profile that is theirs, for a seeker."""
    enabled: bool
    made: float


class Accounts:
    """Accounts of a tenant. A tenant that has an admin keeps one."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, login: str, password: Hashed, role: Role, person: str | None = None) -> Account:
        """Make an account; UsageError if the tenant has that login already, in any case of letters."""
        login = plain(login)
        if not login:
            raise UsageError("a login is empty; cure: give one")
        if self._scope.rows(self._scope.select(accounts, accounts.c.id).where(accounts.c.login == login)):
            raise UsageError("that login is taken; cure: choose another one")
        account = Account(new_id(), login, role, person, True, self._scope.clock())
        self._scope.insert(accounts, [vars(account) | {"password": password}])
        return account

    def get(self, id: str) -> Account | None:
        """One account, if it is there."""
        return next(iter(self._scope.read(Account, accounts, accounts.c.id == id)), None)

    def page(self, after: str | None = None, limit: int = 100) -> Page[Account]:
        """Accounts by login."""
        return self._scope.page(Account, accounts, "login", after, limit)

    def has_admin(self) -> bool:
        """Whether there is an admin."""
        return admin_exists(self._scope.connection, self._scope.tenant)

    def hashed(self, id: str) -> Hashed | None:
        """The hash of an account's password, for whoever wants to confirm it."""
        found = self._scope.rows(self._scope.select(accounts, accounts.c.password).where(accounts.c.id == id))
        return Hashed(found[0]["password"]) if found else None

    def set_password(self, id: str, password: Hashed, *, before: Hashed | None = None, session: str = "") -> bool:
        """Change a password and end the account's sessions; False if it is not there.

        Parameters
        ----------
        before : the hash that was confirmed; False where it is another one by now.
        session : token of the session that goes on.
        """
        same = (accounts.c.id == id) & (sa.true() if before is None else accounts.c.password == before)
        changed = self._scope.update(accounts, {"password": password}, same) == 1
        if changed:
            self.end_sessions(id, keep=session)
        return changed

    def set_role(self, id: str, role: Role) -> bool:
        """Change a role; UsageError if no admin would be left, and for seekers: their account is one with a person."""
        account = self.get(id)
        if account is not None and account.role != role and "seeker" in (account.role, role):
            raise UsageError("a seeker's account cannot become another's, nor another's a seeker's; cure: make one")
        if role != "admin":
            self._keep_an_admin(id)
        return self._scope.update(accounts, {"role": role}, accounts.c.id == id) == 1

    def set_enabled(self, id: str, enabled: bool) -> bool:
        """Let an account in or lock it out with its keys, at once; UsageError if no admin would be left."""
        if not enabled:
            self._keep_an_admin(id)
            self.end_sessions(id)
        return self._scope.update(accounts, {"enabled": enabled}, accounts.c.id == id) == 1

    def delete(self, id: str) -> bool:
        """Delete an account and its sessions, and revoke its keys. UsageError if no admin would be left."""
        self._keep_an_admin(id)
        self.end_sessions(id)
        revoked = {"revoked": self._scope.clock()}
        self._scope.update(api_keys, revoked, api_keys.c.account == id, api_keys.c.revoked.is_(None))
        return self._scope.delete(accounts, accounts.c.id == id) == 1

    def end_sessions(self, id: str, *, keep: str = "") -> int:
        """End the sessions of an account, but for that of the token `keep`, and say how many they were."""
        return self._scope.delete(sessions, sessions.c.account == id, sessions.c.hash != digest(keep))

    def _keep_an_admin(self, id: str) -> None:
        admins = self._scope.select(accounts, accounts.c.id).where(accounts.c.role == "admin", accounts.c.enabled)
        if [row["id"] for row in self._scope.rows(admins)] == [id]:
            raise UsageError("this is the tenant's last admin; cure: make another one first")


def plain(login: str) -> str:
    """A login as it is compared: trimmed, one form of each letter, in lower case."""
    return normalize("NFKC", login).strip().casefold()


def admin_exists(connection: sa.Connection, tenant: str | None = None) -> bool:
    """Whether a tenant has an admin, or any tenant has."""
    admins = sa.select(accounts.c.id).where(accounts.c.role == "admin").limit(1)
    chosen = admins if tenant is None else admins.where(accounts.c.tenant == tenant)
    return connection.execute(chosen).first() is not None

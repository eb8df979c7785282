"""Who is asking: passwords, sessions and API keys, before it is known which tenant they belong to."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from metier.store import keys
from metier.store.accounts import Role, plain
from metier.store.database import Database
from metier.store.keys import ApiKey
from metier.store.schema import accounts, sessions, tenants
from metier.store.scope import Clock
from metier.store.tokens import digest, fits, hash_of_nobody, hash_password, new_secret, outdated


@dataclass(frozen=True)
class Session:
    """A signed-in browser."""

    tenant: str
    account: str
    role: Role
    person: str | None
    csrf: str
    """What a form must send back."""
    expires: float


class Authentication:
    """Sign-in, sessions and keys of all tenants. An unknown login takes as long as a wrong password."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock
        hash_of_nobody()  # or else the first unknown login would take longer

    def sign_in(self, tenant: str, login: str, password: str, *, lasting: float) -> tuple[Session, str] | None:
        """A new session of `lasting` seconds and its token, which is kept nowhere; None for a wrong tenant name,
        login or password, or an account that is locked out, without saying which."""
        chosen = (
            sa.select(accounts)
            .join(tenants, tenants.c.id == accounts.c.tenant)
            .where(tenants.c.name == tenant, accounts.c.login == plain(login))
        )
        with self._database.read() as connection:
            row = connection.execute(chosen).mappings().one_or_none()
        right = fits(password, None if row is None else row["password"])
        if row is None or not right or not row["enabled"]:
            return None
        fresh = hash_password(password) if outdated(row["password"]) else row["password"]
        token, csrf, now = new_secret(), new_secret(), self._clock()
        session = Session(row["tenant"], row["id"], row["role"], row["person"], csrf, now + lasting)
        same = (accounts.c.tenant == row["tenant"]) & (accounts.c.id == row["id"])
        unchanged = same & accounts.c.enabled & (accounts.c.password == row["password"])
        with self._database.write() as connection:  # the account may have changed while the password was hashed
            if connection.execute(sa.update(accounts).where(unchanged).values(password=fresh)).rowcount != 1:
                return None
            new = {"hash": digest(token), "tenant": session.tenant, "account": session.account, "csrf": csrf}
            connection.execute(sa.insert(sessions).values(new | {"made": now, "expires": session.expires}))
            connection.execute(sa.delete(sessions).where(sessions.c.expires <= now))
        return session, token

    def session(self, token: str) -> Session | None:
        """The session of a token, unless it is unknown, expired, or its account locked out."""
        chosen = (
            sa.select(sessions.c.tenant, sessions.c.account, accounts.c.role, accounts.c.person)
            .add_columns(sessions.c.csrf, sessions.c.expires)
            .join(accounts, (accounts.c.tenant == sessions.c.tenant) & (accounts.c.id == sessions.c.account))
            .where(sessions.c.hash == digest(token), sessions.c.expires > self._clock(), accounts.c.enabled)
        )
        with self._database.read() as connection:
            row = connection.execute(chosen).mappings().one_or_none()
        return None if row is None else Session(**row)

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._database.write() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.hash == digest(token)))

    def key(self, secret: str) -> tuple[str, ApiKey] | None:
        """Tenant and key of a secret, unless it is unknown, expired or revoked, or its account is locked out."""
        with self._database.read() as connection:
            return keys.holder(connection, secret, self._clock())

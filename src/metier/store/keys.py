"""API keys: programs that act for a tenant. A key is 256 random bits, shown once; its SHA-256 is what is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import sqlalchemy as sa

from metier.store.schema import accounts, api_keys
from metier.store.scope import Page, Scope
from metier.store.tokens import digest, new_id, new_secret

KeyScope = Literal["read", "write", "people", "jobs", "events", "models", "admin"]
PREFIX = "metier_"
"""What every key begins with, so that a scanner for leaked secrets knows one."""
SHOWN = len(PREFIX) + 6
"""Characters of a key that lists show; they leave 220 bits unknown."""


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret."""

    id: str
    prefix: str
    """Its first characters, to tell it from others."""
    label: str
    scopes: Sequence[KeyScope]
    account: str
    """Whose it is: of the account that made it, or that made the key that made it."""
    made: float
    expires: float | None
    revoked: float | None


class ApiKeys:
    """API keys of a tenant."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(
        self, label: str, scopes: Sequence[KeyScope], account: str, expires: float | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key: what lists show, and the key itself, which cannot be had again."""
        secret = PREFIX + new_secret()
        key = ApiKey(
            new_id(), secret[:SHOWN], label, sorted(set(scopes)), account, self._scope.clock(), expires, revoked=None
        )
        self._scope.insert(api_keys, [vars(key) | {"hash": digest(secret)}])
        return key, secret

    def get(self, id: str) -> ApiKey | None:
        """One key, if it is there."""
        return next(iter(self._scope.read(ApiKey, api_keys, api_keys.c.id == id)), None)

    def page(self, after: str | None = None, limit: int = 100) -> Page[ApiKey]:
        """Keys by id, the revoked ones too."""
        return self._scope.page(ApiKey, api_keys, "id", after, limit)

    def of(self, account: str) -> list[ApiKey]:
        """An account's keys that are neither revoked nor expired, the oldest first."""
        valid = api_keys.c.expires.is_(None) | (api_keys.c.expires > self._scope.clock())
        own = (api_keys.c.account == account, api_keys.c.revoked.is_(None), valid)
        return self._scope.read(ApiKey, api_keys, *own, order=(api_keys.c.made, api_keys.c.id))

    def revoke(self, id: str) -> bool:
        """End a key at once; False if it is not there or was revoked before."""
        now = {"revoked": self._scope.clock()}
        return self._scope.update(api_keys, now, api_keys.c.id == id, api_keys.c.revoked.is_(None)) == 1


def holder(connection: sa.Connection, secret: str, now: float) -> tuple[str, ApiKey] | None:
    """Tenant and key of a secret, unless it is unknown, expired or revoked, or its account is locked out.

    The hash is looked up, not the secret: how long that takes tells nothing about a secret.
    """
    valid = api_keys.c.expires.is_(None) | (api_keys.c.expires > now)
    owner = (accounts.c.tenant == api_keys.c.tenant) & (accounts.c.id == api_keys.c.account)
    locked_out = sa.exists().where(owner, ~accounts.c.enabled)
    chosen = sa.select(api_keys).where(
        api_keys.c.hash == digest(secret), valid, api_keys.c.revoked.is_(None), ~locked_out
    )
    row = connection.execute(chosen).mappings().one_or_none()
    return None if row is None else (row["tenant"], ApiKey(**{one.name: row[one.name] for one in fields(ApiKey)}))

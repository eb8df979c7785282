"""Requests that a caller may repeat: the same key and body get the answer of the first time.

Look for the key and keep the answer in the transaction that does the work. Writers of a tenant take turns, so a repeat
that comes while the first is under way waits, and a process that is killed leaves neither the work nor the key.
"""

from dataclasses import dataclass

from metier.errors import UsageError
from metier.store.schema import idempotency
from metier.store.scope import Scope
from metier.store.tokens import digest


class KeyReusedError(UsageError):
    """An idempotency key came again with another request."""


@dataclass(frozen=True)
class Kept:
    """The answer of the first time."""

    status: int
    body: bytes


class Idempotency:
    """Keys of a tenant, each of one actor: nobody gets an answer that was somebody else's."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def find(self, actor: str, key: str, route: str, body_hash: str) -> Kept | None:
        """The answer kept under a key; KeyReusedError if that was for another route or body."""
        mine = (idempotency.c.actor == actor) & (idempotency.c.key == digest(key))
        valid = idempotency.c.expires > self._scope.clock()
        rows = self._scope.rows(self._scope.select(idempotency).where(mine, valid))
        if not rows:
            return None
        if (rows[0]["route"], rows[0]["body_hash"]) != (route, body_hash):
            raise KeyReusedError("this Idempotency-Key was used for another request; cure: a new key")
        return Kept(rows[0]["status"], rows[0]["body"])

    def keep(
        self,
        actor: str,
        key: str,
        route: str,
        body_hash: str,
        answer: Kept,
        *,
        person: str | None,
        lasting: float = 86_400.0,
    ) -> None:
        """Keep an answer for `lasting` seconds.

        Parameters
        ----------
        person : whom the answer is about, so that it is erased with them; None for nobody.
        """
        now = self._scope.clock()
        row = {"actor": actor, "key": digest(key), "route": route, "body_hash": body_hash, "person": person}
        self._scope.upsert(idempotency, [row | vars(answer) | {"expires": now + lasting}])
        self._scope.delete(idempotency, idempotency.c.expires <= now)

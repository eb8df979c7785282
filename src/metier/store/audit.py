"""The audit chain: what was served, seen and changed, by whom. Rows are only ever added.

Each row carries SHA-256(hash of the row before it, in hexadecimal, then its own canonical JSON), so a row that is
changed, removed or put in between no longer fits its successor; the tenant's row holds the last number and hash, so a
cut tail shows as well. Whoever can rewrite the whole database can rewrite the whole chain: note `Verdict.hash`
elsewhere from time to time. Rows hold ids, versions, hashes and numbers, never what a person wrote.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json

from metier.errors import UsageError
from metier.store.schema import audit, tenants
from metier.store.schema.records import CANDIDATES
from metier.store.scope import Page, Scope

ORIGIN = "0" * 64
"""What the first row follows."""
MOST_CHARACTERS = 200
"""Of an actor, an object and each text in the details: enough for an id, too little for a résumé."""
_ACTION = re.compile(r"[a-z][a-z.-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """What is to be added. `time` None: now."""

    actor: str
    """Id of an account, a key or "system"."""
    action: str
    """As "recommendations.served": small letters, dots and hyphens."""
    object: str = ""
    """Id of the person, job, model, ... that it was done to."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Ids, versions, hashes and numbers, as JSON."""
    time: float | None = None


@dataclass(frozen=True)
class AuditRow:
    """A row of the chain."""

    number: int
    time: float
    actor: str
    action: str
    object: str
    details: str
    """JSON, as it was hashed."""
    previous: str
    hash: str


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found."""

    rows: int
    """Rows that fit, from the first one on."""
    hash: str
    """Of the last of them."""
    broken: int | None
    """Number of the first row that does not fit, or is missing; None for a whole chain."""


class Audit:
    """The chain of a tenant."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def append(self, actor: str, action: str, object: str = "", **details: Any) -> None:
        """Add a row in the transaction that does what it tells of."""
        self.append_many([Entry(actor, action, object, details)])

    def append_many(self, entries: Sequence[Entry]) -> None:
        """Add rows in their order; UsageError for a text that no id may be: too long, or with a NUL."""
        counters, rows = self._scope.counters, []
        for entry in entries:
            row: dict[str, Any] = {
                "tenant": self._scope.tenant,
                "number": counters["audited"] + 1,
                "time": self._scope.clock() if entry.time is None else entry.time,
                "actor": entry.actor,
                "action": entry.action,
                "object": entry.object,
                "details": _canonical(entry.details),
            }
            _check(entry)
            row["previous"] = counters["audit_hash"]
            row["hash"] = chained(row["previous"], row)
            counters["audited"], counters["audit_hash"] = row["number"], row["hash"]
            rows.append(row)
        self._scope.insert(audit, rows)

    def page(self, after: str | None = None, limit: int = 100, *, object: str | None = None) -> Page[AuditRow]:
        """Rows, newest first; of one object, if asked."""
        where = () if object is None else (audit.c.object == object,)
        return self._scope.page(AuditRow, audit, "number", after, limit, *where, descending=True)

    def lists_of_candidates(self, since: float) -> Iterator[tuple[float, list[str]]]:
        """When a list of people was shown to a recruiter, and who was on it; of all lists from a time on, streamed."""
        lists = self._scope.select(audit, audit.c.time, audit.c.details).where(CANDIDATES, audit.c.time >= since)
        for row in self._scope.connection.execute(lists.order_by(audit.c.time).execution_options(yield_per=1000)):
            yield row.time, [person for person, _ in from_json(row.details)["people"]]

    def count_of_lists(self, since: float) -> tuple[int, float | None]:
        """How many `lists_of_candidates` there are and when the first was shown; read off an index. Rows only come, so
        while both stand the lists do."""
        counted = sa.select(sa.func.count(), sa.func.min(audit.c.time))
        shown = counted.where(audit.c.tenant == self._scope.tenant, CANDIDATES, audit.c.time >= since)
        count, first = self._scope.connection.execute(shown).one()
        return count, first

    def verify(self) -> Verdict:
        """Go through the whole chain; it names the first row that does not fit."""
        ordered = self._scope.select(audit).order_by(audit.c.number).execution_options(yield_per=1000)
        number, previous = 0, ORIGIN
        for found in self._scope.connection.execute(ordered).mappings():
            row = dict(found)
            if (row["number"], row["previous"], row["hash"]) != (number + 1, previous, chained(previous, row)):
                return Verdict(number, previous, number + 1)
            number, previous = row["number"], row["hash"]
        return Verdict(number, previous, None if self._last() == (number, previous) else number + 1)

    def _last(self) -> tuple[int, str]:
        """Number and hash of the last row, as the tenant's own row has them."""
        if self._scope.counters:
            return self._scope.counters["audited"], self._scope.counters["audit_hash"]
        last = sa.select(tenants.c.audited, tenants.c.audit_hash).where(tenants.c.id == self._scope.tenant)
        row = self._scope.connection.execute(last).one_or_none()
        return (0, ORIGIN) if row is None else (row.audited, row.audit_hash)


def chained(previous: str, row: Mapping[str, Any]) -> str:
    """The hash of a row that follows another: of all columns but the two hashes, as JSON with sorted keys."""
    told = {name: row[name] for name in ("tenant", "number", "time", "actor", "action", "object", "details")}
    return hashlib.sha256((previous + _canonical(told)).encode()).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _check(entry: Entry) -> None:
    if not _ACTION.fullmatch(entry.action):
        raise UsageError(f"no action {entry.action[:64]!r}; cure: small letters, dots and hyphens")
    waiting: list[Any] = [entry.actor, entry.object, entry.details]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):  # most are: asked first
            if len(value) > MOST_CHARACTERS:
                raise UsageError(f"a text of {len(value)} characters in an audit row; cure: its id or its hash")
            if "\x00" in value:
                raise UsageError("a NUL character in an audit row; cure: an id has none")
        elif isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value

"""All that is held about a person: given to them, or erased."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from metier.store.schema import accounts, api_keys, audit, erasures, metadata, people, sessions
from metier.store.scope import Page, Scope
from metier.store.tokens import digest, new_id

SECRETS = ("password", "hash", "csrf", "tenant")
"""Columns that nobody is given, not even whom they are about."""


@dataclass(frozen=True)
class Receipt:
    """What was erased."""

    id: str
    subject: str
    """SHA-256 of the person's id."""
    sequence: int
    time: float
    counts: Mapping[str, int]
    """Rows erased, by table."""


class Erasure:
    """A person's rows in all tables of a tenant.

    Every table with the columns `tenant` and `person` counts, so a new one cannot be forgotten; the sessions and keys
    of their account go with it. Audit rows stay: they hold ids, nothing that a person wrote.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def export(self, person: str) -> dict[str, list[dict[str, Any]]]:
        """Table -> rows, as JSON can hold them; audit rows about the person among them, lists of candidates without the
        others."""
        found = {
            table.name: self._scope.rows(self._scope.select(table).where(mine)) for table, mine in self._of(person)
        }
        found["audit"] = self._audited(person)
        return {
            name: [{key: _plain(value) for key, value in row.items() if key not in SECRETS} for row in rows]
            for name, rows in found.items()
        }

    def erase(self, person: str) -> Receipt:
        """Delete a person's rows and keep a receipt.

        The caller then asks `Database.scrub` to clear the write-ahead log. What a bundle learned stays in it until a
        model is trained without the person: see `erased` and `metier.store.learned`.
        """
        receipt = Receipt(new_id(), digest(person), self._scope.draw(), self._scope.clock(), self._delete(person))
        self._scope.insert(erasures, [vars(receipt)])
        return receipt

    def unknown(self, made: Iterable[Receipt]) -> list[Receipt]:
        """Those of the erasures of which there is nothing here, since the database is a copy from before them."""
        known = {row["id"] for row in self._scope.rows(self._scope.select(erasures, erasures.c.id))}
        return [one for one in made if one.id not in known]

    def repeat(self, made: Sequence[Receipt]) -> None:
        """Make erasures again that are `unknown`, under their own ids."""
        here = {digest(person): person for person in self.everybody()}
        for one in made:
            counts = self._delete(here[one.subject]) if one.subject in here else {}
            self._scope.insert(erasures, [vars(one) | {"sequence": self._scope.draw(), "counts": counts}])

    def erased(self) -> frozenset[str]:
        """SHA-256 of the ids of all who were ever erased."""
        return frozenset(row["subject"] for row in self._scope.rows(self._scope.select(erasures, erasures.c.subject)))

    def was_erased(self, person: str) -> bool:
        """Whether a person was ever erased; what a bundle knows of them is then not to be used."""
        same = self._scope.select(erasures, erasures.c.id).where(erasures.c.subject == digest(person)).limit(1)
        return bool(self._scope.rows(same))

    def page(self, after: str | None = None, limit: int = 100) -> Page[Receipt]:
        """Receipts, newest first."""
        return self._scope.page(Receipt, erasures, "sequence", after, limit, descending=True)

    def _audited(self, person: str) -> list[dict[str, Any]]:
        """Audit rows whose object is the person, and those whose details list them under `people` with their score."""
        named = audit.c.details.contains(json.dumps(person, ensure_ascii=False), autoescape=True)
        listed = audit.c.action.startswith("candidates.") & named
        rows = self._scope.select(audit).where((audit.c.object == person) | listed).order_by(audit.c.number)
        found = []
        for row in self._scope.rows(rows):
            if row["action"].startswith("candidates."):
                details = json.loads(row["details"])
                details["people"] = [entry for entry in details.get("people", ()) if entry[0] == person]
                if not details["people"]:
                    continue
                row["details"] = json.dumps(details, ensure_ascii=False)
            found.append(row)
        return found

    def _delete(self, person: str) -> dict[str, int]:
        return {table.name: self._scope.delete(table, mine) for table, mine in self._of(person)}

    def everybody(self) -> set[str]:
        """Ids of all people of whom there is a row."""
        columns = [people.c.id, *(table.c.person for table in _about_people())]
        chosen = (self._scope.select(column.table, column).where(column.is_not(None)).distinct() for column in columns)
        return {person for one in chosen for person in self._scope.connection.execute(one).scalars()}

    def _of(self, person: str) -> list[tuple[sa.Table, sa.ColumnElement[bool]]]:
        """Each table and which of its rows are the person's; those that are found through an account come first."""
        own = self._scope.select(accounts, accounts.c.id).where(accounts.c.person == person)
        through_account = [(table, table.c.account.in_(own)) for table in (sessions, api_keys)]
        direct = [(table, table.c.person == person) for table in _about_people()]
        return [*through_account, *direct, (people, people.c.id == person)]


def _about_people() -> list[sa.Table]:
    return [table for table in metadata.sorted_tables if "tenant" in table.c and "person" in table.c]


def _plain(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return b64encode(value).decode()

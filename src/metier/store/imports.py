"""Bulk calls: how many lines were taken, and why the others were not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from metier.store.schema import import_refusals, imports
from metier.store.scope import Page, Scope
from metier.store.tokens import new_id

ImportKind = Literal["events", "jobs", "people"]
ImportState = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class Import:
    """A bulk call; the three counts add up to the lines read so far."""

    id: str
    kind: ImportKind
    state: ImportState
    accepted: int
    duplicates: int
    refused: int
    sequence: int
    made: float
    ended: float | None


@dataclass(frozen=True)
class Refusal:
    """A line that was set aside."""

    line: int
    """From 1."""
    reason: str
    """Field and rule; never a value."""


class Imports:
    """Bulk calls of a tenant."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def start(self, kind: ImportKind) -> Import:
        """A new one, running."""
        new = Import(new_id(), kind, "running", 0, 0, 0, self._scope.draw(), self._scope.clock(), None)
        self._scope.insert(imports, [vars(new)])
        return new

    def get(self, id: str) -> Import | None:
        """One, if it is there."""
        return next(iter(self._scope.read(Import, imports, imports.c.id == id)), None)

    def page(self, after: str | None = None, limit: int = 100) -> Page[Import]:
        """All of them, newest first."""
        return self._scope.page(Import, imports, "sequence", after, limit, descending=True)

    def count(self, id: str, accepted: int, duplicates: int, refused: Sequence[Refusal]) -> None:
        """Add the lines of a batch, in the transaction that writes what was accepted."""
        more = {"accepted": accepted, "duplicates": duplicates, "refused": len(refused)}
        self._scope.update(
            imports, {name: imports.c[name] + number for name, number in more.items()}, imports.c.id == id
        )
        self._scope.insert(import_refusals, [{"import": id, **vars(one)} for one in refused])

    def end(self, id: str, state: Literal["done", "failed"]) -> None:
        """Close it. One that stays "running" was cut off: what it counted is written, the rest is not."""
        self._scope.update(imports, {"state": state, "ended": self._scope.clock()}, imports.c.id == id)

    def refusals(self, id: str, after: str | None = None, limit: int = 100) -> Page[Refusal]:
        """The lines set aside, by number."""
        mine = import_refusals.c["import"] == id
        return self._scope.page(Refusal, import_refusals, "line", after, limit, mine)

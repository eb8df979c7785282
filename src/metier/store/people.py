"""People who came, or whose profile changed, since training."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from metier.data.tables import JOBS
from metier.errors import UsageError
from metier.store.recommendations import Recommendations
from metier.store.schema import people
from metier.store.scope import Page, Scope, parts


@dataclass(frozen=True)
class Person:
    """A profile. `version` to `discoverable_since` are set by the store."""

    id: str
    text: str = ""
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None
    wishes: str = ""
    """As typed: "no travel; python, not java"."""
    discoverable: bool = False
    """Whether recruiters may find them."""
    attributes: Mapping[str, str | float | list[str] | None] = field(default_factory=dict)
    """What else models may read; no name of a fixed column."""
    version: int = 0
    """1 when made, one more with each change."""
    sequence: int = 0
    made: float = 0.0
    updated: float = 0.0
    discoverable_since: float | None = None
    """Since when recruiters may find them, without a break."""


class People:
    """Profiles of a tenant. Every change also voids the answers stored for the person."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, id: str) -> Person | None:
        """One person, if the store holds them."""
        return next(iter(self._scope.read(Person, people, people.c.id == id)), None)

    def among(self, ids: Sequence[str]) -> dict[str, Person]:
        """Those of the people who are here, by id."""
        found = (one for some in parts(ids) for one in self._scope.read(Person, people, people.c.id.in_(some)))
        return {one.id: one for one in found}

    def page(self, after: str | None = None, limit: int = 100) -> Page[Person]:
        """People by id."""
        return self._scope.page(Person, people, "id", after, limit)

    def discoverable(self, most: int) -> dict[str, int]:
        """Whom recruiters may find, and the number of what came last about each; the `most` of whom it is highest,
        highest first."""
        chosen = self._scope.select(people, people.c.id, people.c.newest).where(people.c.discoverable)
        latest = chosen.order_by(people.c.newest.desc(), people.c.id.desc()).limit(most)
        return dict(self._scope.connection.execute(latest).all())

    def save(self, new: Sequence[Person]) -> None:
        """Make or replace profiles, all or none.

        Raises
        ------
        UsageError : an attribute has the name of a fixed column.
        """
        new = list({one.id: one for one in new}.values())
        taken = {name for one in new for name in one.attributes if name in JOBS}
        if taken:
            raise UsageError(f"attributes named {', '.join(sorted(taken))}; cure: other names, these are fixed columns")
        ids = [one.id for one in new]
        first, now = self._scope.draw(len(new)), self._scope.clock()
        rows: list[dict[str, Any]] = [
            asdict(one) | {"version": 1, "sequence": number, "newest": number, "made": now, "updated": now}
            for number, one in enumerate(new, start=first)
        ]
        for row in rows:
            row["discoverable_since"] = now if row["discoverable"] else None
        self._scope.upsert(people, rows, keep=("made",), add=("version",), first=("discoverable_since",))
        Recommendations(self._scope).void(ids)

    def touch(self, ids: Sequence[str], number: int) -> None:
        """Something of that number came about these people, whether they have a profile or not: the answers stored for
        them no longer hold."""
        for some in parts(ids):  # of the others nobody asks, and to rewrite a profile takes longer than to add an event
            self._scope.update(people, {"newest": number}, people.c.id.in_(some), people.c.discoverable)
        Recommendations(self._scope).void(ids)

    def discoverable_since(self) -> dict[str, float]:
        """Everybody whom recruiters may find, by id, and since when they may."""
        chosen = self._scope.select(people, people.c.id, people.c.discoverable_since).where(people.c.discoverable)
        return {row["id"]: row["discoverable_since"] for row in self._scope.rows(chosen.order_by(people.c.id))}

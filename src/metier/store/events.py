"""What people did: applied, viewed, saved, dismissed, and what of it they took back. Kept once for each id that its
source gave it; nothing is deleted or changed, what was taken back is left out when it is read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from metier.store.people import People
from metier.store.schema import events
from metier.store.scope import Page, Scope, parts

EventKind = Literal["applied", "viewed", "saved", "dismissed", "unapplied", "unsaved", "undismissed"]
TAKES_BACK: Mapping[EventKind, EventKind] = {
    "unapplied": "applied",
    "unsaved": "saved",
    "undismissed": "dismissed",
}
"""Kind -> the kind that it takes back: of the same person and job, all that happened before it."""


@dataclass(frozen=True)
class Event:
    """One thing that a person did. `received` and `sequence` are set by the store."""

    source: str
    """The event's own id where it happened, unique for the tenant; make one (`new_id`) for a click on our own page."""
    kind: EventKind
    person: str
    job: str
    time: float
    """When it happened; may be long before it was received."""
    received: float = 0.0
    sequence: int = 0


@dataclass(frozen=True)
class Recorded:
    """What became of events: how many are new, and the ids of those that were there already (or twice in the call)."""

    accepted: int
    duplicates: tuple[str, ...]
    last: int
    """Sequence number of the last one accepted; 0 when none was."""


class Events:
    """Events of a tenant. New ones void the answers stored for their people."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, new: Sequence[Event]) -> Recorded:
        """Record events, all or none; of those with one source id the first ever received stays."""
        seen = {
            row["source"]
            for some in parts([one.source for one in new])
            for row in self._scope.rows(self._scope.select(events, events.c.source).where(events.c.source.in_(some)))
        }
        fresh: list[Event] = []
        duplicates: list[Event] = []
        for one in new:
            (duplicates if one.source in seen else fresh).append(one)
            seen.add(one.source)
        first, now = self._scope.draw(len(fresh)), self._scope.clock()
        stamped = [asdict(one) | {"received": now, "sequence": first + place} for place, one in enumerate(fresh)]
        self._scope.insert(events, stamped)
        last = first + len(fresh) - 1 if fresh else 0
        People(self._scope).touch(sorted({one.person for one in fresh}), last)
        return Recorded(len(fresh), tuple(one.source for one in duplicates), last)

    def of_person(self, person: str) -> list[Event]:
        """All that a person did and did not take back, by the time at which it happened."""
        return self.of_people([person])[person]

    def of_people(self, people: Sequence[str]) -> dict[str, list[Event]]:
        """All that each of those people did and did not take back, by the time at which it happened; an empty list for
        nothing."""
        found: dict[str, list[Event]] = {person: [] for person in people}
        for some in parts(list(found)):
            order = [events.c.time, events.c.sequence]
            for one in standing(self._scope.read(Event, events, events.c.person.in_(some), order=order)):
                found[one.person].append(one)
        return found

    def page(self, person: str, after: str | None = None, limit: int = 100) -> Page[Event]:
        """What a person did and took back, last received first."""
        mine = events.c.person == person
        return self._scope.page(Event, events, "sequence", after, limit, mine, descending=True)

    def since(self, sequence: int = 0, limit: int = 1000) -> Page[Event]:
        """Events received after a sequence number, in that order."""
        return self._scope.page(Event, events, "sequence", str(sequence), limit)


def standing(events: Iterable[Event]) -> list[Event]:
    """Of events, oldest first, those that were not taken back, and none of those that take back."""
    newest_first, found, back = list(events)[::-1], [], set()
    for one in newest_first:
        if one.kind in TAKES_BACK:
            back.add((one.person, one.job, TAKES_BACK[one.kind]))
        elif (one.person, one.job, one.kind) not in back:
            found.append(one)
    return found[::-1]

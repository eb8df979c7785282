"""Uploaded résumés: a queue of files to be read, then what was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa

from metier.store.people import People
from metier.store.schema import resumes
from metier.store.scope import Page, Scope, parts
from metier.store.tokens import new_id

ResumeState = Literal["waiting", "reading", "done", "refused"]
MOST_ATTEMPTS = 3
"""A file whose reading was cut off so many times is refused: it may be what cut it off."""


@dataclass(frozen=True)
class Resume:
    """A résumé as the service knows it."""

    id: str
    person: str
    state: ResumeState
    sha256: str
    """Of the file."""
    kind: str
    """`metier.sources.documents.Kind`; empty until it was read."""
    how: str
    """"text layer" or "OCR"; empty until it was read."""
    text: str
    """What a reader sees."""
    hidden: Sequence[Mapping[str, str]]
    """Passages removed as invisible: reason and text."""
    candidate: Mapping[str, Any]
    """`metier.sources.candidate.Candidate` as JSON; empty until it was read."""
    reason: str
    """Why it was refused; empty otherwise."""
    sequence: int
    """Of the upload."""
    made: float
    updated: float


class Resumes:
    """Résumés of a tenant. One that was read, or deleted, voids the answers stored for the person."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, person: str, content: bytes) -> Resume:
        """Queue a file. The same bytes of the same person are not read twice; they count as uploaded last again."""
        hashed = sha256(content).hexdigest()
        same = (resumes.c.person == person) & (resumes.c.sha256 == hashed) & (resumes.c.state != "refused")
        known = self._scope.read(Resume, resumes, same, order=[resumes.c.sequence])
        if known:
            number = self._scope.draw()
            self._change(known[0].id, {"sequence": number}, number)
            return known[0]
        id, now = new_id(), self._scope.clock()
        row: dict[str, Any] = {"id": id, "person": person, "state": "waiting", "sha256": hashed, "content": content}
        row |= {"attempts": 0, "leased": 0.0, "kind": "", "how": "", "text": "", "hidden": [], "candidate": {}}
        row |= {"reason": "", "sequence": self._scope.draw(), "made": now, "updated": now}
        self._scope.insert(resumes, [row])
        return Resume(**{name: row[name] for name in Resume.__dataclass_fields__})

    def get(self, id: str) -> Resume | None:
        """One résumé, if it is there."""
        return next(iter(self._scope.read(Resume, resumes, resumes.c.id == id)), None)

    def of_person(self, person: str, after: str | None = None, limit: int = 100) -> Page[Resume]:
        """A person's résumés, the one uploaded last first."""
        mine = resumes.c.person == person
        return self._scope.page(Resume, resumes, "sequence", after, limit, mine, descending=True)

    def newest(self, people: Sequence[str] | None = None) -> dict[str, Resume]:
        """The résumé that counts, of each of those people (None: of all) who have one.

        It is the one uploaded last among those that were read, whenever they were read.
        """
        chosen = [sa.true()] if people is None else [resumes.c.person.in_(some) for some in parts(people)]
        return {
            one.person: one  # a later one takes the place of an earlier one
            for where in chosen
            for one in self._scope.read(Resume, resumes, where, resumes.c.state == "done", order=[resumes.c.sequence])
        }

    def waiting(self) -> int:
        """How many are still to be read."""
        counted = sa.select(sa.func.count()).where(
            resumes.c.tenant == self._scope.tenant, resumes.c.state.in_(("waiting", "reading"))
        )
        return int(self._scope.connection.execute(counted).scalar_one())

    def claim(self, id: str, lease: float) -> tuple[Resume, bytes] | None:
        """Take a file for `lease` seconds to read it; None if somebody else has it, or it was cut off too often."""
        free = (resumes.c.id == id) & _free(self._scope.clock())
        rows = self._scope.rows(self._scope.select(resumes).where(free))
        if not rows:
            return None
        if rows[0]["attempts"] >= MOST_ATTEMPTS:
            self.refuse(id, f"its reading was cut off {MOST_ATTEMPTS} times")
            return None
        now = self._scope.clock()
        taken = {"state": "reading", "attempts": rows[0]["attempts"] + 1, "leased": now + lease, "updated": now}
        self._scope.update(resumes, taken, resumes.c.id == id)
        row = {**rows[0], **taken}
        return Resume(**{name: row[name] for name in Resume.__dataclass_fields__}), row["content"]

    def done(
        self,
        id: str,
        *,
        kind: str,
        how: str,
        text: str,
        hidden: Sequence[Mapping[str, str]],
        candidate: Mapping[str, Any],
    ) -> bool:
        """Keep what was read and forget the file; False if the résumé was deleted meanwhile."""
        read = {"state": "done", "kind": kind, "how": how, "text": text, "hidden": list(hidden)}
        return self._change(id, read | {"candidate": dict(candidate), "content": None}, self._scope.draw())

    def refuse(self, id: str, reason: str) -> bool:
        """Say why a file cannot be read, in words that quote nothing of it, and forget the file."""
        return self._change(id, {"state": "refused", "reason": reason, "content": None}, self._scope.draw())

    def delete(self, id: str) -> bool:
        """Delete a résumé and say whether it was there."""
        gone = self.get(id)
        if gone is not None:
            self._scope.delete(resumes, resumes.c.id == id)
            People(self._scope).touch([gone.person], self._scope.draw())
        return gone is not None

    def _change(self, id: str, values: Mapping[str, Any], number: int) -> bool:
        self._scope.update(resumes, {**values, "updated": self._scope.clock()}, resumes.c.id == id)
        changed = self.get(id)
        if changed is not None:
            People(self._scope).touch([changed.person], number)
        return changed is not None


def queued(connection: sa.Connection, now: float) -> tuple[str, str] | None:
    """Tenant and id of the résumé that has waited longest, whosever it is; None when nothing waits."""
    oldest = sa.select(resumes.c.tenant, resumes.c.id).where(_free(now)).order_by(resumes.c.made).limit(1)
    row = connection.execute(oldest).one_or_none()
    return None if row is None else (row.tenant, row.id)


def _free(now: float) -> sa.ColumnElement[bool]:
    """Waiting, or being read by somebody whose lease ran out."""
    return (resumes.c.state == "waiting") | ((resumes.c.state == "reading") & (resumes.c.leased < now))

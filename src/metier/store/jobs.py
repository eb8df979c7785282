"""Jobs posted, changed or withdrawn since training."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import sqlalchemy as sa

from metier.data.posting import Posting
from metier.store.recommendations import Recommendations
from metier.store.schema import jobs
from metier.store.scope import Page, Scope


@dataclass(frozen=True)
class Job(Posting):
    """A job of the store. `posted` to `updated` are set by the store."""

    original: Mapping[str, Any] = field(default_factory=dict)
    """The schema.org JobPosting as it was understood: without unknown properties, its HTML cleaned."""
    html: str = ""
    """Sanitised description."""
    posted: bool = True
    """False where no more is known than that a job of the bundle was withdrawn; title and text are empty then."""
    withdrawn: bool = False
    version: int = 0
    """1 when made, one more with each change."""
    sequence: int = 0
    made: float = 0.0
    updated: float = 0.0


@dataclass(frozen=True)
class JobChanges:
    """What became of jobs after some sequence number, each once; `last` is the number to ask from next time.

    A posting that was withdrawn is in both: who applied to it is still known by its words, also where nobody read it
    while it was open.
    """

    posted: tuple[Posting, ...]
    withdrawn: tuple[str, ...]
    last: int


_LAST = sa.select(sa.func.max(jobs.c.sequence)).where(jobs.c.tenant == sa.bindparam("tenant"))
"""Made once: each answer asks for it, and to build it anew takes longer than to run it."""


class Jobs:
    """Jobs of a tenant. Every change voids all stored answers."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, id: str) -> Job | None:
        """One job, if the store holds it."""
        return next(iter(self._scope.read(Job, jobs, jobs.c.id == id)), None)

    def page(self, after: str | None = None, limit: int = 100) -> Page[Job]:
        """Jobs posted here and not withdrawn, by id."""
        return self._scope.page(Job, jobs, "id", after, limit, jobs.c.posted, ~jobs.c.withdrawn)

    def save(self, new: Sequence[Job]) -> None:
        """Post or replace jobs; one that was withdrawn is open again."""
        last = {one.id: one for one in new}
        self._write([{**asdict(one), "posted": True, "withdrawn": False} for one in last.values()])

    def withdraw(self, id: str) -> None:
        """No longer offer a job, be it of the store or of the bundle."""
        self._write([asdict(self.get(id) or Job(id, "", "", posted=False)) | {"withdrawn": True}])

    def last(self) -> int:
        """The sequence number of the last change; 0 without any."""
        return self._scope.connection.execute(_LAST, {"tenant": self._scope.tenant}).scalar() or 0

    def changed(self, after: int = 0, limit: int = 10_000) -> JobChanges:
        """Jobs written after a sequence number, oldest change first; fewer than `limit` changes: there are no more."""
        columns = [jobs.c[one.name] for one in fields(Posting)]
        state = jobs.c.posted.label("here"), jobs.c.withdrawn, jobs.c.sequence
        chosen = self._scope.select(jobs, *columns, *state).where(jobs.c.sequence > after)
        posted, withdrawn, last = [], [], after
        for row in self._scope.rows(chosen.order_by(jobs.c.sequence).limit(limit)):
            last = row["sequence"]
            if row["withdrawn"]:
                withdrawn.append(row["id"])
            if row["here"]:
                posted.append(Posting(**{column.name: row[column.name] for column in columns}))
        return JobChanges(tuple(posted), tuple(withdrawn), last)

    def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        first, now = self._scope.draw(len(rows)), self._scope.clock()
        stamped = [
            row | {"version": 1, "sequence": first + place, "made": now, "updated": now}
            for place, row in enumerate(rows)
        ]
        self._scope.upsert(jobs, stamped, keep=("made",), add=("version",))
        Recommendations(self._scope).void_all()

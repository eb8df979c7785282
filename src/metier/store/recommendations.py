"""Answers that may be served again, and which job was shown how often.

An answer is void once its person did something, changed their profile or had a résumé read, and all are void once a job
changed or another model went live. A person's are deleted; all of a tenant's fall at once by a new generation number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType

import sqlalchemy as sa

from metier.store.schema import erasures, events, exposures, people, recommendations, resumes, tenants
from metier.store.scope import Scope, parts
from metier.store.tokens import digest

Stamp = NewType("Stamp", str)
"""What an answer was computed from."""

_ANSWER = sa.select(
    recommendations.c.model, recommendations.c.made, recommendations.c.body, recommendations.c.generation
).where(
    recommendations.c.tenant == sa.bindparam("tenant"),
    recommendations.c.person == sa.bindparam("person"),
    recommendations.c.filters == sa.bindparam("filters"),
    recommendations.c.generation
    == sa.select(tenants.c.generation).where(tenants.c.id == sa.bindparam("tenant")).scalar_subquery(),
)
"""Made once: to build it anew takes longer than to run it."""


@dataclass(frozen=True)
class Stored:
    """An answer as it was served."""

    model: str
    """Version of the model."""
    made: float
    body: bytes


class Recommendations:
    """Stored answers of a tenant, by person and by a hash of the filters."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, person: str, filters: str) -> Stored | None:
        """The answer stored for a person and filters, if it still holds."""
        asked = {"tenant": self._scope.tenant, "person": person, "filters": filters}
        row = self._scope.connection.execute(_ANSWER, asked).one_or_none()
        if row is None or self._scope.counters.get("generation", row.generation) != row.generation:
            return None  # this transaction may have voided all
        return Stored(row.model, row.made, row.body)

    def stamp(self, person: str) -> Stamp:
        """To be taken before an answer is computed and given to `put` after it."""
        written = [
            sa.select(sa.func.coalesce(sa.func.max(table.c.sequence), 0))
            .where(table.c.tenant == self._scope.tenant, mine)
            .scalar_subquery()
            for table, mine in (
                (events, events.c.person == person),
                (resumes, (resumes.c.person == person) & (resumes.c.state == "done")),  # the one that counts
                (people, people.c.id == person),
                (erasures, erasures.c.subject == digest(person)),
            )
        ]
        numbers = self._scope.connection.execute(sa.select(self._generation(), *written)).one()
        return Stamp(":".join(map(str, numbers)))

    def put(self, person: str, filters: str, model: str, body: bytes, stamp: Stamp) -> bool:
        """Store an answer; False, and nothing done, if what it was computed from has changed since its stamp.

        Parameters
        ----------
        filters : hash of what else shaped the answer, its length included; at most 64 characters.
        """
        if stamp != self.stamp(person):
            return False
        row = {"person": person, "filters": filters, "model": model, "body": body, "made": self._scope.clock()}
        self._scope.upsert(recommendations, [row | {"generation": self._scope.counters["generation"]}])
        return True

    def void(self, people: Sequence[str]) -> None:
        """Forget what is stored for these people."""
        for some in parts(people):
            self._scope.delete(recommendations, recommendations.c.person.in_(some))

    def void_all(self) -> None:
        """Let no answer stored until now be served again."""
        self._scope.counters["generation"] += 1

    def purge(self) -> int:
        """Delete the answers that no longer hold and say how many they were."""
        return self._scope.delete(recommendations, recommendations.c.generation != self._scope.counters["generation"])

    def _generation(self) -> sa.ColumnElement[int]:
        if self._scope.counters:  # this transaction may have voided all
            return sa.literal(self._scope.counters["generation"])
        return sa.select(tenants.c.generation).where(tenants.c.id == self._scope.tenant).scalar_subquery()


class Exposures:
    """How often each job was shown, by day."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, shown: Mapping[str, int], day: int) -> None:
        """Count jobs as shown on a day, numbered from 1970-01-01 UTC."""
        self._scope.upsert(
            exposures,
            [{"job": job, "day": day, "shown": times} for job, times in sorted(shown.items())],
            add=("shown",),
        )

    def since(self, day: int) -> dict[str, int]:
        """How often each job was shown on that day and later."""
        shown = self._scope.select(exposures, exposures.c.job, sa.func.sum(exposures.c.shown).label("shown"))
        rows = self._scope.rows(shown.where(exposures.c.day >= day).group_by(exposures.c.job))
        return {row["job"]: int(row["shown"]) for row in rows}

    def forget(self, before: int) -> int:
        """Delete the counts of days before that one and say how many there were."""
        return self._scope.delete(exposures, exposures.c.day < before)

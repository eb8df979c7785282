"""Completed résumés and what they cost: kept under a key that says all that shaped them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from metier.store.database import Database
from metier.store.schema import calls, completions
from metier.store.scope import parts
from metier.store.upsert import upsert

State = Literal["done", "needs-review", "failed"]
"""End states: usable; the model answered, but with nothing usable; no answer came."""


def completion_key(
    *,
    input: Mapping[str, Any],
    prompt_version: str,
    model: str,
    parameters: Mapping[str, Any],
    cutoff: str,
) -> str:
    """SHA-256, in hexadecimal, of all that shapes a completion. The same five always give the same key.

    Parameters
    ----------
    input : whom it is about and what the prompt shows.
    prompt_version : name, number and digest of the prompt.
    model, parameters : which model, and its settings.
    cutoff : the moment before which everything shown happened.
    """
    parts = {
        "input": input,
        "prompt_version": prompt_version,
        "model": model,
        "parameters": dict(parameters),
        "cutoff": cutoff,
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Completion:
    """One completed résumé, or why there is none."""

    key: str
    dataset: str
    person: str
    prompt: str
    prompt_version: str
    model: str
    parameters: Mapping[str, Any]
    cutoff: str
    state: State
    input: Mapping[str, Any]
    started: datetime
    finished: datetime
    reason: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Spending:
    """Tokens read and written, money, and requests sent."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    calls: int = 0

    @property
    def tokens(self) -> int:
        """Read and written together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
            self.calls + other.calls,
        )


class CompletionStore:
    """Reads and writes completions and their ledger; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, keys: Sequence[str]) -> dict[str, State]:
        """End state of each key that has one."""
        with self._database.read() as connection:
            return {
                key: state
                for some in parts(keys)
                for key, state in connection.execute(
                    sa.select(completions.c.key, completions.c.state).where(completions.c.key.in_(some))
                )
            }

    def read(self, keys: Sequence[str]) -> Iterator[Completion]:
        """The completions of those keys that have one, in no order."""
        names = [one.name for one in fields(Completion)]
        with self._database.read() as connection:
            for some in parts(keys):
                for row in connection.execute(sa.select(completions).where(completions.c.key.in_(some))).mappings():
                    yield Completion(**{name: row[name] for name in names})

    def sent(self, key: str, request: str, attempt: int, model: str, worst: Spending) -> None:
        """Open a row of the ledger; to be called before a request is sent.

        Parameters
        ----------
        request : the request's own id, unique for ever.
        attempt : 1 for the first request of a completion.
        worst : the most it can take: what stays booked when nobody lives to tell its end.
        """
        row: dict[str, Any] = {"id": request, "completion": key, "attempt": attempt, "state": "sent", "status": ""}
        row |= {"model": model, "sent": datetime.now(UTC), **_costs(worst)}
        with self._database.write() as connection:
            connection.execute(sa.insert(calls).values(row))

    def ended(self, request: str, status: str, spent: Spending) -> None:
        """Close a row: "ok" makes it answered, any other status failed."""
        row: dict[str, Any] = {
            "state": "answered" if status == "ok" else "failed",
            "status": status,
            "ended": datetime.now(UTC),
        }
        with self._database.write() as connection:
            connection.execute(sa.update(calls).where(calls.c.id == request).values(row | _costs(spent)))

    def save(self, made: Iterable[Completion]) -> None:
        """Keep completions that reached an end state."""
        with self._database.write() as connection:
            upsert(connection, completions, [asdict(one) for one in made])

    def erase(self, dataset: str, person: str) -> int:
        """Delete all that is kept about a person and say how many completions that was.

        What the calls took stays in the ledger, under no key: a budget does not forget it.
        """
        mine = (completions.c.dataset == dataset) & (completions.c.person == person)
        with self._database.write() as connection:
            keys = sa.select(completions.c.key).where(mine)
            connection.execute(sa.update(calls).where(calls.c.completion.in_(keys)).values(completion=""))
            return connection.execute(sa.delete(completions).where(mine)).rowcount

    def ledger(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """The requests sent for those keys, oldest first."""
        with self._database.read() as connection:
            rows = [
                dict(row)
                for some in parts(keys)
                for row in connection.execute(sa.select(calls).where(calls.c.completion.in_(some))).mappings()
            ]
        return sorted(rows, key=lambda row: (row["sent"], row["id"]))

    def spent(self, keys: Sequence[str]) -> Spending:
        """What all requests for those keys took together, in vain or not."""
        return sum((_spending(row) for row in self.ledger(keys)), Spending())

    def spent_on(self, model: str) -> Spending:
        """What all requests ever sent to a model took together, whomever they were about."""
        costs = (sa.func.coalesce(sa.func.sum(calls.c[name]), 0).label(name) for name in _COSTS)
        summed = sa.select(*costs, sa.func.count().label("calls")).where(calls.c.model == model)
        with self._database.read() as connection:
            return Spending(**connection.execute(summed).mappings().one())

    def overview(self) -> list["ModelOverview"]:
        """What became of all completions and what the requests took, by model."""
        by_state = sa.select(completions.c.model, completions.c.state, sa.func.count().label("people"))
        with self._database.read() as connection:
            counted = connection.execute(by_state.group_by(completions.c.model, completions.c.state)).all()
            asked = set(connection.execute(sa.select(calls.c.model).distinct()).scalars())
        states: dict[str, dict[str, int]] = {}
        for model, state, people in counted:
            states.setdefault(model, {})[state] = people
        return [
            ModelOverview(model, states.get(model, {}), self.spent_on(model)) for model in sorted(asked | states.keys())
        ]


@dataclass(frozen=True)
class ModelOverview:
    """Completions of one model by end state, and what all requests to it took."""

    model: str
    states: Mapping[str, int]
    spent: Spending


_COSTS = ("input_tokens", "output_tokens", "cost")


def _costs(spending: Spending) -> dict[str, Any]:
    return {name: getattr(spending, name) for name in _COSTS}


def _spending(row: Mapping[str, Any]) -> Spending:
    return Spending(**{name: row[name] for name in _COSTS}, calls=1)

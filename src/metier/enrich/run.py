"""Complete many résumés: resumable, several at once, with a ledger row around every request.

A process may be killed at any moment. What reached an end state is never asked again; what was under way is, since
nobody can know whether its answer was lost.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from threading import Event, Lock, Thread
from typing import Any

from metier.enrich.audit import Auditor
from metier.enrich.completion import Completer, Outcome, key_of
from metier.enrich.grounds import Grounds
from metier.enrich.openai_client import Call
from metier.store import Completion, CompletionStore, Spending

A_MOMENT = 0.2
"""Seconds between two looks for Ctrl-C: polars' handler of it lets an endless wait go on, so that none may be used."""


@dataclass
class Tally:
    """How far a run is and what came of it, what earlier runs finished included, but for what it took."""

    total: int
    states: Counter[str] = field(default_factory=Counter)
    here: int = 0
    """End states reached in this run."""
    items: int = 0
    """Items that were audited."""
    unsupported: Counter[str] = field(default_factory=Counter)
    """Items that failed the audit, by class."""
    cost: float = 0.0
    """Of this run's requests, in vain or not."""
    tokens: int = 0
    requests: int = 0

    @property
    def finished(self) -> int:
        """End states reached, in this run or before."""
        return self.states.total()

    @property
    def audit_rate(self) -> float | None:
        """Share of the items that failed the audit; None without items."""
        return self.unsupported.total() / self.items if self.items else None

    def add(self, made: Completion) -> None:
        """Count a completion that reached its end."""
        self.states[made.state] += 1
        self.items += made.audit.get("items", 0)
        self.unsupported.update(made.audit.get("by_class", {}))


@dataclass(frozen=True)
class Plan:
    """What is to be completed, each under its key; `states` says which are at their end."""

    completer: Completer
    dataset: str
    grounds: dict[str, Grounds]
    states: dict[str, str]

    @classmethod
    def make(cls, completer: Completer, dataset: str, grounds: Iterable[Grounds], store: CompletionStore) -> "Plan":
        """Keys of all the people, and what the store knows about them."""
        keyed = {key_of(completer, one, dataset): one for one in grounds}
        return cls(completer, dataset, keyed, dict(store.states(list(keyed))))

    def spent(self, store: CompletionStore) -> Spending:
        """What earlier runs of the same plan took."""
        return store.spent(list(self.grounds))

    def todo(self, *, retry: bool) -> list[str]:
        """Keys without an end state; with `retry` also those whose end is not "done"."""
        return [key for key in self.grounds if self.states.get(key) is None or (retry and self.states[key] != "done")]


def run(
    plan: Plan,
    store: CompletionStore,
    auditor: Auditor,
    *,
    concurrency: int = 1,
    retry: bool = False,
    report: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Bring every person of a plan to an end state.

    Parameters
    ----------
    concurrency : completions under way at once.
    retry : try again what did not end well.
    report : called with the tally after each completion, by one thread at a time.

    Raises
    ------
    BudgetError : the budget is spent; what is under way ends, and everything finished until then is kept.
    KeyboardInterrupt : at once, whatever is waited for; no request is sent after it, and those under way stay open in
        the ledger.
    """
    todo = plan.todo(retry=retry)
    tally = Tally(len(plan.grounds))
    for made in store.read(list(set(plan.states) - set(todo))):
        tally.add(made)
    report(tally)
    work = _Run(plan, store, auditor, iter(todo), tally, report)
    # Daemons: no wait, for an answer or before a retry, keeps an interrupted process alive.
    workers = [Thread(target=work.go_on, daemon=True) for _ in range(concurrency)]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(A_MOMENT)
    except KeyboardInterrupt:
        work.stop.set()
        work.interrupted.set()
        raise
    for error in work.errors:
        raise error
    return tally


@dataclass
class _Run:
    plan: Plan
    store: CompletionStore
    auditor: Auditor
    todo: Iterator[str]
    tally: Tally
    report: Callable[[Tally], None]
    stop: Event = field(default_factory=Event)
    """Nobody new begins."""
    interrupted: Event = field(default_factory=Event)
    """Nothing is sent any more, also for those who began: nobody waits for it."""
    errors: list[BaseException] = field(default_factory=list)
    """What ended workers."""
    lock: Any = field(default_factory=Lock)

    def go_on(self) -> None:
        """Complete one after the other until none is left."""
        try:
            while keys := self.take(self.plan.completer.at_once):
                made = [self.complete(key) for key in keys]
                self.store.save(made)
                with self.lock:
                    for one in made:
                        self.tally.add(one)
                    self.tally.here += len(made)
                    self.report(self.tally)
        except BaseException as error:  # raised again where the run was started
            self.stop.set()
            self.errors.append(error)

    def take(self, most: int) -> Sequence[str]:
        with self.lock:
            return [] if self.stop.is_set() else list(islice(self.todo, most))

    def complete(self, key: str) -> Completion:
        completer, grounds = self.plan.completer, self.plan.grounds[key]

        def on_call(call: Call) -> None:
            if call.status is None:
                if self.interrupted.is_set():
                    raise KeyboardInterrupt
                self.store.sent(key, call.id, call.attempt, completer.model, call.spending)
                return
            self.store.ended(call.id, call.status, call.spending)
            with self.lock:
                self.tally.requests += 1
                self.tally.tokens += call.spending.tokens
                self.tally.cost += call.spending.cost

        started = datetime.now(UTC)
        outcome = completer.complete(grounds, on_call)
        return self.completion(key, outcome, started)

    def completion(self, key: str, outcome: Outcome, started: datetime) -> Completion:
        """What is stored: the answer as it came, and the audit beside it; dropping is left to the reader."""
        completer = self.plan.completer
        grounds = self.plan.grounds[key].only(completer.prompt.shows)
        state, reason, audit = outcome.state, outcome.reason, {}
        if outcome.resume is not None:
            found = self.auditor.audit(outcome.resume, grounds)
            audit = found.as_json()
            if found.items and len(found.unsupported) == found.items:
                state, reason = "needs-review", "no item is supported by what it cites"
        return Completion(
            key=key,
            dataset=self.plan.dataset,
            person=grounds.person,
            prompt=completer.prompt.name,
            prompt_version=completer.prompt.version,
            model=completer.model,
            parameters=dict(completer.parameters),
            cutoff=grounds.cutoff,
            state=state,
            reason=reason,
            input={line.label: {"text": line.text, "job": line.job} for line in grounds.lines},
            content=outcome.resume.model_dump(mode="json") if outcome.resume else {},
            audit=audit,
            input_tokens=outcome.spending.input_tokens,
            output_tokens=outcome.spending.output_tokens,
            cost=outcome.spending.cost,
            started=started,
            finished=datetime.now(UTC),
        )

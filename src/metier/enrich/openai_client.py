"""Any OpenAI-compatible endpoint as a `LanguageModel`: patient with faults, strict with answers, exact with money.

A completion is a conversation of at most three turns: the question and two requests to repair an answer that does not
fit the schema. Each turn is sent until the endpoint answers, `attempts` times at most. The first turns to an endpoint
find out how it can be held to a schema (`structured_output`); the rung that gave a valid answer is remembered.
"""

import copy
import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore
from typing import Self

from metier.enrich.chat_endpoint import Answer, ChatEndpoint, EndpointError, cure
from metier.enrich.circuit_breaker import Admission, CircuitBreaker
from metier.enrich.language_model import Prompt, Reply, Schema
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.pace import Pace, backoff
from metier.enrich.spending import Budget
from metier.enrich.structured_output import (
    LADDER,
    AnswerFormatError,
    Rung,
    messages,
    parse_answer,
    repair,
    response_format,
)
from metier.errors import ModelAnswerError
from metier.store import Spending

REPAIRS = 2
UNSUPPORTED = frozenset({400, 415, 422, 501})
"""Statuses by which an endpoint says that it does not know a `response_format` or a keyword of the schema."""
TEMPLATE_TOKENS = 16
"""Tokens that a chat template adds to a message, generously."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """One request, told twice: before it is sent, with `status` None, and when its end is known."""

    id: str
    """Random; the endpoint sees it as the header X-Client-Request-Id."""
    attempt: int
    """1 for the first request of a completion, 2 for the next, whatever the reason."""
    status: str | None = None
    """ "ok" for any answer, usable or not; else "HTTP 429", "timeout", "connection", "garbled", "interrupted"."""
    spending: Spending = field(default_factory=Spending)
    """What it took; the worst case before that is known, and where it never will be."""


class OpenAIModel:
    """A model behind an OpenAI-compatible endpoint; share one between all threads, so that they share its limits."""

    def __init__(
        self,
        config: LanguageModelConfig,
        *,
        on_call: Callable[[Call], None] | None = None,
        spent: Spending | None = None,
    ) -> None:
        """A client; nothing is sent yet.

        Parameters
        ----------
        on_call : told of every request before it is sent and after its end, in the thread that called `complete`;
            what it raises before a request keeps that from being sent, and goes to the caller.
        spent : what earlier runs took of the same budget.

        Raises
        ------
        ConfigError : the API key's variable is empty.
        """
        self.config = config
        self._on_call = on_call or (lambda call: None)
        self._endpoint = ChatEndpoint(config)
        self._budget = Budget(config.budget_tokens, config.budget_cost, spent=spent)
        self._breaker = CircuitBreaker(config.breaker_failures, config.breaker_pause)
        self._pace = Pace(config.requests_per_minute)
        self._slots = BoundedSemaphore(config.concurrency)
        self._rungs: dict[str, Rung] = {}  # by schema: the rung that gave a valid answer

    @property
    def name(self) -> str:
        """The model's name, as the endpoint knows it."""
        return self.config.model

    @property
    def parameters(self) -> Mapping[str, str | int | float]:
        """Temperature, seed and longest answer; what is not sent is left out."""
        chosen = {"temperature": self.config.temperature, "seed": self.config.seed}
        sent: dict[str, str | int | float] = {name: value for name, value in chosen.items() if value is not None}
        return sent | {"max_tokens": self.config.max_tokens}

    @property
    def spent(self) -> Spending:
        """What all completions took together, and the `spent` that the model began with."""
        return self._budget.spent

    def recording(self, on_call: Callable[[Call], None]) -> Self:
        """The same model, limits and budget shared, that tells another function of its requests.

        So a caller knows whose request it is: `model.recording(lambda call: write(key, call)).complete(...)`.
        """
        other = copy.copy(self)
        other._on_call = on_call
        return other

    def rung(self, schema: Schema) -> Rung | None:
        """How the endpoint is held to this schema; None before the first valid answer."""
        return self._rungs.get(_canonical(schema))

    def complete(self, prompt: Prompt, schema: Schema) -> Reply:
        """The answer to a prompt, valid by the schema.

        Raises
        ------
        ModelAnswerError : the endpoint is down, refuses, or no answer fits the schema; names the model and the
            reason, never the text.
        BudgetError : the next request could break the budget; it was not sent.
        """
        return _Completion(self, prompt, schema).run()


class _Completion:
    """One completion under way: its conversation, its place on the ladder, what it took so far."""

    def __init__(self, model: OpenAIModel, prompt: Prompt, schema: Schema) -> None:
        self.model, self.prompt, self.schema = model, prompt, schema
        remembered = model.rung(schema)
        self.rung: Rung = remembered or LADDER[0]
        self.proven = remembered is not None
        self.repairs: list[dict[str, str]] = []
        self.spent = Spending()
        self.patience = model.config.max_wait  # seconds that may still be waited

    def run(self) -> Reply:
        reason = ""
        for _ in range(1 + REPAIRS):
            answer = self.ask()
            try:
                content = self.read(answer)
            except AnswerFormatError as error:
                reason = str(error)
                whole = answer.text.strip() and answer.finish != "length"
                said = [{"role": "assistant", "content": answer.text}] if whole else []
                self.repairs = [*said, repair(reason, self.schema)]
                if not self.proven:  # perhaps the endpoint ignores what it does not know
                    self.step_down()
                continue
            self.model._rungs[_canonical(self.schema)] = self.rung
            took = self.spent
            return Reply(content, took.input_tokens, took.output_tokens, took.cost, took.calls)
        raise self.failure(f"no usable answer in {1 + REPAIRS} turns; the last: {reason}")

    def read(self, answer: Answer) -> dict[str, object]:
        """The content of an answer; a refusal ends the completion, since asking again would be paid for in vain."""
        if answer.refused:
            raise self.failure("it refuses to answer")
        if answer.finish == "length":
            raise AnswerFormatError(f"it was cut off at {self.model.config.max_tokens} tokens; be shorter")
        return parse_answer(answer.text, self.schema)

    def ask(self) -> Answer:
        """The endpoint's answer to the conversation so far, after as many attempts and steps down as it takes."""
        attempt = 1
        while True:
            try:
                return self.send()
            except EndpointError as error:
                if error.code in UNSUPPORTED and not self.proven and self.step_down():
                    continue
                if not error.transient:
                    raise self.failure(f"{error.status}: {cure(error.code, self.model.config)}") from None
                if attempt == self.model.config.attempts:
                    raise self.failure(f"{error.status} after {attempt} attempts; cure: try again later") from None
                self.pause(attempt, error.retry_after)
                attempt += 1

    def step_down(self) -> bool:
        """Go to the next rung of the ladder that sends something else; False on the last one."""
        now = response_format(self.rung, self.schema)
        for lower in LADDER[LADDER.index(self.rung) + 1 :]:
            if response_format(lower, self.schema) != now:
                self.rung = lower
                return True
        return False

    def pause(self, attempt: int, asked: float | None) -> None:
        """Wait before the next attempt; when the endpoint asks for time, all workers wait."""
        if asked is not None:
            self.model._pace.hold(asked)
        seconds = max(backoff(attempt, self.model.config.backoff), asked or 0.0)
        if seconds > self.patience:
            raise self.failure(f"the wait of {seconds:.0f} s it needs is over max_wait; cure: try again later")
        self.patience -= seconds
        time.sleep(seconds)

    def send(self) -> Answer:
        """One request, once there is a slot, budget, and an endpoint that is up; told to `on_call` and booked."""
        model = self.model
        conversation = [*messages(self.rung, self.prompt, self.schema), *self.repairs]
        form = response_format(self.rung, self.schema)
        with model._slots, model._budget.reserve(self.worst_case(conversation, form)) as reservation:
            reservation.actual = Spending()
            admission = self.admitted()
            alive = False
            try:
                call = Call(uuid.uuid4().hex, self.spent.calls + 1, spending=reservation.worst)
                model._on_call(call)
                reservation.actual = reservation.worst
                status = "interrupted"
                try:
                    answer = model._endpoint.send(conversation, form, call.id)
                    reservation.actual = self.actual(answer, reservation.worst)
                    status, alive = "ok", True
                    return answer
                except EndpointError as error:
                    status, alive = error.status, error.answers
                    if not error.may_cost:
                        reservation.actual = Spending(calls=1)
                    raise
                finally:
                    self.spent += reservation.actual
                    log.debug("request %s, attempt %d: %s", call.id, call.attempt, status)
                    model._on_call(replace(call, status=status, spending=reservation.actual))
            finally:
                model._breaker.report(admission, alive)

    def admitted(self) -> Admission:
        """Wait until pace and breaker let a request go; that time is part of `max_wait`."""
        until = time.monotonic() + self.patience
        if not self.model._pace.wait(self.patience):
            raise self.failure("the endpoint asked for a pause longer than max_wait; cure: try again later")
        admission = self.model._breaker.admit(max(0.0, until - time.monotonic()))
        self.patience = max(0.0, until - time.monotonic())
        if admission == "refused":
            raise self.failure("the endpoint is down; cure: start it, or try again later")
        return admission

    def worst_case(self, conversation: list[dict[str, str]], form: object) -> Spending:
        """A token is at least one byte, and an answer at most `max_tokens`."""
        texts = [*(turn["content"] for turn in conversation), "" if form is None else json.dumps(form)]
        read = sum(len(text.encode()) + TEMPLATE_TOKENS for text in texts)
        return self.priced(read, self.model.config.max_tokens)

    def actual(self, answer: Answer, worst: Spending) -> Spending:
        """By the endpoint's own count; where it does not tell, a bound."""
        written = min(len(answer.text.encode()), worst.output_tokens)
        return self.priced(
            worst.input_tokens if answer.input_tokens is None else answer.input_tokens,
            written if answer.output_tokens is None else answer.output_tokens,
        )

    def priced(self, read: int, written: int) -> Spending:
        config = self.model.config
        return Spending(read, written, (read * config.input_price + written * config.output_price) / 1e6, 1)

    def failure(self, reason: str) -> ModelAnswerError:
        return ModelAnswerError(f"{self.model.name} at {self.model.config.base_url}: {reason}")


def _canonical(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True)

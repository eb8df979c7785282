"""From a person's grounds to a completed résumé, by a language model or without one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable
from uuid import uuid4

from pydantic import ValidationError

from metier.enrich.extractive import Extractor
from metier.enrich.grounds import Grounds
from metier.enrich.language_model import LanguageModel, Prompt, Reply, Schema
from metier.enrich.openai_client import Call
from metier.enrich.prompt import WITHOUT_MODEL, PromptFile
from metier.enrich.resume import Resume
from metier.enrich.taxonomy import Taxonomy
from metier.errors import ModelAnswerError
from metier.store import Spending, State, completion_key

NOTHING = Spending()
OnCall = Callable[[Call], None]


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt to complete a résumé; `resume` only when `state` is "done"."""

    state: State
    resume: Resume | None = None
    reason: str = ""
    spending: Spending = NOTHING


class Completer(Protocol):
    """Completes résumés with one prompt and one model."""

    @property
    def prompt(self) -> PromptFile:
        """The prompt, which also says what may be seen."""

    @property
    def at_once(self) -> int:
        """How many results may share a transaction, and so be lost together when the process dies."""

    @property
    def model(self) -> str:
        """The model's name, "none" without one."""

    @property
    def parameters(self) -> Mapping[str, str | int | float]:
        """The model's settings that shape an answer."""

    def complete(self, grounds: Grounds, on_call: OnCall) -> Outcome:
        """One completed résumé; `on_call` is told of each request before it is sent and after its end."""


class Extractive:
    """No model: `metier.enrich.extractive`."""

    at_once = 100  # making one takes less time than syncing the disk
    model = "none"
    parameters: Mapping[str, str | int | float] = MappingProxyType({})

    def __init__(self, taxonomy: Taxonomy | None = None) -> None:
        self.prompt = PromptFile.read(WITHOUT_MODEL)
        self._extractor = Extractor(taxonomy)

    def complete(self, grounds: Grounds, on_call: OnCall) -> Outcome:
        """Always done, without a call."""
        return Outcome("done", self._extractor.extract(grounds.only(self.prompt.shows)))


class Generative:
    """A prompt put to a language model."""

    at_once = 1  # each was paid for

    def __init__(self, prompt: PromptFile, model: LanguageModel) -> None:
        self.prompt, self._model = prompt, model
        self._schema = prompt.answer_schema()

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def parameters(self) -> Mapping[str, str | int | float]:
        """The model's own."""
        return self._model.parameters

    def complete(self, grounds: Grounds, on_call: OnCall) -> Outcome:
        """The model's answer, or why there is none; nothing is asked about a person of whom nothing is known.

        Raises
        ------
        BudgetError : the budget is spent.
        """
        shown = grounds.only(self.prompt.shows)
        if not shown.lines:
            return Outcome("done", Resume())
        told = _Told(on_call)
        try:
            reply = recording(self._model, told).complete(self.prompt.fill(shown), self._schema)
        except ModelAnswerError as error:
            return Outcome("needs-review" if told.last == "ok" else "failed", None, str(error), told.spending)
        try:
            return Outcome("done", Resume.model_validate(reply.content), "", told.spending)
        except ValidationError as error:
            places = {".".join(map(str, one["loc"])) for one in error.errors(include_input=False)}
            return Outcome("needs-review", None, f"not a résumé: {', '.join(sorted(places))}", told.spending)


def key_of(completer: Completer, grounds: Grounds, dataset: str) -> str:
    """The key of a completion: the person and all that the prompt shows, the prompt, the model, the cut-off."""
    return completion_key(
        input={"dataset": dataset, "person": grounds.person, "facts": grounds.only(completer.prompt.shows).texts()},
        prompt_version=f"{completer.prompt.name}-{completer.prompt.version}",
        model=completer.model,
        parameters=completer.parameters,
        cutoff=grounds.cutoff,
    )


@runtime_checkable
class Recording(LanguageModel, Protocol):
    """A language model that tells of each request, retries and repairs included."""

    def recording(self, on_call: OnCall) -> LanguageModel:
        """The same model, telling another function."""


def recording(model: LanguageModel, on_call: OnCall) -> LanguageModel:
    """`model` telling of its requests; where it knows only whole completions, each counts as one request."""
    return model.recording(on_call) if isinstance(model, Recording) else _WholeCompletions(model, on_call)


@dataclass(frozen=True)
class _WholeCompletions:
    model: LanguageModel
    on_call: OnCall

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.model.parameters

    def complete(self, prompt: Prompt, schema: Schema) -> Reply:
        call = Call(uuid4().hex, 1)
        self.on_call(call)
        try:
            reply = self.model.complete(prompt, schema)
        except ModelAnswerError:
            self.on_call(replace(call, status="ok"))
            raise
        took = Spending(reply.input_tokens, reply.output_tokens, reply.cost, reply.calls)
        self.on_call(replace(call, status="ok", spending=took))
        return reply


class _Told:
    """Passes calls on and remembers how the last one ended and what all of them took."""

    def __init__(self, on_call: OnCall) -> None:
        self.on_call, self.last, self.spending = on_call, "", Spending()

    def __call__(self, call: Call) -> None:
        self.on_call(call)
        if call.status is not None:
            self.last = call.status
            self.spending += call.spending

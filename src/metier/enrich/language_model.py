"""The port to a language model: one method. Implementations: `openai_client`; offline fakes in `metier.testing`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Schema = Mapping[str, Any]
"""A JSON Schema; objects have `additionalProperties` false and name all properties in `required`."""


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: `system` holds the instructions, `user` the data, marked as data."""

    system: str
    user: str


@dataclass(frozen=True)
class Reply:
    """A model's answer, already valid JSON by the schema, and what it took."""

    content: dict[str, Any]
    input_tokens: int
    output_tokens: int
    cost: float  # in the currency of the configured prices; 0.0 where no price is set
    calls: int  # requests sent, failed and repaired ones included


class LanguageModel(Protocol):
    """Anything that answers a prompt with JSON."""

    @property
    def name(self) -> str:
        """The model's name, as it is stored beside each answer."""

    @property
    def parameters(self) -> Mapping[str, str | int | float]:
        """What shapes an answer besides the prompt (temperature, seed, longest answer); part of a completion's key."""

    def complete(self, prompt: Prompt, schema: Schema) -> Reply:
        """The answer to a prompt.

        Raises
        ------
        metier.errors.ModelAnswerError : no answer that fits the schema after all attempts; costs were still booked.
        metier.errors.BudgetError : the budget is spent; nothing was sent.
        """

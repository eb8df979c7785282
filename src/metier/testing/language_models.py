"""Language models without a model: offline fakes of the port `metier.enrich.language_model`."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from metier.enrich.language_model import Prompt, Reply, Schema
from metier.enrich.structured_output import AnswerFormatError, parse_answer
from metier.errors import ModelAnswerError


def example(schema: Mapping[str, Any]) -> Any:
    """The smallest value that fits a schema of objects, arrays, strings, numbers, booleans, enums and `anyOf`.

    >>> example({"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "minItems": 1,
    ...     "items": {"enum": ["x", "y"]}}, "b": {"type": "integer"}}})
    {'a': ['x']}
    """
    return _example(schema, schema.get("$defs", {}))


def _example(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], definitions)
    kind = schema.get("type", "object")
    match kind if isinstance(kind, str) else kind[0]:
        case "object":
            wanted = schema.get("required", ())
            return {name: _example(schema["properties"][name], definitions) for name in wanted}
        case "array":
            return [_example(schema["items"], definitions) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "x" * schema.get("minLength", 0)
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
    return None


class FakeLanguageModel:
    """Answers by a function of prompt and schema, and keeps the prompts it saw. Safe to share between threads.

    The answer is held to the schema as a real one is: text or a value that does not fit is a ModelAnswerError, and so
    is whatever the function raises of that kind. A token is four characters.
    """

    def __init__(
        self,
        answer: Callable[[Prompt, Schema], Any] | None = None,
        *,
        name: str = "fake",
        parameters: Mapping[str, str | int | float] | None = None,
        price: float = 0.0,
    ) -> None:
        """A model called `name`; `answer` is by default the smallest value that fits, `price` that of a token."""
        self._answer = answer or (lambda prompt, schema: example(schema))
        self._name, self._parameters, self._price = name, dict(parameters or {}), price
        self._lock = Lock()
        self.prompts: list[Prompt] = []

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def parameters(self) -> Mapping[str, str | int | float]:
        """As given."""
        return self._parameters

    def complete(self, prompt: Prompt, schema: Schema) -> Reply:
        """The function's answer."""
        import json

        with self._lock:
            self.prompts.append(prompt)
        value = self._answer(prompt, schema)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        try:
            content = parse_answer(text, schema)
        except AnswerFormatError as error:
            raise ModelAnswerError(f"{self.name}: {error}") from None
        read, written = (len(prompt.system) + len(prompt.user)) // 4, len(text) // 4
        return Reply(content, read, written, (read + written) * self._price, 1)

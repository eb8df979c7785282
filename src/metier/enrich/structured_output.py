"""JSON by a schema out of a language model: how to ask each kind of endpoint for it, and what counts as an answer.

Endpoints differ in what they enforce. The ladder goes from the most they can do to the least; each rung says how the
schema is sent. What comes back is trusted on no rung: `parse_answer` reads it strictly and holds it to the schema.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from jsonschema import Draft202012Validator

from metier.enrich.language_model import Prompt, Schema

Rung = Literal["json_schema", "json_schema_bare", "json_object", "plain"]
LADDER: tuple[Rung, ...] = ("json_schema", "json_schema_bare", "json_object", "plain")
"""json_schema: the whole schema, enforced. _bare: without the keywords that strict endpoints refuse. json_object: any
JSON is enforced, the schema stands in the prompt. plain: nothing is enforced, the schema stands in the prompt."""

REFUSED_KEYWORDS = frozenset({"$schema", "$id", "default", "examples", "format", "maxLength", "minLength", "pattern"})
"""Keywords that strict modes of hosted endpoints reject; the answer is held to them all the same."""

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class AnswerFormatError(Exception):
    """An answer is not what was asked for. The message gives the reason in our words and never the answer's text."""


def response_format(rung: Rung, schema: Schema) -> dict[str, Any] | None:
    """The request's `response_format` on a rung; None: not sent."""
    if rung == "plain":
        return None
    if rung == "json_object":
        return {"type": "json_object"}
    sent = bare(schema) if rung == "json_schema_bare" else schema
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": sent}}


def messages(rung: Rung, prompt: Prompt, schema: Schema) -> list[dict[str, str]]:
    """The conversation's start: instructions (with the schema where the endpoint does not enforce it) and data."""
    system = prompt.system
    if rung in ("json_object", "plain"):
        system += f"\n\n{instruction(schema)}"
    return [{"role": "system", "content": system}, {"role": "user", "content": prompt.user}]


def repair(reason: str, schema: Schema) -> dict[str, str]:
    """The turn that asks for a better answer."""
    return {"role": "user", "content": f"That answer cannot be used: {reason}. {instruction(schema)}"}


def instruction(schema: Schema) -> str:
    """How to answer, with the schema as compact JSON on a line of its own."""
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON object and nothing else, by this JSON Schema:\n{text}"


def bare(schema: Any) -> Any:
    """`schema` without `REFUSED_KEYWORDS`; a property may still have such a name.

    >>> bare({"type": "object", "properties": {"format": {"type": "string", "maxLength": 9}}})
    {'type': 'object', 'properties': {'format': {'type': 'string'}}}
    """
    if isinstance(schema, Mapping):
        return {
            key: {name: bare(part) for name, part in value.items()} if key in ("properties", "$defs") else bare(value)
            for key, value in schema.items()
            if key not in REFUSED_KEYWORDS
        }
    return [bare(part) for part in schema] if isinstance(schema, list) else schema


def parse_answer(text: str, schema: Schema) -> dict[str, Any]:
    """The one JSON object in a model's answer, held to the schema.

    Around it there may be a thought in <think> tags, a code fence or prose, as long as no second object could be meant.

    Raises
    ------
    AnswerFormatError : no object or several, a key given twice, NaN or infinity, characters that no database stores,
        or a violation of the schema, named by its place in the schema.
    """
    value = _only_object(_THOUGHT.sub("", text).strip())
    stored = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in stored or any("\ud800" <= character <= "\udfff" for character in stored):
        raise AnswerFormatError("it holds characters that are not text (NUL or half a surrogate pair)")
    violation = next(Draft202012Validator(schema).iter_errors(value), None)
    if violation is not None:
        place = "/".join(map(str, violation.absolute_schema_path))
        raise AnswerFormatError(f"it breaks the schema at {place}")
    return value


def _only_object(text: str) -> dict[str, Any]:
    fenced = _FENCE.findall(text)
    if len(fenced) > 1:
        raise AnswerFormatError("it holds more than one JSON object")
    if fenced and not text.startswith("{"):
        text = fenced[0].strip()
    start = text.find("{")
    if start < 0:
        raise AnswerFormatError("it holds no JSON object")
    decoder = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_constant, parse_float=_finite)
    try:
        value, end = decoder.raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        raise AnswerFormatError("it is not valid JSON") from None
    except ValueError:  # an integer of thousands of digits
        raise AnswerFormatError("it holds a number that cannot be read") from None
    if "{" in text[end:] or "[" in text[:start]:
        raise AnswerFormatError("it holds more than one JSON object")
    return dict(value)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AnswerFormatError("it gives a key twice")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise AnswerFormatError("it holds NaN or Infinity")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise AnswerFormatError("it holds a number that is too large")
    return value

"""The conditions of recommendations as query parameters, each distinct query read once.

FastAPI would read the fourteen parameters one by one with every request, which takes as long as the rest of it.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from metier.serve.records import Asked


@lru_cache(maxsize=4096)
def read_query(query: bytes) -> Asked:
    """Conditions of a query string; RequestValidationError names the parameters that are wrong."""
    given: dict[str, Any] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name == "words":
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    try:
        return Asked.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("query", *one["loc"])} for one in error.errors()]) from None


@lru_cache(maxsize=4096)
def digest_of(asked: Asked) -> str:
    """Hash of what shapes an answer besides the person."""
    return sha256(asked.model_dump_json(exclude={"format"}, exclude_defaults=True).encode()).hexdigest()


def parameters() -> list[dict[str, Any]]:
    """What the OpenAPI document says of them."""
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": schema.get("description", "")}
        for name, schema in Asked.model_json_schema()["properties"].items()
    ]


async def _conditions(request: Request) -> Asked:
    return read_query(request.scope["query_string"])


Conditions = Annotated[Asked, Depends(_conditions)]

"""Cursor paging: a page and where the next one begins."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from metier.serve.problems import Fault, Refused
from metier.sources.storable import storable_text

T = TypeVar("T")
Limit = Annotated[int | None, Query(ge=1, le=1000, description="Entries of the page.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]


class Page(BaseModel, Generic[T]):
    """Entries in order; `next` is null on the last page."""

    items: list[T]
    next: str | None


def cursor_of(key: str | None) -> str | None:
    """The cursor of the last key of a page."""
    return None if key is None else base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(cursor: str | None) -> str | None:
    """The key that a cursor stands for; Refused (422) for one that no page gave."""
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        storable_text(key)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        fault = Fault(where="query.cursor", message="is no cursor that a page gave; cure: `next` of the page before")
        raise Refused(422, "The request does not fit its schema.", errors=[fault]) from None
    return key

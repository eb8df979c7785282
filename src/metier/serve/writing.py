"""Operations that write: one transaction holds the work, its audit and the answer kept under an Idempotency-Key."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from fastapi import Response
from pydantic import BaseModel

from metier.serve.guard import IDEMPOTENCY_HEADER, Call
from metier.serve.problems import Fault, Refused
from metier.store.idempotency import Kept, KeyReusedError
from metier.store.store import Rows

JSON = "application/json"
LONGEST_KEY = 200
ONCE = {
    "parameters": [
        {
            "name": IDEMPOTENCY_HEADER,
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
            "description": "A repeat of the same body under the same key, within a day, gets the answer of the first.",
        }
    ]
}
"""What the document says of an operation that goes through `write_once`."""


def write_once(
    call: Call, status: int, work: Callable[[Rows], BaseModel], *, person: str | None = None, below: str = ""
) -> Response:
    """Do the work, unless the same request came before under the same key: then the answer of the first time.

    Parameters
    ----------
    person : whom the answer is about, so that what is kept of it is erased with them.
    below : what the header Location begins with; the answer's `id` follows.

    Raises
    ------
    Refused : 409 for a key that came with another body, 422 for a key of no use.
    """
    if call.key is not None and not (0 < len(call.key) <= LONGEST_KEY and call.key.isprintable()):
        fault = Fault(where=f"header.{IDEMPOTENCY_HEADER}", message=f"has 1 to {LONGEST_KEY} printable characters")
        raise Refused(422, "The request does not fit its schema.", errors=[fault])
    asked = (call.actor.id, call.key or "", call.operation, call.body_hash)
    with call.service.store.write(call.tenant) as rows:
        try:
            kept = rows.idempotency.find(*asked) if call.key else None
        except KeyReusedError:
            raise Refused(409, f"This {IDEMPOTENCY_HEADER} came with another request before.") from None
        if kept is None:
            answer = work(rows)
            kept = Kept(status, answer.model_dump_json().encode())
            if call.key:
                rows.idempotency.keep(*asked, kept, person=person)
    headers = {"Location": f"{below}/{quote(json.loads(kept.body)['id'])}"} if below else None
    return Response(kept.body, kept.status, headers, JSON)


def of_content(call: Call, hashed: str) -> Call:
    """The call of an upload: its body differs with each sending, what was uploaded does not."""
    return replace(call, body_hash=hashed)

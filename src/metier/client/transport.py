"""One request and its answer: credentials, repeats, problems, pages, NDJSON and files."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx2

from metier.client.answers import Fault

LINES, BYTES = 5_000, 8_000_000
"""Of one NDJSON request, at most."""
PAUSE = 1.0
"""Seconds before a request that got no answer is repeated."""
CHECKED = "/api/v1/accounts/current/password"
"""A PUT that cannot be repeated: it tells the present password, which the first has changed."""


class ApiError(Exception):
    """What the service answered instead: a problem (RFC 9457). Without any answer `status` is 0."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.type: str = problem.get("type", "about:blank")
        self.title: str = problem.get("title", "")
        self.detail: str = problem.get("detail", "")
        self.instance: str = problem.get("instance", "")
        """The request's id, as in the service's log."""
        self.errors: list[Fault] = problem.get("errors", [])
        """What is wrong with the request: `where` and `message`."""
        faults = "".join(f"; {one['where']}: {one['message']}" for one in self.errors)
        request = f" (request {self.instance})" if self.instance else ""
        super().__init__(f"{status or 'no answer'}: {self.detail or self.title}{faults}{request}")


class Transport:
    """A connection to a service.

    Parameters
    ----------
    url : where it is, as "http://127.0.0.1:8000".
    key : an API key; without one, sign in.
    attempts : how often a request is sent at most: again after a 429 that says when (Retry-After), and where a repeat
        does no harm also after such a 503 and after no answer, be it a proxy that got none (502, 504).
        What makes something carries an Idempotency-Key.
    patience : seconds that one wait may last; a longer Retry-After is an error.
    timeout : seconds to wait for an answer.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        attempts: int = 4,
        patience: float = 60.0,
        timeout: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)
        self._attempts, self._patience = attempts, patience

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        file: Path | bytes | None = None,
        lines: bytes | None = None,
        once: bool = False,
    ) -> Any:
        """The answer's JSON or text, None for an empty one; `once`: the operation knows Idempotency-Key."""
        given: dict[str, Any] = {"headers": {"Idempotency-Key": uuid4().hex} if once else {}}
        if params is not None:
            given["params"] = {name: value for name, value in params.items() if value is not None}
        if json is not None:
            given["json"] = json
        if file is not None:
            given["files"] = {"file": (file.name, file.read_bytes()) if isinstance(file, Path) else file}
        if lines is not None:
            given |= {"content": lines, "headers": {"Content-Type": "application/x-ndjson"}}
        harmless = once or lines is not None or method == "GET" or (method == "PUT" and path != CHECKED)
        answer = self._answer(method, path, given, harmless)
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

    def _answer(self, method: str, path: str, given: dict[str, Any], harmless: bool) -> httpx2.Response:
        for left in reversed(range(self._attempts)):
            try:
                answer = self._http.request(method, path, **given)
            except httpx2.TransportError as error:
                if not (left and harmless):
                    raise ApiError(0, {"title": type(error).__name__, "detail": str(error)}) from error
                time.sleep(PAUSE)
                continue
            if answer.is_success:
                break
            if left and harmless and answer.status_code in (502, 504):  # what a proxy says where it got no answer
                time.sleep(PAUSE)
                continue
            after = answer.headers.get("Retry-After", "")
            soon = after.isdigit() and int(after) <= self._patience
            status = answer.status_code
            if not (left and soon and (status == 429 or (status == 503 and harmless))):
                raise ApiError(answer.status_code, _problem(answer))
            time.sleep(int(after))
        return answer

    def _pages(self, path: str, *, params: Mapping[str, Any]) -> Iterator[Any]:
        """All entries; a page is fetched when the one before is used up."""
        cursor = None
        while True:
            page = self._ask("GET", path, params={**params, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _lines(self, path: str, records: Iterable[Any]) -> list[Any]:
        """NDJSON, part by part; what each part became. The numbers of refused lines are those of the part."""
        return [self._ask("POST", path, lines=part) for part in _parts(records)]


def quoted(id: str) -> str:
    """An id as one step of a path."""
    return quote(id, safe="")


def _parts(records: Iterable[Any]) -> Iterator[bytes]:
    part: list[bytes] = []
    size = 0
    for record in records:
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        if part and (len(part) == LINES or size + len(line) > BYTES):
            yield b"".join(part)
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield b"".join(part)


def _problem(answer: httpx2.Response) -> dict[str, Any]:
    """The problem that an answer is, also where a proxy wrote it."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"title": answer.reason_phrase}

"""What surrounds every request, as one plain ASGI application: id, limits, headers, time, log line.

Starlette's BaseHTTPMiddleware would put a task and two queues around each of these.
"""

import math
import re
import time
import uuid
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metier.serve.buckets import Buckets, neighbourhood
from metier.serve.logs import failure
from metier.serve.metrics import Metrics
from metier.serve.problems import Answer, Refused

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)
"""Sent with every answer that does not set them itself: the API needs no script, style, frame or cache."""


class Surroundings:
    """Gives a request its id, refuses what is too large or too often, and accounts for the answer.

    Parameters
    ----------
    largest : the largest body in bytes, of a path.
    strangers : buckets of addresses. A request with credentials is not counted here until it is answered: then it is,
        unless they were found to be somebody's.
    answer : how a refusal is said.
    """

    def __init__(
        self, app: ASGIApp, *, largest: Callable[[str], int], strangers: Buckets, metrics: Metrics, answer: Answer
    ) -> None:
        self.app, self._largest, self._strangers, self._metrics = app, largest, strangers, metrics
        self._answer = answer
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an error that nobody foresaw becomes a problem here and goes no further."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        given = _header(scope, b"x-request-id")
        request = given.decode() if given and _ID.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["id"] = request
        status, seconds, replaced = 0, 0.0, False

        async def sending(message: Message) -> None:
            nonlocal status, seconds, replaced
            if replaced:
                return
            if message["type"] == "http.response.start":
                if state.get("actor") is None and (late := strange_too_often(scope, self._strangers)):
                    await (await self._answer(Request(scope), late))(scope, receive, sending)
                    replaced = True
                    return
                status, seconds = message["status"], time.perf_counter() - began
                headers = list(message.get("headers", ()))
                there = {name.lower() for name, _ in headers}
                headers += [one for one in HEADERS if one[0] not in there]
                headers.append((b"x-request-id", request.encode()))
                message = {**message, "headers": headers}
            await send(message)

        error: Exception | None = None
        try:
            refusal = self._refusal(scope)
            if refusal is None:
                await self.app(scope, self._limited(scope, receive), sending)
            else:
                refusal.headers = {**(refusal.headers or {}), "Connection": "close"}
                await (await self._answer(Request(scope), refusal))(scope, receive, sending)
        except ClientDisconnect:
            pass  # nobody waits for an answer
        except Exception as raised:
            error = raised
            if not status:
                unforeseen = Refused(500, "An error that nobody foresaw; the log has it under this id.")
                await (await self._answer(Request(scope), unforeseen))(scope, receive, sending)
        finally:
            self._account(scope, request, status, seconds, error)

    def _refusal(self, scope: Scope) -> Refused | None:
        """Why a request is turned away before anything is read of it."""
        length = _header(scope, b"content-length")
        most = self._largest(scope["path"])
        if length is not None and (not length.isdigit() or int(length) > most):
            return too_large(most)
        if _header(scope, b"authorization") is None and _header(scope, b"cookie") is None:
            return strange_too_often(scope, self._strangers)
        return None

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """`receive` that ends a body over the limit; its length need not have been announced."""
        most, seen = self._largest(scope["path"]), 0

        async def receiving() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise too_large(most)
            return message

        return receiving

    def _account(self, scope: Scope, request: str, status: int, seconds: float, error: Exception | None) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.answered(scope["method"], route, status or 499, seconds)
        fields = {"request": request, "method": scope["method"], "route": route, "status": status or 499}
        fields["ms"] = round(seconds * 1000, 1)
        actor = scope["state"].get("actor")
        if actor is not None:
            fields |= {"tenant": actor.tenant, "actor": actor.id}
        if error is not None:
            fields |= failure(error)
        (self._log.error if error or status >= 500 else self._log.info)("request", **fields)


def too_large(most: int) -> Refused:
    """The refusal of a body over the limit."""
    return Refused(413, f"The body is larger than {most:,} bytes.")


def too_often(buckets: Buckets, name: str) -> Refused | None:
    """The refusal of somebody whose bucket is empty, or None and a token taken."""
    seconds = buckets.wait(name)
    if not seconds:
        return None
    return Refused(429, "Too many requests; wait.", headers={"Retry-After": str(math.ceil(seconds))})


def strange_too_often(scope: Scope, strangers: Buckets) -> Refused | None:
    """The refusal of an address that asks too often and gives nobody's credentials; a request takes one token only."""
    state = scope["state"]
    if state.get("counted"):
        return None
    state["counted"] = True
    return too_often(strangers, neighbourhood((scope.get("client") or ("", 0))[0]))


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)

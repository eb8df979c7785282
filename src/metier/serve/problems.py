"""Errors as RFC 9457 problem details: one shape for everything that is not a success."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from metier.errors import (
    BundleError,
    DataRejectedError,
    MetierError,
    ShardError,
    StoreError,
    StoreFullError,
    UnknownIdError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
"""The phrases of RFC 9110, whatever the version of Python calls them; a problem's type is made of its title."""
RETRY_SECONDS = "2"
"""Retry-After of a 503: a database that restarts or a queue that is full."""


class Fault(BaseModel):
    """One thing that is wrong with a request; it names the place, never what stood there."""

    where: str
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True, use_attribute_docstrings=True)

    type: str
    """`urn:metier:problem:` and the title in lower case with hyphens."""
    title: str
    status: int
    detail: str
    instance: str
    """The request's id, as in the header X-Request-ID and the log."""
    errors: list[Fault] = []


class Refused(HTTPException):
    """Ends a request with a problem."""

    def __init__(
        self, status: int, detail: str = "", *, errors: list[Fault] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.errors = errors or []


def absent() -> Refused:
    """The answer for what does not exist and for what the asker may not know to exist."""
    return Refused(404, "There is no such thing, or it is not yours to see.")


def busy(detail: str) -> Refused:
    """The answer for a request that may be repeated in a moment."""
    return Refused(503, detail, headers={"Retry-After": RETRY_SECONDS})


def problem(
    status: int, request: str, detail: str = "", errors: list[Fault] | None = None, headers: Any = None
) -> Response:
    """A problem as a response; `request` is the request's id."""
    title = TITLES.get(status, "Error")
    body = Problem(
        type=f"urn:metier:problem:{title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail or f"{title}.",
        instance=request,
        errors=errors or [],
    )
    return Response(body.model_dump_json(), status, headers, MEDIA_TYPE)


def faults(errors: Any) -> list[Fault]:
    """Pydantic's errors without the values that caused them."""
    return [Fault(where=".".join(map(str, one["loc"])), message=_said(one)) for one in errors]


def _said(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def of_metier(error: MetierError) -> Refused:
    """The problem that an error of metier is to whoever asks over HTTP.

    What the caller did wrong keeps its message; what the machine did wrong is said in general words, and by its own
    words in the log.
    """
    if isinstance(error, UnknownIdError):
        return absent()
    if isinstance(error, BundleError | DataRejectedError | UsageError):
        return Refused(422, str(error))
    if isinstance(error, StoreFullError):
        return Refused(507, "There is no room left to write; reading and erasing go on.")
    if isinstance(error, ShardError):
        return busy(f"Not all of the catalogue can be searched: {error}.")
    if isinstance(error, StoreError):
        return busy("The store does not answer; repeat the request.")
    return Refused(500, "")


Answer = Callable[[Request, Refused], Awaitable[Response]]
"""How a refusal is answered."""


async def as_problem(request: Request, refused: Refused) -> Response:
    """A refusal as a problem."""
    return problem(refused.status_code, request.state.id, refused.detail, refused.errors, refused.headers)


def add_handlers(app: FastAPI, answer: Answer) -> None:
    """Make every error of the application, of FastAPI and of Starlette a refusal that `answer` answers."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        headers = dict(error.headers or {})
        return await answer(
            request, error if isinstance(error, Refused) else Refused(error.status_code, headers=headers)
        )

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        return problem(422, request.state.id, "The request does not fit its schema.", faults(error.errors()))

    async def foreseen(request: Request, error: Exception) -> Response:
        assert isinstance(error, MetierError)  # noqa: S101 - registered for it
        return await refused(request, of_metier(error))

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(MetierError, foreseen)

"""A visit to a page: who comes, whether the form is ours, and the answer as HTML with headers that keep it harmless."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Scope

from metier.errors import MetierError
from metier.serve.guard import COOKIE, Call
from metier.serve.middleware import strange_too_often, too_often
from metier.serve.pages.templates import render
from metier.serve.policy import EVERYBODY, POLICY, Actor
from metier.serve.problems import Fault, Refused, absent, as_problem, busy, of_metier
from metier.serve.service import Service
from metier.store.tokens import digest, new_secret

FORM_COOKIE = "metier_form"
"""What a form of somebody who is not signed in must send back (double submit)."""
POLICY_OF_CONTENT = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""`connect-src` lets the script ask for the state of a résumé."""
MOST_FIELDS = 400
"""Of a form; a résumé's form has some for each job and course."""


@dataclass(frozen=True)
class Visit:
    """What an answer knows of its request. `values` are the fields of the query, or of the form that was sent."""

    service: Service
    request: Request
    actor: Actor | None
    csrf: str
    values: Mapping[str, str] = field(default_factory=dict)
    upload: bytes | None = None
    """The file of the form; None where none was chosen."""

    @property
    def call(self) -> Call:
        """What the operations of the API want to know; only for somebody who is signed in."""
        if self.actor is None:
            raise absent()
        return Call(self.service, self.actor, self.request.scope["route"].operation, None, "")

    def guest(self, operation: str) -> Call:
        """The call of a visitor without an account, who belongs to the tenant of the settings."""
        name = self.service.settings.tenant
        tenant = self.service.store.tenant(name)
        if tenant is None:
            raise busy("Nobody has set this service up yet.")
        return Call(self.service, Actor("visitor", tenant.id), operation, None, "")

    @property
    def places(self) -> list[tuple[str, str]]:
        """What the navigation offers: name and path."""
        if self.actor is None:
            public = [("Try it", "/try"), ("Sign in", "/sign-in")]
            return public + ([("Create an account", "/sign-up")] if self.service.settings.sign_up else [])
        operating = [("Dashboard", "/dashboard"), ("Audit", "/audit")]
        own = {
            "seeker": [("Jobs for me", "/jobs"), ("My list", "/mine"), ("Profile", "/profile")],
            "recruiter": [("Postings", "/postings")],
            "admin": [*operating, ("Accounts", "/accounts")],
        }
        return [*own.get(self.actor.role or "", operating), ("Password", "/password")]

    def page(
        self, template: str, status: int = 200, errors: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """A page; `errors` are sentences by the field they stand beside, under "" those of no field."""
        html = render(template, visitor=self, here=self.request.url.path, errors=errors or {}, **values)
        answer = HTMLResponse(html, status, {"Content-Security-Policy": POLICY_OF_CONTENT})
        if self.actor is None and self.request.cookies.get(FORM_COOKIE) != self.csrf:
            secure = self.service.settings.secure_cookies
            answer.set_cookie(FORM_COOKIE, self.csrf, httponly=True, samesite="strict", secure=secure)
        return answer

    def refused(self, error: Refused) -> HTMLResponse:
        """A page that says what is wrong."""
        return self.page("error.html.j2", error.status_code, refusal=error, request_id=self.request.state.id)


Answer = Callable[[Visit], Response]


class Page(Route):
    """A page for all whom the policy lets use an operation of the API: the one whose answer it shows or work it does.

    Parameters
    ----------
    operation : row of `POLICY`; None for everybody.
    change : whether it changes models; see `Service.change`.
    """

    def __init__(
        self, path: str, answer: Answer, operation: str | None = None, method: str = "GET", *, change: bool = False
    ) -> None:
        self.operation = operation or "page"
        rule = POLICY[operation] if operation else EVERYBODY

        async def endpoint(request: Request) -> Response:
            service: Service = request.app.state.service
            actor = await _signed_in(request, service)
            request.state.actor = actor
            visit = Visit(service, request, actor, _csrf(request, actor), _values(request.query_params))
            try:
                _not_too_often(visit)
                if not rule.public and actor is None:
                    return go(f"/sign-in?{urlencode({'next': _here(request)})}")
                if actor is not None and not rule.admits(actor) and not rule.public:
                    raise absent()
                run = service.change if change else run_in_threadpool
                return await run(answer, await _sent(visit) if method == "POST" else visit)
            except MetierError as error:
                return await run_in_threadpool(visit.refused, of_metier(error))
            except HTTPException as error:
                known = error if isinstance(error, Refused) else Refused(error.status_code)
                refused = await run_in_threadpool(visit.refused, known)
                refused.headers.update(error.headers or {})
                return refused

        super().__init__(path, endpoint, methods=[method], name=answer.__name__, include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route`; names the route for metrics and logs."""
        match, child = super().matches(scope)
        return match, {**child, "route": self}


async def as_page(request: Request, refused: Refused) -> Response:
    """A refusal as a page for a browser that asks for one outside the API, else as a problem."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return await as_problem(request, refused)
    service: Service = request.app.state.service
    try:
        actor = await _signed_in(request, service)
    except Exception:  # looking up who comes may be what went wrong, and is in the log already
        actor = None
    answer = Visit(service, request, actor, _csrf(request, actor)).refused(refused)
    answer.headers.update(refused.headers or {})
    return answer


def go(path: str) -> Response:
    """Send the browser on to a page of ours, after a form or to sign in."""
    return RedirectResponse(local(path), 303)


def local(path: str) -> str:
    """A path on this very server, or "/" for anything that a browser could take for another one.

    >>> local("/jobs?k=40"), local("//evil.example"), local("/\\\\evil.example"), local("https://evil.example")
    ('/jobs?k=40', '/', '/', '/')
    """
    harmless = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return quote(path, safe="/?&=%+,;:@-._~!$'()*") if harmless else "/"


def beside(faults: list[Fault]) -> dict[str, str]:
    """Faults of a request as errors by field."""
    parts = ((fault.where.split("."), fault.message) for fault in faults)
    return {next((name for name in reversed(names) if not name.isdecimal()), ""): said for names, said in parts}


async def _signed_in(request: Request, service: Service) -> Actor | None:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    return await service.actors.get(digest(cookie), lambda: service.actor_of_session(cookie))


def _csrf(request: Request, actor: Actor | None) -> str:
    if actor is not None:
        return actor.csrf or ""
    return request.cookies.get(FORM_COOKIE) or new_secret()


def _here(request: Request) -> str:
    """Where to come back to after signing in: the page, but not a form that was sent."""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query if request.method == "GET" else "/"


def _not_too_often(visit: Visit) -> None:
    service, actor = visit.service, visit.actor
    if actor is not None:
        refusal = too_often(service.regulars, actor.id)
    else:
        refusal = strange_too_often(visit.request.scope, service.strangers)
    if refusal:
        raise refusal


def _values(fields: Mapping[str, str]) -> dict[str, str]:
    """What fields say, with the line ends of Unix and without NUL characters, which PostgreSQL refuses."""
    return {name: value.replace("\r\n", "\n").replace("\0", "") for name, value in fields.items()}


async def _sent(visit: Visit) -> Visit:
    """The visit with the fields and the file of its form; Refused (403) for a form that is none of ours."""
    async with visit.request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=1_000_000) as form:
        values = _values({name: value for name, value in form.items() if isinstance(value, str)})
        chosen = [value for value in form.values() if isinstance(value, UploadFile) and value.filename]
        upload = await chosen[0].read() if chosen else None
    given, known = values.pop("csrf", ""), visit.csrf
    cookie = visit.actor is not None or FORM_COOKIE in visit.request.cookies
    if not (cookie and known and compare_digest(given.encode(), known.encode())):
        raise Refused(403, "This form is too old or came from elsewhere. Open the page again and send it once more.")
    return Visit(visit.service, visit.request, visit.actor, known, values, upload)

"""What stands in front of every operation: who asks, whether they may, how often, and whether it was done before."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from metier.serve.buckets import neighbourhood
from metier.serve.middleware import strange_too_often, too_often
from metier.serve.policy import POLICY, Actor
from metier.serve.problems import Refused, absent
from metier.serve.service import Service
from metier.store.tokens import digest

COOKIE = "metier_session"
CSRF_HEADER = "X-CSRF-Token"
IDEMPOTENCY_HEADER = "Idempotency-Key"
_SAFE = {"GET", "HEAD", "OPTIONS"}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Guarded(APIRoute):
    """A route that only those reach whom its row of `POLICY` lets in; without a row it cannot be made.

    Its operation id is the name of its function. Nothing of the body is read before the asker is let in.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        how["operation_id"] = endpoint.__name__
        super().__init__(path, endpoint, **how)

    def get_route_handler(self) -> Handler:
        """FastAPI's handler behind the guard."""
        name = self.operation_id or ""
        rule, handle = POLICY[name], super().get_route_handler()

        async def guarded(request: Request) -> Response:
            service: Service = request.app.state.service
            if rule.public:
                if refusal := strange_too_often(request.scope, service.strangers):
                    raise refusal
            else:
                actor = await identify(request, service)
                request.state.actor = actor
                if refusal := too_often(service.regulars, actor.id):
                    raise refusal
                person = request.path_params.get("person")
                if not rule.admits(actor) or not (person is None or actor.may_see(person)):
                    raise absent()
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:  # PostgreSQL refuses it
                raise Refused(422, "The path or the query holds a NUL character (U+0000); cure: leave it out.")
            if IDEMPOTENCY_HEADER in request.headers:  # the body is kept by the request, so it can be read twice
                request.state.body_hash = sha256(await request.body()).hexdigest()
            return await handle(request)

        return guarded


async def identify(request: Request, service: Service) -> Actor:
    """Who asks, by key or session; Refused: 401 for nobody, 403 for a session that writes without its token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        key = digest(token.strip())
        actor = await service.actors.get(key, lambda: service.actor_of_key(token.strip()))
    elif cookie := request.cookies.get(COOKIE):
        key = digest(cookie)
        actor = await service.actors.get(key, lambda: service.actor_of_session(cookie))
        if actor and request.method not in _SAFE:
            given = request.headers.get(CSRF_HEADER, "")
            if not compare_digest(given.encode(), (actor.csrf or "").encode()):
                raise Refused(403, f"A signed-in browser sends {CSRF_HEADER}, as `csrf` of its session says.")
    else:
        actor = None
    if actor is None:
        raise strange_too_often(request.scope, service.strangers) or Refused(
            401, "A valid API key or session is needed.", headers={"WWW-Authenticate": "Bearer"}
        )
    return actor


def limit_sign_ins(request: Request) -> None:
    """Refused (429) when passwords or tokens are tried too often from an address, or by whoever is signed in."""
    service: Service = request.app.state.service
    actor: Actor | None = getattr(request.state, "actor", None)
    address = request.client.host if request.client else ""
    for name in (neighbourhood(address), *([actor.id] if actor else [])):
        if refusal := too_often(service.sign_ins, name):
            raise refusal


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation knows of its request."""

    service: Service
    actor: Actor
    operation: str
    key: str | None
    """Idempotency-Key."""
    body_hash: str
    """SHA-256 of the body; empty without a key."""

    @property
    def tenant(self) -> str:
        """Whose rows it is about."""
        return self.actor.tenant


async def _call(request: Request) -> Call:
    return Call(
        request.app.state.service,
        request.state.actor,
        request.scope["route"].operation_id,
        request.headers.get(IDEMPOTENCY_HEADER),
        getattr(request.state, "body_hash", ""),
    )


Asking = Annotated[Call, Depends(_call)]

"""Sessions: signing in with a password, out again, and who is signed in."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from metier.serve.guard import COOKIE, Asking, Guarded, limit_sign_ins
from metier.serve.problems import Refused
from metier.serve.records import Record, Sent, moment
from metier.serve.service import Service
from metier.store.accounts import Role
from metier.store.audit import Entry

router = APIRouter(prefix="/api/v1/sessions", route_class=Guarded, tags=["sessions"])
Short = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]


class Credentials(Record):
    """Who wants to sign in."""

    login: Short
    password: Short
    tenant: Short | None = None
    """Name of the tenant; the one of the first start if it is not said."""


class SessionOut(Sent):
    """Who is signed in."""

    account: str
    role: Role | None
    person: str | None
    csrf: str
    """To be sent as X-CSRF-Token with every POST, PUT and DELETE."""


class SessionMade(SessionOut):
    """A new session; its token is in the cookie alone."""

    expires: str


@router.post("", status_code=201)
def sign_in(request: Request, response: Response, body: Credentials) -> SessionMade:
    """Sign in; the session is an HttpOnly cookie. 401 says neither that a login exists nor that it does not."""
    service: Service = request.app.state.service
    limit_sign_ins(request)
    lasting = 3600 * service.settings.session_hours
    tenant = body.tenant or service.settings.tenant
    found = service.store.authentication.sign_in(tenant, body.login, body.password, lasting=lasting)
    if found is None:
        raise Refused(401, "Login or password is wrong.", headers={"WWW-Authenticate": "Bearer"})
    session, token = found
    service.afterwards.audit(session.tenant, Entry(session.account, "session.signed-in", time=service.store.clock()))
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(lasting),
        path="/",
        httponly=True,
        samesite="lax",
        secure=service.settings.secure_cookies,
    )
    return SessionMade(
        account=session.account,
        role=session.role,
        person=session.person,
        csrf=session.csrf,
        expires=moment(session.expires),
    )


@router.get("/current")
def get_session(call: Asking) -> SessionOut:
    """Who is signed in."""
    actor = call.actor
    return SessionOut(account=actor.id, role=actor.role, person=actor.person, csrf=actor.csrf or "")


@router.delete("/current", status_code=204)
def sign_out(call: Asking, request: Request, response: Response) -> None:
    """Sign out; the session ends here and everywhere."""
    call.service.store.authentication.sign_out(request.cookies.get(COOKIE, ""))
    call.service.actors.clear()
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=call.service.settings.secure_cookies)

"""The way in: the first start, signing in and out, an account for somebody who looks for a job; and one's password."""

from fastapi import Response

from metier.errors import UsageError
from metier.serve.guard import limit_sign_ins
from metier.serve.pages import forms
from metier.serve.pages.trial import KEPT
from metier.serve.pages.visit import Page, Visit, beside, go, local
from metier.serve.problems import Refused, absent
from metier.serve.routes.accounts import (
    FirstAccount,
    NewAccount,
    OwnPassword,
    change_password,
    create_account,
    create_first_account,
)
from metier.serve.routes.people import replace_person
from metier.serve.routes.sessions import Credentials, sign_in, sign_out
from metier.store.tokens import PASSWORD_CHARACTERS

HOME = {"seeker": "/jobs", "recruiter": "/postings", "operator": "/dashboard", "admin": "/dashboard"}
"""Where somebody of a role begins."""
SAID = {
    "token": "Enter the token that the service printed when it started.",
    "login": "Enter a name of 1 to 200 characters.",
    "password": f"Enter {PASSWORD_CHARACTERS[0]} to {PASSWORD_CHARACTERS[1]:,} characters.",
    "present": "This is not your present password.",
}


def welcome(visit: Visit) -> Response:
    """The start: for whoever is signed in, the page of their role."""
    if visit.actor is not None:
        return go(HOME[visit.actor.role or "admin"])
    if visit.service.store.setup.needed():
        return go("/first-start")
    return visit.page("welcome.html.j2")


def first_start(visit: Visit) -> Response:
    """The form for the one-time token; gone unless one waits."""
    if not visit.service.store.setup.waiting():
        raise absent()
    return visit.page("first_start.html.j2", login="")


def begin(visit: Visit) -> Response:
    """Make the first administrator and sign them in."""
    typed = {name: visit.values.get(name, "") for name in ("token", "login", "password")}
    try:
        given = forms.checked(FirstAccount, **typed | {"token": typed["token"].strip()})
        made = create_first_account(visit.request, given)
    except Refused as refused:
        if refused.status_code not in (404, 422) or not visit.service.store.setup.waiting():
            raise
        errors = said(refused) or {"token": "This is not the token that was printed last: each start prints a new one."}
        return visit.page("first_start.html.j2", 422, errors, login=typed["login"])
    except UsageError as error:
        return visit.page("first_start.html.j2", 422, {"login": sentence(error)}, login=typed["login"])
    return _signed_in(visit, "/", made.tenant)


def sign_in_form(visit: Visit) -> Response:
    """The form to sign in."""
    if visit.actor is not None:
        return go("/")
    return _sign_in_page(visit)


def enter(visit: Visit) -> Response:
    """Sign in, then go where the visitor wanted to."""
    try:
        return _signed_in(visit, local(visit.values.get("next", "/")), visit.values.get("tenant", "").strip())
    except Refused as refused:
        if refused.status_code not in (401, 422):
            raise
        return _sign_in_page(visit, {"login": "No account has this name and this password."})


def leave(visit: Visit) -> Response:
    """Sign out."""
    answer = go("/")
    if visit.actor is not None:
        sign_out(visit.call, visit.request, answer)
    return answer


def sign_up_form(visit: Visit) -> Response:
    """The form for a new account; what was tried without one comes along, if asked."""
    _allowed(visit)
    return visit.page("sign_up.html.j2", login="", kept=_kept(visit))


def sign_up(visit: Visit) -> Response:
    """Make an account and its person, sign in."""
    _allowed(visit)
    limit_sign_ins(visit.request)
    call, kept = visit.guest("create_account"), _kept(visit)
    login, password = (visit.values.get(name, "") for name in ("login", "password"))
    try:
        account = create_account(call, forms.checked(NewAccount, login=login, password=password, role="seeker"))
    except Refused as refused:
        return visit.page("sign_up.html.j2", 422, said(refused), login=login, kept=kept)
    except UsageError as error:
        return visit.page("sign_up.html.j2", 422, {"login": sentence(error)}, login=login, kept=kept)
    if kept and account.person is not None:
        replace_person(call, account.person, forms.profile(kept), Response())
    return _signed_in(visit, "/jobs?done=welcome" if kept else "/profile?done=welcome")


def password_form(visit: Visit) -> Response:
    """The form for one's own password."""
    notice = "Your password is changed; elsewhere you are signed out." if visit.values.get("done") else ""
    return _password_page(visit, notice=notice)


def set_password(visit: Visit) -> Response:
    """Change one's own password."""
    typed = {name: visit.values.get(name, "") for name in ("present", "password")}
    try:
        change_password(visit.call, visit.request, forms.checked(OwnPassword, **typed))
    except Refused as refused:
        if not refused.errors:
            raise
        return _password_page(visit, said(refused))
    return go("/password?done=changed")


def said(refused: Refused) -> dict[str, str]:
    """What to say beside the fields of an account's form."""
    return {field: SAID.get(field, message) for field, message in beside(refused.errors).items()}


def sentence(error: UsageError) -> str:
    """What is wrong, without the cure."""
    return str(error).partition(";")[0].capitalize() + "."


def _signed_in(visit: Visit, path: str, tenant: str = "") -> Response:
    """On to a page, with the cookie of a new session; Refused (401, 422) for a wrong tenant, login or password."""
    answer = go(path)
    named = {name: visit.values.get(name, "") for name in ("login", "password")}
    sign_in(visit.request, answer, forms.checked(Credentials, **named, tenant=tenant or None))
    return answer


def _password_page(visit: Visit, errors: dict[str, str] | None = None, notice: str = "") -> Response:
    """The form, with the account's name for whoever keeps the visitor's passwords."""
    with visit.service.store.read(visit.call.tenant) as rows:
        account = rows.accounts.get(visit.call.actor.id)
    login = account.login if account else ""
    return visit.page("password.html.j2", 422 if errors else 200, errors, login=login, notice=notice)


def _sign_in_page(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    typed = {name: visit.values.get(name, "") for name in ("login", "tenant")}
    after = local(visit.values.get("next", "/"))
    return visit.page("sign_in.html.j2", 422 if errors else 200, errors, **typed, next=after)


def _kept(visit: Visit) -> dict[str, str]:
    return {name: visit.values[name] for name in KEPT if visit.values.get(name)}


def _allowed(visit: Visit) -> None:
    if not visit.service.settings.sign_up or visit.actor is not None:
        raise absent()


ROUTES = [
    Page("/", welcome),
    Page("/first-start", first_start),
    Page("/first-start", begin, method="POST"),
    Page("/sign-in", sign_in_form),
    Page("/sign-in", enter, method="POST"),
    Page("/sign-out", leave, method="POST"),
    Page("/sign-up", sign_up_form),
    Page("/sign-up/begin", sign_up_form, method="POST"),
    Page("/sign-up", sign_up, method="POST"),
    Page("/password", password_form, "change_password"),
    Page("/password", set_password, "change_password", "POST"),
]

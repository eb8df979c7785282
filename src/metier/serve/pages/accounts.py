"""Pages of an administrator: who may sign in, as what; another password, the end of sessions and of an account."""

from typing import get_args
from urllib.parse import urlencode

from fastapi import Response

from metier.errors import UsageError
from metier.serve.pages import forms
from metier.serve.pages.door import said, sentence
from metier.serve.pages.visit import Page, Visit, go
from metier.serve.problems import Refused, absent
from metier.serve.routes.accounts import (
    NewAccess,
    NewAccount,
    NewPassword,
    NewRole,
    change_access,
    change_role,
    create_account,
    end_sessions,
    list_accounts,
    remove_account,
    reset_password,
    sent,
)
from metier.serve.routes.keys import revoke_key
from metier.serve.routes.keys import sent as sent_key
from metier.store.accounts import Role

ROLES: tuple[Role, ...] = get_args(Role)
DONE = {
    "made": "The account is made.",
    "role": "The role is changed.",
    "password": "The password is set; they are signed out.",
    "sessions": "They are signed out everywhere.",
    "disabled": "The account is disabled: nobody can sign in to it, and its keys are refused.",
    "enabled": "The account is enabled again.",
    "key": "The key is revoked.",
    "removed": "The account is removed, and its keys are revoked.",
}
"""What a page says after something was done."""


def accounts(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    """Accounts of the tenant by name, and the form for another one."""
    page = list_accounts(visit.call, cursor=visit.values.get("cursor"))
    return visit.page(
        "accounts.html.j2",
        422 if errors else 200,
        errors,
        accounts=page.items,
        following=f"/accounts?{urlencode({'cursor': page.next})}" if page.next else "",
        roles=ROLES,
        login=visit.values.get("login", ""),
        role=visit.values.get("role", "recruiter"),
        notice=DONE.get(visit.values.get("done", ""), ""),
    )


def make(visit: Visit) -> Response:
    """Make an account."""
    typed = {name: visit.values.get(name, "") for name in ("login", "password", "role")}
    try:
        create_account(visit.call, forms.checked(NewAccount, **typed))
    except Refused as refused:
        return accounts(visit, said(refused))
    except UsageError as error:
        return accounts(visit, {"login": sentence(error)})
    return go("/accounts?done=made")


def account(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    """One account and what can be done about it."""
    with visit.service.store.read(visit.call.tenant) as rows:
        found, keys = rows.accounts.get(_id(visit)), rows.keys.of(_id(visit))
    if found is None:
        raise absent()
    return visit.page(
        "account.html.j2",
        422 if errors else 200,
        errors,
        account=sent(found),
        keys=[sent_key(key) for key in keys],
        roles=[role for role in ROLES if role != "seeker"],
        notice=DONE.get(visit.values.get("done", ""), ""),
    )


def set_role(visit: Visit) -> Response:
    """Change a role."""
    try:
        change_role(visit.call, _id(visit), forms.checked(NewRole, role=visit.values.get("role", "")))
    except UsageError as error:
        return account(visit, {"": sentence(error)})
    return _done(visit, "role")


def set_password(visit: Visit) -> Response:
    """Set somebody's password."""
    try:
        typed = forms.checked(NewPassword, password=visit.values.get("password", ""))
        reset_password(visit.call, visit.request, _id(visit), typed)
    except Refused as refused:
        if not refused.errors:
            raise
        return account(visit, said(refused))
    return _done(visit, "password")


def sign_out_everywhere(visit: Visit) -> Response:
    """End somebody's sessions."""
    end_sessions(visit.call, _id(visit))
    return _done(visit, "sessions")


def set_access(visit: Visit) -> Response:
    """Disable or enable an account."""
    enabled = visit.values.get("enabled") == "true"
    try:
        change_access(visit.call, _id(visit), NewAccess(enabled=enabled))
    except UsageError as error:
        return account(visit, {"": sentence(error)})
    return _done(visit, "enabled" if enabled else "disabled")


def revoke(visit: Visit) -> Response:
    """Revoke one of the account's keys."""
    revoke_key(visit.call, visit.values.get("key", "")[:64])
    return _done(visit, "key")


def remove(visit: Visit) -> Response:
    """Remove an account."""
    if visit.values.get("sure") != "true":
        return account(visit, {"sure": "Tick the box if the account is to be removed."})
    try:
        remove_account(visit.call, _id(visit))
    except UsageError as error:
        return account(visit, {"": sentence(error)})
    return go("/accounts?done=removed")


def _id(visit: Visit) -> str:
    return visit.values.get("id", "")[:64]


def _done(visit: Visit, what: str) -> Response:
    return go(f"/account?{urlencode({'id': _id(visit), 'done': what})}")


ROUTES = [
    Page("/accounts", accounts, "list_accounts"),
    Page("/accounts", make, "create_account", "POST"),
    Page("/account", account, "list_accounts"),
    Page("/account/role", set_role, "change_role", "POST"),
    Page("/account/password", set_password, "reset_password", "POST"),
    Page("/account/sessions", sign_out_everywhere, "end_sessions", "POST"),
    Page("/account/access", set_access, "change_access", "POST"),
    Page("/account/key", revoke, "revoke_key", "POST"),
    Page("/account/remove", remove, "remove_account", "POST"),
]

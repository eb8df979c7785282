"""Accounts: the first one of a tenant by the one-time token, the others by an administrator; and one's own password."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from metier.serve.guard import COOKIE, Asking, Guarded, limit_sign_ins
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.problems import Fault, Refused, absent
from metier.serve.records import Id, Record, Sent, moment
from metier.serve.routes.sessions import Short
from metier.store.accounts import Account, Role
from metier.store.store import Rows
from metier.store.tokens import PASSWORD_CHARACTERS, fits, hash_password, new_id

router = APIRouter(prefix="/api/v1/accounts", route_class=Guarded, tags=["accounts"])
Login = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]
Password = Annotated[
    str,
    Field(
        min_length=PASSWORD_CHARACTERS[0], max_length=PASSWORD_CHARACTERS[1], json_schema_extra={"format": "password"}
    ),
]

AccountId = Annotated[str, Path(max_length=64, description="The account's id.")]


class FirstAccount(Record):
    """The first administrator."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    """The one-time token that `metier serve` or `metier tenant add` printed."""
    login: Login
    password: Password


class OwnPassword(Record):
    """Another password for whoever knows the present one."""

    present: Short
    password: Password


class NewPassword(Record):
    """A password that an administrator chose."""

    password: Password


class NewRole(Record):
    """What somebody shall be."""

    role: Role


class NewAccess(Record):
    """Whether an account opens."""

    enabled: bool


class NewAccount(Record):
    """Somebody who may sign in."""

    login: Login
    password: Password
    role: Role
    person: Id | None = None
    """A seeker's person; one is made up if there is none."""


class AccountOut(Sent):
    """An account, without its password."""

    id: str
    login: str
    role: Role
    person: str | None
    enabled: bool
    """Whether it opens: if not, nobody signs in to it, and the keys made with it let nobody in."""
    made: str


class FirstAccountOut(AccountOut):
    """The first administrator of a tenant."""

    tenant: str
    """Its name, to be given when signing in."""


def sent(account: Account) -> AccountOut:
    """An account as it is sent."""
    return AccountOut(
        id=account.id,
        login=account.login,
        role=account.role,
        person=account.person,
        enabled=account.enabled,
        made=moment(account.made),
    )


@router.post("/first", status_code=201)
def create_first_account(request: Request, body: FirstAccount) -> FirstAccountOut:
    """Make the first administrator of a tenant with its one-time token; 404 for a wrong token, one that
    a later start replaced, and one that was used."""
    service = request.app.state.service
    limit_sign_ins(request)
    if not service.store.setup.waiting():
        raise absent()
    made = service.store.setup.complete(body.token, body.login, hash_password(body.password))
    if made is None:
        raise absent()
    tenant, account = made
    return FirstAccountOut(**sent(account).model_dump(), tenant=tenant.name)


@router.put("/current/password", status_code=204)
def change_password(call: Asking, request: Request, body: OwnPassword) -> None:
    """Change one's own password, knowing the present one; ends one's other sessions. Limited as signing in is."""
    limit_sign_ins(request)
    id, store = call.actor.id, call.service.store
    with store.read(call.tenant) as rows:
        before = rows.accounts.hashed(id)
    wrong = Refused(422, "The password stays.", errors=[Fault(where="body.present", message="is not your password")])
    if not fits(body.present, before):
        raise wrong
    password, session = hash_password(body.password), request.cookies.get(COOKIE, "")
    with store.write(call.tenant) as rows:
        if not rows.accounts.set_password(id, password, before=before, session=session):  # changed meanwhile
            raise wrong
        rows.audit.append(id, "account.password-changed", id)
    call.service.actors.clear()


@router.get("")
def list_accounts(call: Asking, limit: Limit = None, cursor: Cursor = None) -> Page[AccountOut]:
    """Accounts of the tenant, by login."""
    with call.service.store.read(call.tenant) as rows:
        page = rows.accounts.page(key_of(cursor), limit or call.service.settings.page)
    return Page(items=[sent(one) for one in page.items], next=cursor_of(page.next))


@router.post("", status_code=201)
def create_account(call: Asking, body: NewAccount) -> AccountOut:
    """Make an account; a seeker's person becomes theirs alone to see, recruiters apart."""
    if body.person is not None and body.role != "seeker":
        raise Refused(422, "Only a seeker has a person.")
    person = (body.person or new_id()) if body.role == "seeker" else None
    password = hash_password(body.password)
    with call.service.store.write(call.tenant) as rows:
        account = rows.accounts.add(body.login, password, body.role, person)
        rows.audit.append(call.actor.id, "account.made", account.id, role=account.role)
    return sent(account)


@router.put("/{account}/role")
def change_role(call: Asking, account: AccountId, body: NewRole) -> AccountOut:
    """Change a role; 422 for the last administrator, and to or from a seeker, whose account is one with a person."""
    with call.service.store.write(call.tenant) as rows:
        _there(rows, account)
        rows.accounts.set_role(account, body.role)
        rows.audit.append(call.actor.id, "account.role-changed", account, role=body.role)
        changed = _there(rows, account)
    call.service.actors.clear()
    return sent(changed)


@router.put("/{account}/access")
def change_access(call: Asking, account: AccountId, body: NewAccess) -> AccountOut:
    """Disable an account: its sessions end, and its keys are let in no more until it is enabled again; another process
    may still take a key for `key_cache_seconds`. 422 for the last administrator who is enabled."""
    with call.service.store.write(call.tenant) as rows:
        _there(rows, account)
        rows.accounts.set_enabled(account, body.enabled)
        rows.audit.append(call.actor.id, "account.enabled" if body.enabled else "account.disabled", account)
        changed = _there(rows, account)
    call.service.actors.clear()
    return sent(changed)


@router.put("/{account}/password", status_code=204)
def reset_password(call: Asking, request: Request, account: AccountId, body: NewPassword) -> None:
    """Give somebody another password and end their sessions; 422 for one's own, which asks for the present one."""
    limit_sign_ins(request)
    if account == call.actor.id:
        raise Refused(422, "Your own password is changed with the present one.")
    password = hash_password(body.password)
    with call.service.store.write(call.tenant) as rows:
        _there(rows, account)
        rows.accounts.set_password(account, password)
        rows.audit.append(call.actor.id, "account.password-reset", account)
    call.service.actors.clear()


@router.delete("/{account}/sessions", status_code=204)
def end_sessions(call: Asking, account: AccountId) -> None:
    """Sign somebody out everywhere."""
    with call.service.store.write(call.tenant) as rows:
        _there(rows, account)
        ended = rows.accounts.end_sessions(account)
        rows.audit.append(call.actor.id, "account.sessions-ended", account, sessions=ended)
    call.service.actors.clear()


@router.delete("/{account}", status_code=204)
def remove_account(call: Asking, account: AccountId) -> None:
    """Remove an account, end its sessions and revoke its keys, those too that its keys made; another process may still
    take a key for `key_cache_seconds`. 422 for the last administrator."""
    with call.service.store.write(call.tenant) as rows:
        _there(rows, account)
        keys = [key.id for key in rows.keys.of(account)]
        rows.accounts.delete(account)
        rows.audit.append(call.actor.id, "account.removed", account, keys=keys)
    call.service.actors.clear()


def _there(rows: Rows, account: str) -> Account:
    """An account of the tenant; Refused (404) where there is none."""
    found = rows.accounts.get(account)
    if found is None:
        raise absent()
    return found

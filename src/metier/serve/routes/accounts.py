"""Accounts: the first one by the one-time token, the others by an administrator."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from metier.serve.guard import Asking, Guarded, limit_sign_ins
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.problems import Refused, absent
from metier.serve.records import Id, Record, Sent, moment
from metier.store.accounts import Account, Role
from metier.store.tokens import PASSWORD_CHARACTERS, hash_password, new_id

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


class FirstAccount(Record):
    """The first administrator."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    """The one-time token that `metier serve` printed."""
    login: Login
    password: Password


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
    made: str


def sent(account: Account) -> AccountOut:
    """An account as it is sent."""
    return AccountOut(
        id=account.id, login=account.login, role=account.role, person=account.person, made=moment(account.made)
    )


@router.post("/first", status_code=201)
def create_first_account(request: Request, body: FirstAccount) -> AccountOut:
    """Make the first administrator with the one-time token; 404 once there is one, and for a wrong token."""
    service = request.app.state.service
    limit_sign_ins(request)
    if not service.store.setup.needed():
        raise absent()
    made = service.store.setup.complete(body.token, service.settings.tenant, body.login, hash_password(body.password))
    if made is None:
        raise absent()
    return sent(made[1])


@router.get("")
def list_accounts(call: Asking, limit: Limit = None, cursor: Cursor = None) -> Page[AccountOut]:
    """Accounts of the tenant."""
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


@router.delete("/{account}", status_code=204)
def remove_account(call: Asking, account: Annotated[str, Path(max_length=64)]) -> None:
    """Remove an account and end its sessions; 422 for the last administrator."""
    with call.service.store.write(call.tenant) as rows:
        if rows.accounts.get(account) is None:
            raise absent()
        rows.accounts.delete(account)
        rows.audit.append(call.actor.id, "account.removed", account)
    call.service.actors.clear()

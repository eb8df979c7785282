"""API keys: made, listed, revoked."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from metier.serve.guard import Asking, Guarded
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.problems import absent
from metier.serve.records import Moment, Record, Sent, Word, moment, seconds
from metier.store.keys import ApiKey, KeyScope

router = APIRouter(prefix="/api/v1/keys", route_class=Guarded, tags=["keys"])


class NewKey(Record):
    """A program that shall act for the tenant."""

    label: Word
    scopes: Annotated[list[KeyScope], Field(min_length=1, max_length=7)]
    expires: Moment | None = None


class KeyOut(Sent):
    """A key without its secret."""

    id: str
    prefix: str
    label: str
    scopes: list[KeyScope]
    account: str
    """Whose it is: of the account that made it, or that made the key that made it."""
    made: str
    expires: str | None
    revoked: str | None


class KeyMade(KeyOut):
    """A new key."""

    key: str
    """What the program sends as `Authorization: Bearer`; it cannot be had again."""


def sent(key: ApiKey) -> KeyOut:
    """A key as it is sent."""
    expires, revoked = (None if one is None else moment(one) for one in (key.expires, key.revoked))
    return KeyOut(
        id=key.id,
        prefix=key.prefix,
        label=key.label,
        scopes=list(key.scopes),
        account=key.account,
        made=moment(key.made),
        expires=expires,
        revoked=revoked,
    )


@router.get("")
def list_keys(call: Asking, limit: Limit = None, cursor: Cursor = None) -> Page[KeyOut]:
    """Keys of the tenant, the revoked ones too."""
    with call.service.store.read(call.tenant) as rows:
        page = rows.keys.page(key_of(cursor), limit or call.service.settings.page)
    return Page(items=[sent(one) for one in page.items], next=cursor_of(page.next))


@router.post("", status_code=201)
def create_key(call: Asking, body: NewKey) -> KeyMade:
    """Make a key. A key can only make keys that may no more than itself, and that are its account's as it is."""
    if call.actor.role is None and not set(body.scopes) <= call.actor.scopes:
        raise absent()
    expires = None if body.expires is None else seconds(body.expires)
    with call.service.store.write(call.tenant) as rows:
        maker = rows.keys.get(call.actor.id) if call.actor.role is None else None
        owner = maker.account if maker else call.actor.id
        key, secret = rows.keys.add(body.label, body.scopes, owner, expires)
        rows.audit.append(call.actor.id, "key.made", key.id, scopes=list(key.scopes))
    return KeyMade(**sent(key).model_dump(), key=secret)


@router.delete("/{key}", status_code=204)
def revoke_key(call: Asking, key: Annotated[str, Path(max_length=64)]) -> None:
    """End a key at once; another process may still take it for `key_cache_seconds`."""
    with call.service.store.write(call.tenant) as rows:
        if not rows.keys.revoke(key):
            raise absent()
        rows.audit.append(call.actor.id, "key.revoked", key)
    call.service.actors.clear()

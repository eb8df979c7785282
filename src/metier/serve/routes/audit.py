"""The audit chain: read and verified."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query

from metier.serve.guard import Asking, Guarded
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.records import Sent, moment

router = APIRouter(prefix="/api/v1/audit", route_class=Guarded, tags=["audit"])


class AuditOut(Sent):
    """A row of the chain: ids, versions and numbers, never what a person wrote."""

    number: int
    time: str
    actor: str
    action: str
    object: str
    details: dict[str, Any]
    previous: str
    hash: str


class VerdictOut(Sent):
    """What a check of the whole chain found."""

    rows: int
    hash: str
    """Of the last row that fits; note it elsewhere from time to time."""
    broken: int | None
    """The first row that does not fit; null for a whole chain."""


@router.get("")
def list_audit(
    call: Asking,
    limit: Limit = None,
    cursor: Cursor = None,
    object: Annotated[str | None, Query(max_length=200, description="Only rows about this id.")] = None,
) -> Page[AuditOut]:
    """Rows, newest first."""
    with call.service.store.read(call.tenant) as rows:
        page = rows.audit.page(key_of(cursor), limit or call.service.settings.page, object=object)
    items = [
        AuditOut(**{**vars(one), "time": moment(one.time), "details": json.loads(one.details)}) for one in page.items
    ]
    return Page(items=items, next=cursor_of(page.next))


@router.post("/verify")
def verify_audit(call: Asking) -> VerdictOut:
    """Check every row against the one before it."""
    call.service.afterwards.flush(call.tenant)
    with call.service.store.read(call.tenant) as rows:
        return VerdictOut(**vars(rows.audit.verify()))

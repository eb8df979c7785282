"""People: their profile, made, read, replaced, exported and erased."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Response

from metier.data.workspace import Workspace
from metier.errors import UnknownIdError
from metier.live.neutral import closed, neutral
from metier.operate.erasures import REMAINS, erase_rows, keep_receipt
from metier.operate.holdings import holdings
from metier.serve.askers import is_known, profile_of, stored, trained
from metier.serve.etags import NOTHING, IfMatch, check_unchanged, name_state
from metier.serve.guard import Asking, Call, Guarded
from metier.serve.logs import failure
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.problems import Refused, absent
from metier.serve.records import NO_CONTROL, NewPerson, PersonOut, Profile, Sent, moment
from metier.serve.writing import ONCE, write_once
from metier.store.audit import Entry
from metier.store.people import Person
from metier.store.store import Rows
from metier.store.tokens import new_id

router = APIRouter(prefix="/api/v1/people", route_class=Guarded, tags=["people"])
PersonId = Annotated[str, Path(min_length=1, max_length=200, pattern=NO_CONTROL, description="The person's id.")]


class Receipt(Sent):
    """What was erased."""

    id: str
    erased: dict[str, int]
    """Rows, by table."""
    cleared: bool
    """Whether the database's log is rid of them as well; if not, since somebody was reading there, the service tries
    again every `follow_seconds` until it is."""
    remains: list[str]
    """What is not erased, and which command of the operator reaches it."""


def sent(person: Person) -> PersonOut:
    """A person of the store as they are sent."""
    return PersonOut(id=person.id, updated=moment(person.updated), **profile_of(person).model_dump())


def sent_to_recruiter(person: Person) -> PersonOut:
    """A person without ZIP code and wishes, their words without names, contact data and pronouns where
    `metier.live.neutral` recognises them."""
    whole = sent(person)
    titles = [said for one in whole.titles if (said := closed(neutral(one)))]
    return whole.model_copy(update={"text": closed(neutral(whole.text)), "titles": titles, "zip": None, "wishes": ""})


@router.get("")
def list_people(call: Asking, limit: Limit = None, cursor: Cursor = None) -> Page[PersonOut]:
    """People who came or changed since training, by id."""
    with call.service.store.read(call.tenant) as rows:
        page = rows.people.page(key_of(cursor), limit or call.service.settings.page)
    return Page(items=[sent(one) for one in page.items], next=cursor_of(page.next))


@router.post("", status_code=201, response_model=PersonOut, openapi_extra=ONCE)
def create_person(call: Asking, body: NewPerson) -> Response:
    """Make a person; 409 if there is one of that id. A repeat under the same Idempotency-Key makes nobody."""
    id = body.id or new_id()

    def work(rows: Rows) -> PersonOut:
        if rows.people.get(id) is not None:
            raise Refused(409, "There is a person of this id.")
        return sent(_save(call, rows, id, body))

    return write_once(call, 201, work, person=id, below=router.prefix)


@router.get("/{person}")
def get_person(call: Asking, person: PersonId, answer: Response) -> PersonOut:
    """One person. A recruiter sees only who is discoverable, without names, contact data, ZIP code and wishes, and that
    is audited."""
    with call.service.store.read(call.tenant) as rows:
        found = rows.people.get(person)
        name_state(answer, found.sequence if found else NOTHING)
        if found is None:
            return _trained(call, rows, person)
    if call.actor.role == "recruiter":
        if not found.discoverable:
            raise absent()
        call.service.afterwards.audit(
            call.tenant, Entry(call.actor.id, "person.viewed", person, time=call.service.store.clock())
        )
        return sent_to_recruiter(found)
    return sent(found)


@router.put("/{person}")
def replace_person(
    call: Asking, person: PersonId, body: Profile, answer: Response, if_match: IfMatch = None
) -> PersonOut:
    """Make or replace a profile; it takes the place of what the model was trained on. With If-Match only if nobody
    changed it since it was read."""
    with call.service.store.write(call.tenant) as rows:
        here = rows.people.get(person)
        check_unchanged(if_match, here.sequence if here else NOTHING)
        saved = _save(call, rows, person, body)
    name_state(answer, saved.sequence)
    return sent(saved)


@router.delete("/{person}")
def erase_person(call: Asking, person: PersonId) -> Receipt:
    """Erase what the database keeps of a person: profile, résumés, completed ones too, events, answers, account. Audit
    rows and files stay, as the receipt says; what a bundle learned of them is no longer used."""
    service, workspace = call.service, Workspace(call.service.settings.home)
    with service.store.read(call.tenant) as rows:
        known = is_known(rows, service.models.held(call.tenant), person)
    if not known and call.actor.person != person:
        raise absent()
    service.afterwards.flush(call.tenant)  # nothing of them may be written after they are gone
    held = holdings(service.store, workspace, call.tenant, main=service.settings.tenant)
    made, cleared = erase_rows(service.store, held, call.tenant, person, call.actor.id)
    service.traces = service.traces or not cleared
    service.actors.clear()
    try:
        keep_receipt(workspace, service.store, call.tenant, made, cleared=cleared)
    except OSError as error:  # the rows are gone, and the database tells of it
        structlog.get_logger().error("receipt not kept", tenant=call.tenant, **failure(error))
    return Receipt(id=made.id, erased=dict(made.counts), cleared=cleared, remains=list(REMAINS))


@router.get("/{person}/export")
def export_person(call: Asking, person: PersonId) -> dict[str, list[dict[str, Any]]]:
    """What the database keeps of a person, table by table, and audit rows about them; audited."""
    with call.service.store.read(call.tenant) as rows:
        found = rows.erasure.export(person)
    if not any(found.values()):
        raise absent()
    call.service.afterwards.audit(
        call.tenant, Entry(call.actor.id, "person.exported", person, time=call.service.store.clock())
    )
    return found


def _save(call: Call, rows: Rows, person: str, profile: Profile) -> Person:
    rows.people.save([stored(person, profile)])
    rows.audit.append(call.actor.id, "person.saved", person)
    saved = rows.people.get(person)
    if saved is None:
        raise UnknownIdError("the person was erased while it was written")
    return saved


def _trained(call: Call, rows: Rows, person: str) -> PersonOut:
    """A person of the bundle, who is nobody's to discover."""
    found = trained(rows, call.service.models.held(call.tenant), person)
    if found is None or call.actor.role == "recruiter":
        raise absent()
    place = {name: getattr(found, name) for name in ("city", "state", "country", "zip")}
    return PersonOut(id=person, text=found.text, titles=[], wishes="", discoverable=False, updated=None, **place)

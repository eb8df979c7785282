"""Events: what people did, one at a time; many at once go to `bulk`."""

from fastapi import APIRouter, Response

from metier.live import LiveModel
from metier.serve.askers import is_known
from metier.serve.guard import Asking, Guarded
from metier.serve.policy import Actor
from metier.serve.problems import Fault, Refused, absent
from metier.serve.records import NewEvent, Recorded, seconds
from metier.serve.writing import ONCE, write_once
from metier.store.events import Event
from metier.store.store import Rows
from metier.store.tokens import new_id

router = APIRouter(prefix="/api/v1/events", route_class=Guarded, tags=["events"])


@router.post("", status_code=201, response_model=Recorded, openapi_extra=ONCE)
def record_event(call: Asking, body: NewEvent) -> Response:
    """Record that somebody applied to a job, saw, saved or dismissed it, or took it back; the next answer knows it."""
    if not call.actor.may_see(body.person):
        raise absent()

    def work(rows: Rows) -> Recorded:
        faults = unknown(rows, call.service.models.held(call.tenant), body, call.actor.person)
        if faults:
            raise Refused(422, "The event is about somebody or something unknown.", errors=faults)
        recorded = rows.events.add([event_of(body, call.service.store.clock(), call.actor)])
        return Recorded(accepted=recorded.accepted)

    return write_once(call, 201, work, person=body.person)


def event_of(event: NewEvent, now: float, actor: Actor) -> Event:
    """The store's row of an event that came in.

    Keys speak for the tenant and share its ids. An account's stand behind its own id, apart by a slash, which no id
    holds: it could otherwise take the ids that the board is about to send.
    """
    source = event.id or new_id()
    if actor.role is not None:
        source = f"{actor.id}/{source}"
    happened = now if event.time is None else seconds(event.time)
    return Event(source, event.kind, event.person, event.job, happened)


def unknown(rows: Rows, model: LiveModel | None, event: NewEvent, own: str | None = None) -> list[Fault]:
    """What an event names that neither the store nor the bundle knows."""
    faults = []
    if event.person != own and not is_known(rows, model, event.person):
        faults.append(Fault(where="body.person", message="is nobody known"))
    here = rows.jobs.get(event.job)
    if not (here and here.posted) and (model is None or model.posting(event.job) is None):
        faults.append(Fault(where="body.job", message="is no job known"))
    return faults

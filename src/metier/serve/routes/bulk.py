"""Many at once: NDJSON of people, jobs or events, each line on its own."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from metier.serve.askers import stored
from metier.serve.guard import Asking, Call, Guarded
from metier.serve.ndjson import MEDIA_TYPES, Batch, batches
from metier.serve.paging import Cursor, Limit, cursor_of, key_of
from metier.serve.postings import job_of
from metier.serve.problems import Refused, absent
from metier.serve.records import ImportOut, NewEvent, NewPerson, moment
from metier.serve.records import Refusal as RefusalOut
from metier.serve.routes.events import event_of, unknown
from metier.serve.writing import JSON
from metier.sources.job_posting import JobPosting
from metier.store.imports import ImportKind, Refusal
from metier.store.store import Rows

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["bulk"])
T = TypeVar("T", bound=BaseModel)
Save = Callable[[Rows, list[tuple[int, T]]], tuple[int, int, list[Refusal]]]
"""Writes records; how many were taken and how many were there already, and the lines it set aside."""
NO_ID = "id: is missing, and a repeated call could not tell"


def _body(schema: type[BaseModel]) -> dict[str, Any]:
    line = {"type": "string", "description": f"One {schema.__name__} as JSON a line."}
    return {"requestBody": {"required": True, "content": {MEDIA_TYPES[0]: {"schema": line}}}}


@router.post("/people/bulk", response_model=ImportOut, openapi_extra=_body(NewPerson))
async def bulk_people(call: Asking, request: Request) -> Response:
    """Make or replace people."""

    def save(rows: Rows, lines: list[tuple[int, NewPerson]]) -> tuple[int, int, list[Refusal]]:
        people = [stored(one.id, one) for _, one in lines if one.id is not None]
        rows.people.save(people)
        return len(people), 0, [Refusal(line, NO_ID) for line, one in lines if one.id is None]

    return await _take(call, request, "people", NewPerson, save)


@router.post("/jobs/bulk", response_model=ImportOut, openapi_extra=_body(JobPosting))
async def bulk_jobs(call: Asking, request: Request) -> Response:
    """Post or replace jobs, each with its `@id`."""

    def save(rows: Rows, lines: list[tuple[int, JobPosting]]) -> tuple[int, int, list[Refusal]]:
        jobs = [job_of(one.id, one) for _, one in lines if one.id is not None]
        if jobs:
            rows.jobs.save(jobs)
        return len(jobs), 0, [Refusal(line, f"@{NO_ID}") for line, one in lines if one.id is None]

    return await _take(call, request, "jobs", JobPosting, save)


@router.post("/events/bulk", response_model=ImportOut, openapi_extra=_body(NewEvent))
async def bulk_events(call: Asking, request: Request) -> Response:
    """Record events; one whose id is known counts as a duplicate."""

    def save(rows: Rows, lines: list[tuple[int, NewEvent]]) -> tuple[int, int, list[Refusal]]:
        model, now = call.service.models.held(call.tenant), call.service.store.clock()
        refused, taken = [], []
        for line, one in lines:
            faults = unknown(rows, model, one)
            if faults or one.id is None:
                said = "; ".join(f"{fault.where.removeprefix('body.')}: {fault.message}" for fault in faults)
                refused.append(Refusal(line, said or NO_ID))
            else:
                taken.append(event_of(one, now, call.actor))
        recorded = rows.events.add(taken)
        return recorded.accepted, len(recorded.duplicates), refused

    return await _take(call, request, "events", NewEvent, save)


@router.get("/imports/{import_id}")
def get_import(
    call: Asking, import_id: Annotated[str, Path(max_length=64)], limit: Limit = None, cursor: Cursor = None
) -> ImportOut:
    """A bulk call: what was taken, and the lines that were set aside, page by page."""
    with call.service.store.read(call.tenant) as rows:
        return _sent(rows, import_id, key_of(cursor), limit or call.service.settings.page)


async def _take(call: Call, request: Request, kind: ImportKind, record: type[T], save: Save[T]) -> Response:
    """Import a body batch by batch, each in a transaction; the answer counts lines."""
    id = ""

    def write(batch: Batch[T]) -> str:
        with call.service.store.write(call.tenant) as rows:
            opened = id or rows.imports.start(kind).id
            accepted, duplicates, refused = save(rows, batch.records)
            rows.imports.count(opened, accepted, duplicates, [*batch.refused, *refused])
        return opened

    def end(state: str) -> ImportOut:
        with call.service.store.write(call.tenant) as rows:
            opened = id or rows.imports.start(kind).id
            rows.imports.end(opened, "done" if state == "done" else "failed")
            rows.audit.append(call.actor.id, f"{kind}.imported", opened)
            return _sent(rows, opened, None, call.service.settings.page)

    try:
        async for batch in batches(request, record):
            id = await run_in_threadpool(write, batch)
    except BaseException as error:
        if id:
            await run_in_threadpool(end, "failed")
            if isinstance(error, Refused):
                error.detail = f"{error.detail} The import's id is {id}.".strip()
        raise
    made = await run_in_threadpool(end, "done")
    return Response(made.model_dump_json(), headers={"Location": f"/api/v1/imports/{made.id}"}, media_type=JSON)


def _sent(rows: Rows, id: str, after: str | None, limit: int) -> ImportOut:
    found = rows.imports.get(id)
    if found is None:
        raise absent()
    page = rows.imports.refusals(id, after, limit)
    return ImportOut(
        id=found.id,
        kind=found.kind,
        state=found.state,
        accepted=found.accepted,
        duplicates=found.duplicates,
        refused=found.refused,
        made=moment(found.made),
        refusals=[RefusalOut(line=one.line, reason=one.reason) for one in page.items],
        next=cursor_of(page.next),
    )

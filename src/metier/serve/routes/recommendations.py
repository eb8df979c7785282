"""Recommendations: for a person, for anybody, and why."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from metier.live import Asker, LiveModel
from metier.serve.answers import described_answer, explained, fresh_answer, stored_answer
from metier.serve.askers import asker
from metier.serve.conditions import Conditions, parameters
from metier.serve.csv_export import MEDIA_TYPE, write_csv
from metier.serve.guard import Asking, Call, Guarded
from metier.serve.problems import absent
from metier.serve.records import Anybody, Asked, Id, RaiseOut, Raises, ReasonsOut, Recommendations
from metier.serve.routes.people import PersonId
from metier.serve.writing import JSON

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["recommendations"])
COLUMNS = ("rank", "job", "score", "title", "employer", "city", "state", "country")
AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
JobOf = Annotated[Id, Query(description="The job's id.")]


@router.get(
    "/people/{person}/recommendations",
    response_model=Recommendations,
    responses=AS_CSV,
    openapi_extra={"parameters": parameters()},
)
async def get_recommendations(call: Asking, person: PersonId, asked: Conditions) -> Response:
    """The best open jobs for a person, under conditions. Served again as they are until something about it changes."""
    body = stored_answer(call, call.service.near, person, asked) if call.service.near else None
    if body is None:
        body = await run_in_threadpool(_answer, call, person, asked)
    if asked.format == "json":
        return Response(body, media_type=JSON)
    found = Recommendations.model_validate_json(body)
    rows = ([getattr(one, column) for column in COLUMNS] for one in found.items)
    headers = {"Content-Disposition": 'attachment; filename="recommendations.csv"'}
    return Response(write_csv(COLUMNS, rows), headers=headers, media_type=MEDIA_TYPE)


@router.post("/recommendations", response_model=Recommendations)
async def recommend_to_anybody(call: Asking, body: Anybody) -> Response:
    """The best open jobs for somebody who is described here. Nothing of it is kept."""
    found = await to_thread.run_sync(described_answer, call, body, limiter=call.service.scoring)
    return Response(found, media_type=JSON)


@router.get("/people/{person}/reasons")
def get_reasons(call: Asking, person: PersonId, job: JobOf) -> ReasonsOut:
    """Why a job fits a person: what in their history and words the score rests on, measured by leaving it out."""
    model, who = _asker(call, person, job)
    return explained(model.reasons(who, [job])[0])


@router.get("/people/{person}/raises")
def get_raises(call: Asking, person: PersonId, job: JobOf) -> Raises:
    """Skills that the job asks for and the person does not name, by what each would add if it were true."""
    model, who = _asker(call, person, job)
    items = [RaiseOut(id=one.id, name=one.name, rise=one.rise) for one in model.raises(who, job)]
    return Raises(version=model.version, job=job, items=items)


def _answer(call: Call, person: str, asked: Asked) -> bytes:
    """Stored or fresh."""
    return stored_answer(call, call.service.store, person, asked) or fresh_answer(call, person, asked)


def _asker(call: Call, person: str, job: str) -> tuple[LiveModel, Asker]:
    """The model and the person; Refused (404) where the person or the job is not known."""
    with call.service.store.read(call.tenant) as rows:
        model = call.service.models.of(rows)
        who = asker(rows, model, person)
    if who is None or model.posting(job) is None:
        raise absent()
    return model, who

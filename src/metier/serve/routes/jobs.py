"""Jobs: posted as schema.org JobPosting, read, replaced, withdrawn; who fits one, and what is like it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from metier.serve.csv_export import MEDIA_TYPE, write_csv
from metier.serve.etags import NOTHING, IfMatch, check_unchanged, name_state
from metier.serve.guard import Asking, Guarded
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.postings import document_of, job_of
from metier.serve.problems import Refused, absent
from metier.serve.records import NO_CONTROL, Ranking, Scored, Sent
from metier.serve.routes.recommendations import AS_CSV
from metier.serve.writing import ONCE, write_once
from metier.sources.job_posting import JobPosting
from metier.store.audit import Entry
from metier.store.store import Rows
from metier.store.tokens import new_id

router = APIRouter(prefix="/api/v1/jobs", route_class=Guarded, tags=["jobs"])
JobId = Annotated[str, Path(min_length=1, max_length=200, pattern=NO_CONTROL, description="The job's id.")]
Most = Annotated[int, Query(ge=1, le=200, description="Number of entries.")]


class JobSaved(Sent):
    """A job that was posted or replaced."""

    id: str


@router.get("")
def list_jobs(call: Asking, limit: Limit = None, cursor: Cursor = None) -> Page[dict[str, Any]]:
    """Jobs posted since training, by id, as JSON-LD."""
    with call.service.store.read(call.tenant) as rows:
        page = rows.jobs.page(key_of(cursor), limit or call.service.settings.page)
    return Page(items=[dict(one.original) for one in page.items], next=cursor_of(page.next))


@router.post("", status_code=201, response_model=JobSaved, openapi_extra=ONCE)
def create_job(call: Asking, body: JobPosting) -> Response:
    """Post a job; `@id` is its id, or one is made; 409 if there is one of that id."""
    id = body.id or new_id()

    def work(rows: Rows) -> JobSaved:
        model = call.service.models.held(call.tenant)
        here = rows.jobs.get(id)
        if here is not None or (model is not None and model.posting(id) is not None):
            raise Refused(409, "There is a job of this id.")
        rows.jobs.save([job_of(id, body)])
        rows.audit.append(call.actor.id, "job.posted", id)
        return JobSaved(id=id)

    return write_once(call, 201, work, below=router.prefix)


@router.get("/{job}")
def get_job(call: Asking, job: JobId, answer: Response) -> dict[str, Any]:
    """A job as JSON-LD, of the store or of the bundle."""
    with call.service.store.read(call.tenant) as rows:
        found = rows.jobs.get(job)
    name_state(answer, found.sequence if found else NOTHING)
    if found is not None and found.posted and not found.withdrawn:
        return dict(found.original)
    model = call.service.models.held(call.tenant)
    trained = model.posting(job) if model is not None and found is None else None
    if trained is None:
        raise absent()
    return document_of(trained)


@router.put("/{job}")
def replace_job(call: Asking, job: JobId, body: JobPosting, answer: Response, if_match: IfMatch = None) -> JobSaved:
    """Post a job under this id, or replace it, be it of the store or of the bundle; a withdrawn one is open again. With
    If-Match only if nobody changed it since it was read."""
    with call.service.store.write(call.tenant) as rows:
        here = rows.jobs.get(job)
        check_unchanged(if_match, here.sequence if here else NOTHING)
        rows.jobs.save([job_of(job, body)])
        saved = rows.jobs.get(job)
        name_state(answer, saved.sequence if saved else NOTHING)
        rows.audit.append(call.actor.id, "job.posted", job)
    return JobSaved(id=job)


@router.delete("/{job}", status_code=204)
def withdraw_job(call: Asking, job: JobId) -> None:
    """No longer offer a job."""
    model = call.service.models.held(call.tenant)
    with call.service.store.write(call.tenant) as rows:
        found = rows.jobs.get(job)
        there = not found.withdrawn if found else model is not None and model.posting(job) is not None
        if not there:
            raise absent()
        rows.jobs.withdraw(job)
        rows.audit.append(call.actor.id, "job.withdrawn", job)


@router.get("/{job}/candidates", response_model=Ranking, responses=AS_CSV)
def get_candidates(
    call: Asking, job: JobId, k: Most = 20, format: Annotated[str, Query(pattern="^(json|csv)$")] = "json"
) -> Any:
    """The discoverable people whom a job fits best, without those who dismissed it; nobody for a job that is not open.
    Audited with who they are."""
    service = call.service
    model, found, *of = service.candidates.best(call.tenant, job, k, service.moment)
    details = {"version": model.version, "people": found, "compared": of}
    action = "candidates.exported" if format == "csv" else "candidates.served"
    service.afterwards.audit(call.tenant, Entry(call.actor.id, action, job, details, service.store.clock()))
    if format == "json":
        return Ranking(version=model.version, items=[Scored(id=id, score=score) for id, score in found])
    headers = {"Content-Disposition": 'attachment; filename="candidates.csv"'}
    return Response(write_csv(("id", "score"), found), headers=headers, media_type=MEDIA_TYPE)


@router.get("/{job}/similar")
def get_similar_jobs(call: Asking, job: JobId, k: Most = 20) -> Ranking:
    """Open jobs whose words are most alike."""
    with call.service.store.read(call.tenant) as rows:
        model = call.service.models.of(rows)
    if model.posting(job) is None:
        raise absent()
    found = model.similar(job, k, now=call.service.moment(call.tenant))
    return Ranking(version=model.version, items=[Scored(id=id, score=score) for id, score in found])

"""Résumés: uploaded, read in a confined child, kept as the text that a reader sees."""

from hashlib import sha256
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Path, Response, UploadFile

from metier.serve.askers import is_known
from metier.serve.guard import Asking, Guarded
from metier.serve.paging import Cursor, Limit, Page, cursor_of, key_of
from metier.serve.problems import Fault, Refused, absent, busy
from metier.serve.records import Passage, ResumeOut, ResumeState, moment
from metier.serve.routes.people import PersonId
from metier.serve.writing import ONCE, of_content, write_once
from metier.sources.documents.limits import Limits
from metier.store.resumes import Resume
from metier.store.store import Rows

router = APIRouter(prefix="/api/v1/people/{person}/resumes", route_class=Guarded, tags=["resumes"])


@router.post("", status_code=202, response_model=ResumeState, openapi_extra=ONCE)
def upload_resume(
    call: Asking,
    person: PersonId,
    file: Annotated[UploadFile, File(description="PDF, DOCX, ODT, RTF, HTML, text, PNG, JPEG.")],
) -> Response:
    """Queue a résumé to be read; Location says where its state is. The kind is told by content, never by name."""
    content, most = file.file.read(), Limits().file_bytes
    if not content or len(content) > most:
        fault = Fault(where="body.file", message=f"has 1 to {most:,} bytes")
        raise Refused(422 if not content else 413, "This is no résumé.", errors=[fault])

    def work(rows: Rows) -> ResumeState:
        if call.actor.person != person and not is_known(rows, call.service.models.held(call.tenant), person):
            raise absent()
        if rows.resumes.waiting() >= call.service.settings.parse_queue:
            raise busy("Too many résumés wait to be read; send it again in a moment.")
        resume = rows.resumes.add(person, content)
        rows.audit.append(call.actor.id, "resume.uploaded", person, resume=resume.id)
        return _state(resume)

    once = of_content(call, sha256(person.encode() + b"\0" + content).hexdigest())
    answer = write_once(once, 202, work, person=person, below=f"/api/v1/people/{quote(person)}/resumes")
    call.service.readers.came()
    return answer


@router.get("")
def list_resumes(call: Asking, person: PersonId, limit: Limit = None, cursor: Cursor = None) -> Page[ResumeState]:
    """A person's résumés and what became of them, newest first."""
    with call.service.store.read(call.tenant) as rows:
        if call.actor.person != person and not is_known(rows, call.service.models.held(call.tenant), person):
            raise absent()
        page = rows.resumes.of_person(person, key_of(cursor), limit or call.service.settings.page)
    return Page(items=[_state(one) for one in page.items], next=cursor_of(page.next))


@router.get("/{resume}")
def get_resume(call: Asking, person: PersonId, resume: Annotated[str, Path(max_length=64)]) -> ResumeOut:
    """A résumé: its state, and once it was read the text, what was removed as invisible, and what was recognised."""
    with call.service.store.read(call.tenant) as rows:
        found = rows.resumes.get(resume)
    if found is None or found.person != person:
        raise absent()
    return ResumeOut(
        **_state(found).model_dump(),
        kind=found.kind,
        how=found.how,
        text=found.text,
        hidden=[Passage(**passage) for passage in found.hidden],
        candidate=dict(found.candidate),
    )


def _state(resume: Resume) -> ResumeState:
    return ResumeState(id=resume.id, state=resume.state, reason=resume.reason, made=moment(resume.made))

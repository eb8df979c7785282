"""Pages of somebody without an account: a résumé is read, compared and forgotten."""

import os
from threading import BoundedSemaphore

from fastapi import Response

from metier.errors import DataRejectedError
from metier.serve.answers import described_answer
from metier.serve.askers import of_profile
from metier.serve.pages import forms, samples
from metier.serve.pages.showing import read_as, suggested
from metier.serve.pages.visit import Page, Visit
from metier.serve.problems import busy
from metier.serve.records import Anybody, Profile, Recommendations
from metier.sources.candidate import Contact
from metier.sources.documents.document import Document
from metier.sources.documents.reading import read_document
from metier.sources.documents.recognise import candidate_of

KEPT = ("text", "titles", "city", "state", "country", "zip", "wishes")
"""Fields that the page carries from one form to the next; the service keeps none of them."""
FOR = "for-"
"""Begins the names of the conditions' fields: a job's city is another one than the person's."""
LONGEST = 20_000
"""Characters of a résumé that are compared, as of a profile's own words."""
_places = BoundedSemaphore(os.cpu_count() or 1)
"""Résumés of visitors read at once; nobody waits for a place, for waiting would take a thread from the others."""


def start(visit: Visit) -> Response:
    """Three ways to begin."""
    return _begin(visit)


def pasted(visit: Visit) -> Response:
    """Jobs for a pasted résumé or a sample; what is popular in a place, where that alone is said."""
    if "sample" in visit.values:
        return _read(visit, samples.find(visit.values["sample"]).text.encode())
    text = visit.values.get("text", "").strip()
    place = {name: visit.values[name] for name in ("city", "state", "wishes") if visit.values.get(name, "").strip()}
    if not text and place.keys() <= {"wishes"}:
        return _begin(visit, {"text": "Paste a résumé, or write a few lines about what you do."})
    return _read(visit, text.encode(), field="text") if text else _jobs(visit, place)


def uploaded(visit: Visit) -> Response:
    """Jobs for a file."""
    if not visit.upload:
        return _begin(visit, {"file": forms.FILE if visit.upload is None else forms.EMPTY})
    return _read(visit, visit.upload, field="file")


def narrowed(visit: Visit) -> Response:
    """Jobs under conditions, for the résumé that the page carried."""
    return _jobs(visit, {name: visit.values[name] for name in KEPT if visit.values.get(name)})


def _begin(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    text = visit.values.get("text", "")
    return visit.page("try.html.j2", 422 if errors else 200, errors, samples=samples.SAMPLES, text=text)


def _read(visit: Visit, content: bytes, field: str = "") -> Response:
    """Read a document in a confined child, then show jobs."""
    if not _places.acquire(blocking=False):
        raise busy("Too many résumés are being read; send it again in a moment.")
    try:
        document = read_document(content)
    except DataRejectedError as error:
        return _begin(visit, {field: str(error)})
    finally:
        _places.release()
    try:
        candidate = candidate_of(document)
        contact, titles = candidate.contact, candidate.titles
    except DataRejectedError:  # a few lines are no résumé, and say something all the same
        contact, titles = Contact(), ()
    told = {"text": document.text[:LONGEST], "titles": "\n".join(filter(None, map(forms.word, titles[:50])))}
    place = {name: forms.word(getattr(contact, name)) for name in ("city", "state", "country", "zip")}
    typed = {name: visit.values[name] for name in ("city", "state", "wishes") if visit.values.get(name)}
    kept = {name: value for name, value in (told | place | typed).items() if value}
    return _jobs(visit, kept, document)


def _jobs(visit: Visit, kept: dict[str, str], document: Document | None = None) -> Response:
    narrowing = {name.removeprefix(FOR): value for name, value in visit.values.items() if name.startswith(FOR)}
    asked, typed, errors = forms.conditions(narrowing)
    profile: Profile = forms.profile(kept)
    if not (profile.text or profile.titles):
        asked = asked.model_copy(update={"reasons": False})
    call = visit.guest("recommend_to_anybody")
    found = Recommendations.model_validate_json(described_answer(call, Anybody(profile=profile, asked=asked)))
    model = visit.service.models.held(call.tenant)
    who = of_profile(profile)
    jobs = suggested(model, who, found.items) if model is not None else []
    ordered = {f"{FOR}order": asked.order} if asked.order != "likely" else {}
    return visit.page(
        "tried.html.j2",
        422 if errors else 200,
        {f"{FOR}{name}": said for name, said in errors.items()},
        jobs=jobs,
        acting=False,
        kept=kept,
        hidden=document.hidden if document else (),
        read_as=read_as(document.kind, document.how) if document and visit.upload else "",
        filter=typed,
        order=found.order,
        ordered=ordered,
        conditions={f"{FOR}{name}": value for name, value in typed.items()},
        near=model is not None and model.is_placed(who),
        place=", ".join(part for part in (profile.city, profile.state) if part),
        version=found.version,
    )


ROUTES = [
    Page("/try", start),
    Page("/try", pasted, method="POST"),
    Page("/try/resumes", uploaded, method="POST"),
    Page("/try/jobs", narrowed, method="POST"),
]

"""A résumé as it was read: its state while it is, then every recognised field for the person to correct."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import Response

from metier.serve.pages import forms
from metier.serve.pages.seeker import own, standing
from metier.serve.pages.showing import read_as
from metier.serve.pages.visit import Page, Visit, go
from metier.serve.problems import absent
from metier.serve.records import Profile, ResumeOut
from metier.serve.routes.people import replace_person
from metier.serve.routes.resumes import get_resume
from metier.sources.candidate import Candidate

PLACE = ("city", "state", "country", "zip")
Row = dict[str, str]


def show(visit: Visit) -> Response:
    """What was read, or how far it is."""
    resume = get_resume(visit.call, own(visit), visit.values.get("id", "")[:64])
    if resume.state != "done":
        return visit.page("reading.html.j2", resume=resume, person=own(visit))
    return _form(visit, resume, _typed(Candidate.model_validate(resume.candidate)))


def confirm(visit: Visit) -> Response:
    """Keep the corrections: the record with the résumé, titles and place in the profile that jobs are compared with."""
    person = own(visit)
    resume = get_resume(visit.call, person, visit.values.get("id", "")[:64])
    if resume.state != "done":
        raise absent()
    candidate, errors = forms.candidate(visit.values)
    if candidate is None:
        return _form(visit, resume, dict(visit.values), errors)
    before, etag = standing(visit)
    replace_person(visit.call, person, _profile(before, candidate, resume.text), Response(), etag)
    with visit.service.store.write(visit.call.tenant) as rows:
        rows.resumes.done(
            resume.id,
            kind=resume.kind,
            how=resume.how,
            text=resume.text,
            hidden=[one.model_dump() for one in resume.hidden],
            candidate=candidate.model_dump(mode="json", exclude_none=True),
        )
        rows.audit.append(visit.call.actor.id, "resume.corrected", person, resume=resume.id)
    return go(f"/jobs?{urlencode({'done': 'resume'})}")


def _profile(before: Profile, candidate: Candidate, read: str) -> Profile:
    """The profile with what was confirmed; skills that the résumé does not name are added to the own words."""
    kept = before.model_dump()
    said = f"{read}\n{kept['text']}".casefold()
    added = [skill for skill in candidate.skills if skill.casefold() not in said]
    text = "\n".join(part for part in (kept["text"], ", ".join(added)) if part)
    contact = candidate.contact
    place = {name: forms.word(getattr(contact, name)) or kept[name] for name in PLACE}
    titles = list(dict.fromkeys(filter(None, map(forms.word, candidate.titles))))[:50]
    return forms.checked(Profile, **kept | place | {"text": text, "titles": titles})


def _typed(candidate: Candidate) -> Row:
    """A record as the fields of its form."""
    record = candidate.model_dump(mode="json")
    typed = {f"contact-{name}": value or "" for name, value in record["contact"].items()}
    typed |= {name: record[name] or "" for name in ("headline", "summary")}
    typed |= {name: "\n".join(record[name]) for name in ("skills", "languages")}
    for kind in ("work", "education"):
        for number, entry in enumerate(record[kind]):
            typed |= {f"{kind}-{number}-{name}": value or "" for name, value in entry.items()}
    return typed


def _form(visit: Visit, resume: ResumeOut, typed: Mapping[str, str], errors: dict[str, str] | None = None) -> Response:
    counts = {}
    for kind in ("work", "education"):
        numbers = [int(name.split("-")[1]) for name in typed if re.match(rf"{kind}-\d{{1,3}}-", name)]
        counts[kind] = max(numbers, default=-1) + 1 + (0 if errors else forms.SPARE)
    read = read_as(resume.kind, resume.how)
    return visit.page(
        "resume.html.j2", 422 if errors else 200, errors, resume=resume, typed=typed, counts=counts, read_as=read
    )


ROUTES = [Page("/resume", show, "get_resume"), Page("/resume", confirm, "upload_resume", "POST")]

"""Pages of a person who looks for a job: their list, what they did, their wishes and profile."""

from collections import defaultdict
from io import BytesIO
from urllib.parse import urlencode

from fastapi import Response, UploadFile

from metier.live import Asker, LiveModel
from metier.serve.answers import described_answer, fresh_answer, stored_answer
from metier.serve.askers import asker
from metier.serve.guard import COOKIE
from metier.serve.pages import forms, samples
from metier.serve.pages.showing import JobShown, facts, suggested, title_of
from metier.serve.pages.visit import Page, Visit, beside, go
from metier.serve.problems import Refused, absent
from metier.serve.records import Anybody, NewEvent, PersonOut, Profile, Recommendations, ResumeState
from metier.serve.routes.events import record_event
from metier.serve.routes.people import erase_person, get_person, replace_person
from metier.serve.routes.resumes import list_resumes, upload_resume
from metier.store.store import Rows

DONE = {
    "applied": "Noted: you applied. Jobs like it now count for more.",
    "saved": "Saved. It is under “My list”.",
    "dismissed": "It will not be shown again.",
    "unapplied": "Taken back: you did not apply.",
    "unsaved": "Taken back: it is not saved any more.",
    "undismissed": "Taken back: it may be shown again.",
    "wishes": "The order now follows your wishes.",
    "profile": "Your profile is saved.",
    "resume": "Saved. This is what the jobs below were compared with.",
    "welcome": "Your account is ready.",
}
"""What a page says after something was done."""
CHANGED = (
    "The profile was changed elsewhere since you opened this form. Save again to put what stands here in its place."
)
GROUPS = {"saved": "Saved", "applied": "Applied for", "dismissed": "Not shown any more"}


def own(visit: Visit) -> str:
    """The person whose account this is; Refused (404) for an account without one."""
    if visit.actor is None or visit.actor.person is None:
        raise absent()
    return visit.actor.person


def jobs(visit: Visit) -> Response:
    """The list, with the reasons of each job; for somebody who has said nothing yet, what is popular where they are."""
    person, service = own(visit), visit.service
    asked, typed, errors = forms.conditions(visit.values)
    with service.store.read(visit.call.tenant) as rows:
        model = service.models.of(rows)
        who, did = asker(rows, model, person), done_by(rows, person)
    known = who is not None and bool(who.text.strip() or who.applied)
    asked = asked.model_copy(update={"reasons": known})
    if who is None:
        body = described_answer(visit.call, Anybody(profile=Profile(), asked=asked))
    else:
        body = stored_answer(visit.call, service.store, person, asked) or fresh_answer(visit.call, person, asked)
    found = Recommendations.model_validate_json(body)
    last, about = visit.values.get("done", ""), visit.values.get("job", "")
    ordered = {"order": asked.order} if asked.order != "likely" else {}
    query = typed | ordered | ({"k": str(asked.k)} if asked.k != forms.FIRST else {})
    return visit.page(
        "jobs.html.j2",
        422 if errors else 200,
        errors,
        known=known,
        jobs=suggested(model, who or Asker(), found.items, did),
        acting=True,
        filter=typed,
        order=found.order,
        ordered=ordered,
        place=_place(who),
        near=model.is_placed(who) if who else False,
        wishes=profile_of(visit).wishes,
        samples=samples.SAMPLES,
        k=asked.k,
        more=f"/jobs?{urlencode(typed | ordered | {'k': str(min(asked.k + forms.STEP, forms.MOST))})}",
        back=f"/jobs?{urlencode(query)}" if query else "/jobs",
        version=found.version,
        notice=DONE.get(last, ""),
        undo={"kind": f"un{last}", "job": about} if last in GROUPS and last in did.get(about, ()) else None,
    )


def mine(visit: Visit) -> Response:
    """What the person saved, applied for and dismissed, each job under the last of these."""
    person, service = own(visit), visit.service
    with service.store.read(visit.call.tenant) as rows:
        model = service.models.of(rows)
        who, events, did = asker(rows, model, person), rows.events.of_person(person), done_by(rows, person)
    last = {one.job: one.kind for one in events if one.kind in GROUPS}
    groups = [
        (heading, _named(model, who, [job for job, kind in reversed(last.items()) if kind == group], did))
        for group, heading in GROUPS.items()
    ]
    return visit.page("mine.html.j2", groups=groups, back="/mine", notice=DONE.get(visit.values.get("done", ""), ""))


def act(visit: Visit) -> Response:
    """Save, dismiss or apply, or take that back, then back to where the button was."""
    kind, job = visit.values.get("kind", ""), visit.values.get("job", "")
    record_event(visit.call, forms.checked(NewEvent, kind=kind, person=own(visit), job=job))
    return back(visit, kind, job)


def wish(visit: Visit) -> Response:
    """Change the wishes alone."""
    kept, etag = standing(visit)
    changed = forms.checked(Profile, **kept.model_dump() | {"wishes": visit.values.get("wishes", "").strip()})
    replace_person(visit.call, own(visit), changed, Response(), etag)
    return back(visit, "wishes")


def profile(visit: Visit) -> Response:
    """The profile and the résumés it rests on."""
    return _profile_page(visit)


def save_profile(visit: Visit) -> Response:
    """Replace the profile by what the form says; where it was changed since the form was opened, that is said first."""
    etag = visit.values.get("etag") or None
    try:
        replace_person(visit.call, own(visit), forms.profile(visit.values), Response(), etag)
    except Refused as refused:
        typed = {**Profile().model_dump(), **visit.values, "titles": forms.lines(visit.values.get("titles", ""))}
        if refused.status_code == 412:
            return _profile_page(visit, {"text": CHANGED}, typed, status=412)
        if not refused.errors:
            raise
        return _profile_page(visit, {field: forms.PROFILE[field] for field in beside(refused.errors)}, typed, etag)
    return go("/jobs?done=profile")


def upload(visit: Visit) -> Response:
    """Queue a résumé and go where its state is shown."""
    if not visit.upload:
        return _profile_page(visit, {"file": forms.FILE if visit.upload is None else forms.EMPTY})
    try:
        answer = upload_resume(visit.call, own(visit), UploadFile(BytesIO(visit.upload)))
    except Refused as refused:
        if not refused.errors:
            raise
        return _profile_page(visit, {"file": forms.LARGE})
    state = ResumeState.model_validate_json(bytes(answer.body))
    return go(f"/resume?{urlencode({'id': state.id})}")


def take_sample(visit: Visit) -> Response:
    """Begin with a made-up résumé."""
    sample = samples.find(visit.values.get("sample", ""))
    answer = upload_resume(visit.call, own(visit), UploadFile(BytesIO(sample.text.encode())))
    return go(f"/resume?{urlencode({'id': ResumeState.model_validate_json(bytes(answer.body)).id})}")


def erase(visit: Visit) -> Response:
    """Erase what the database keeps of the person, the account included."""
    if visit.values.get("sure") != "true":
        errors = {"sure": "Tick the box if everything is to be erased."}
        return _profile_page(visit, errors)
    erase_person(visit.call, own(visit))
    answer = go("/")
    answer.delete_cookie(COOKIE)
    return answer


def back(visit: Visit, done: str, job: str = "") -> Response:
    """Where the form was, saying what was done, and with which job."""
    path = visit.values.get("back", "") or "/jobs"
    said = {"done": done, "job": job} if job else {"done": done}
    return go(f"{path}{'&' if '?' in path else '?'}{urlencode(said)}")


def done_by(rows: Rows, person: str) -> dict[str, frozenset[str]]:
    """Kinds of events that stand, by job."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in rows.events.of_person(person):
        found[one.job].add(one.kind)
    return {job: frozenset(kinds) for job, kinds in found.items()}


def _named(model: LiveModel, who: Asker | None, ids: list[str], did: dict[str, frozenset[str]]) -> list[JobShown]:
    postings = ((id, model.posting(id)) for id in ids)
    return [JobShown(id, title_of(one), facts(one, who), events=did[id]) for id, one in postings if one is not None]


def _place(who: Asker | None) -> str:
    return ", ".join(part for part in (who.city, who.state, who.zip) if part) if who else ""


def profile_of(visit: Visit) -> Profile:
    """The profile as it stands; an empty one for somebody new."""
    return standing(visit)[0]


def standing(visit: Visit) -> tuple[Profile, str]:
    """The profile as it stands, an empty one for somebody new, and its ETag."""
    answer = Response()
    try:
        found: PersonOut = get_person(visit.call, own(visit), answer)
    except Refused as refused:
        if refused.status_code != 404:
            raise
        return Profile(), answer.headers["ETag"]
    return Profile.model_construct(**found.model_dump(include=set(Profile.model_fields))), answer.headers["ETag"]


def _profile_page(
    visit: Visit,
    errors: dict[str, str] | None = None,
    typed: object = None,
    etag: str | None = None,
    status: int = 422,
) -> Response:
    """The page with what was typed in its form, or what stands; `etag` of what the form was filled from."""
    stands, current = standing(visit)
    return visit.page(
        "profile.html.j2",
        status if errors else 200,
        errors,
        profile=typed or stands.model_dump(),
        etag=etag or current,
        resumes=list_resumes(visit.call, own(visit)).items,
        samples=samples.SAMPLES,
        person=own(visit),
        notice=DONE.get(visit.values.get("done", ""), ""),
    )


ROUTES = [
    Page("/jobs", jobs, "get_recommendations"),
    Page("/mine", mine, "get_recommendations"),
    Page("/jobs/events", act, "record_event", "POST"),
    Page("/wishes", wish, "replace_person", "POST"),
    Page("/profile", profile, "replace_person"),
    Page("/profile", save_profile, "replace_person", "POST"),
    Page("/resumes", upload, "upload_resume", "POST"),
    Page("/samples", take_sample, "upload_resume", "POST"),
    Page("/profile/erase", erase, "erase_person", "POST"),
]

"""Pages of a recruiter: the postings of their tenant, and people for one of them, with the reasons. Nobody is rejected
here: the page orders people who want to be found, and says what the order rests on. Of a résumé it shows no line, only
skills that the posting names too."""

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import Response

from metier.live import Wishes
from metier.live.neutral import neutral
from metier.serve.answers import explained
from metier.serve.askers import askers
from metier.serve.pages.showing import JobShown, WhyShown, facts, title_of, why
from metier.serve.pages.visit import Page, Visit
from metier.serve.problems import Refused, absent
from metier.serve.records import PersonOut
from metier.serve.routes.jobs import get_candidates, list_jobs
from metier.serve.routes.people import get_person

MOST_PEOPLE = 10
"""On one page: each comes with reasons, which are measured."""
MOST_SKILLS = 3
"""In the heading of somebody who names no job."""


def postings(visit: Visit) -> Response:
    """Jobs posted since training, by id."""
    page = list_jobs(visit.call, cursor=visit.values.get("cursor"))
    with visit.service.store.read(visit.call.tenant) as rows:
        model = visit.service.models.of(rows)
    found = ((one["@id"], model.posting(one["@id"])) for one in page.items)
    return visit.page(
        "postings.html.j2",
        jobs=[JobShown(id, title_of(one), facts(one)) for id, one in found if one is not None],
        following=f"/postings?{urlencode({'cursor': page.next})}" if page.next else "",
        version=model.version,
    )


def people(visit: Visit) -> Response:
    """The discoverable people whom a posting fits best; each of them is audited as seen."""
    job = visit.values.get("job", "")
    ranking = get_candidates(visit.call, job, MOST_PEOPLE, "json")
    ids = [one.id for one in ranking.items]
    with visit.service.store.read(visit.call.tenant) as rows:
        model = visit.service.models.of(rows)
        known = {
            id: replace(who, text=neutral(who.text), wishes=Wishes()) for id, who in askers(rows, model, ids).items()
        }
    posting = model.posting(job)
    if posting is None:
        raise absent()
    found = []
    for number, id in enumerate(ids, start=1):
        person = _still_there(visit, id) if id in known else None
        if person is not None:
            (reasons,) = model.reasons(known[id], [job], by_profile=True)
            because = why(known[id], posting, explained(reasons), own=False)
            found.append((_heading(person, because, number), person, because))
    shown = JobShown(job, title_of(posting), facts(posting))
    return visit.page("people.html.j2", job=shown, people=found, version=ranking.version)


def _heading(person: PersonOut, because: WhyShown, number: int) -> str:
    """What somebody is called here: by their last job, else by skills that the posting names, else by their place in
    the list; a recruiter does not read a name, nor a headline, which is a line of the résumé."""
    if person.titles:
        return person.titles[0]
    skills = ", ".join(because.matched[:MOST_SKILLS])
    return skills[:1].upper() + skills[1:] if skills else f"Candidate {number}"


def _still_there(visit: Visit, id: str) -> PersonOut | None:
    """Somebody who was listed, unless they withdrew since."""
    try:
        return get_person(visit.call, id, Response())
    except Refused as refused:
        if refused.status_code != 404:
            raise
        return None


ROUTES = [Page("/postings", postings, "create_job"), Page("/people", people, "get_candidates")]

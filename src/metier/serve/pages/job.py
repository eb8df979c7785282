"""A job: what the posting says, why it fits whoever looks, what would change that, and what is like it."""

from urllib.parse import urlencode

from fastapi import Response

from metier.live import Raise
from metier.serve.answers import explained
from metier.serve.askers import asker
from metier.serve.pages.seeker import DONE, done_by
from metier.serve.pages.showing import JobShown, WhyShown, description, facts, raised, title_of, why
from metier.serve.pages.visit import Page, Visit
from metier.serve.problems import absent
from metier.serve.routes.jobs import get_similar_jobs

ALIKE = 5


def show(visit: Visit) -> Response:
    """The page of a job; a seeker also reads how it fits them."""
    call, job = visit.call, visit.values.get("id", "")
    person = call.actor.person if call.actor.role == "seeker" else None
    with visit.service.store.read(call.tenant) as rows:
        model = visit.service.models.of(rows)
        posting, stored = model.posting(job), rows.jobs.get(job)
        who = asker(rows, model, person) if person else None
        did = done_by(rows, person) if person else {}
    if posting is None:
        raise absent()
    reasons: WhyShown | None = None
    raises: list[Raise] = []
    if who is not None and (who.text.strip() or who.applied):
        reasons = why(who, posting, explained(model.reasons(who, [job])[0]))
        raises = model.raises(who, job)
    alike = ((one.id, model.posting(one.id)) for one in get_similar_jobs(call, job, ALIKE).items)
    return visit.page(
        "job.html.j2",
        job=JobShown(job, title_of(posting), facts(posting, who), why=reasons, events=did.get(job, frozenset())),
        acting=person is not None,
        raises=raised(raises, posting),
        description=description(stored, posting),
        similar=[JobShown(id, title_of(one), facts(one, who)) for id, one in alike if one is not None],
        back=f"/job?{urlencode({'id': job})}",
        version=model.version,
        notice=DONE.get(visit.values.get("done", ""), ""),
    )


ROUTES = [Page("/job", show, "get_job")]

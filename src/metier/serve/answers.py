"""Recommendations: a person's stored answer where it still holds, else a fresh one, and those of a description."""

from dataclasses import asdict
from hashlib import sha256

from metier.live import Answer as LiveAnswer
from metier.live import Asker, LiveModel, Reasons
from metier.serve.askers import asker, is_known, of_profile
from metier.serve.conditions import digest_of
from metier.serve.guard import Call
from metier.serve.problems import absent
from metier.serve.records import Anybody, Asked, Reason, ReasonsOut, Recommendations, Skill
from metier.serve.service import DAY
from metier.store.audit import Entry
from metier.store.store import Rows, Store

Details = dict[str, list[tuple[str, float]]]


def stored_answer(call: Call, store: Store, person: str, asked: Asked) -> bytes | None:
    """The stored answer if it still holds, audited."""
    service, filters = call.service, digest_of(asked)
    with store.read(call.tenant) as rows:
        found = rows.recommendations.get(person, filters)
    if found is None or found.made < store.clock() - 60 * service.settings.answer_minutes:
        return None
    _audit(call, person, filters, "stored", found.model, found.body, {})
    return found.body


def fresh_answer(call: Call, person: str, asked: Asked) -> bytes:
    """JSON of `Recommendations`, audited; Refused (404) for a person whom neither the store nor the bundle knows."""
    filters = digest_of(asked)
    service = call.service
    with service.store.read(call.tenant) as rows:
        stamp = rows.recommendations.stamp(person)
        model = service.models.of(rows)
        who = asker(rows, model, person)
        counts, current = exposed(call, rows), service.models.is_current(rows, model)
    if who is None:
        raise absent()
    answer = answered(call, model, who, asked, counts)
    body = shown(model, who, answer, reasons=asked.reasons)
    if current:

        def keep(later: Rows) -> None:
            if is_known(later, model, person):  # not erased meanwhile
                later.recommendations.put(person, filters, answer.version, body, stamp)

        service.afterwards.do(call.tenant, keep)
    jobs: Details = {"jobs": [(one.job, one.score) for one in answer.suggestions]}
    _audit(call, person, filters, "fresh", answer.version, body, jobs)
    return body


def described_answer(call: Call, body: Anybody) -> bytes:
    """JSON of `Recommendations` for somebody who is described; nothing of it is kept."""
    with call.service.store.read(call.tenant) as rows:
        model, counts = call.service.models.of(rows), exposed(call, rows)
    who = of_profile(body.profile, body.applied)
    answer = answered(call, model, who, body.asked, counts)
    return shown(model, who, answer, reasons=body.asked.reasons)


def _audit(call: Call, person: str, filters: str, how: str, version: str, body: bytes, jobs: Details) -> None:
    service = call.service
    details = {"version": version, "filters": filters, "answer": sha256(body).hexdigest(), **jobs}
    now = service.store.clock()
    service.afterwards.audit(call.tenant, Entry(call.actor.id, "recommendations.served", person, details, now))
    service.metrics.served[how].inc()
    service.afterwards.shown(call.tenant, body)  # an answer that the audit refuses is not sent


def exposed(call: Call, rows: Rows) -> dict[str, int] | None:
    """How often each job was shown lately, where a cap is set."""
    settings, clock = call.service.settings, call.service.store.clock()
    since = int(clock // DAY) - settings.exposure_days + 1
    return rows.exposures.since(since) if settings.exposure_cap else None


def answered(call: Call, model: LiveModel, who: Asker, asked: Asked, counts: dict[str, int] | None) -> LiveAnswer:
    """The model's answer now, under the cap of exposures where one is set; no connection is held meanwhile."""
    moment, cap = call.service.moment(call.tenant), call.service.settings.exposure_cap
    return model.jobs(who, asked.condition, asked.k, now=moment, order=asked.order, shown=counts, cap=cap)


def shown(model: LiveModel, who: Asker, answer: LiveAnswer, *, reasons: bool = False) -> bytes:
    """An answer as it is sent: JSON of `Recommendations`."""
    jobs = [one.job for one in answer.suggestions]
    why = {one.job: explained(one) for one in model.reasons(who, jobs, order=answer.order)} if reasons else {}
    items = []
    for rank, one in enumerate(answer.suggestions, start=1):
        posting = model.posting(one.job)
        if posting is None:
            continue
        items.append(
            {
                "rank": rank,
                "job": one.job,
                "score": one.score,
                "title": posting.title,
                "employer": posting.employer,
                "city": posting.city,
                "state": posting.state,
                "country": posting.country,
                "folded": list(one.folded),
                "reasons": why.get(one.job),
            }
        )
    found = {"version": answer.version, "order": answer.order, "items": items}
    return Recommendations.model_validate(found).model_dump_json().encode()


def explained(reasons: Reasons) -> ReasonsOut:
    """Reasons as they are sent."""
    grounds = [
        Reason(kind=one.kind, name=one.name, weight=one.weight, spans=[asdict(span) for span in one.spans])
        for one in reasons.grounds
    ]
    matched, missing = (
        [Skill(id=one.id, name=one.name) for one in skills] for skills in (reasons.matched, reasons.missing)
    )
    return ReasonsOut(
        job=reasons.job,
        score=reasons.score,
        grounds=grounds,
        particular=reasons.particular,
        shares=reasons.shares,
        matched=matched,
        missing=missing,
    )

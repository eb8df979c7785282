"""Recommendations of one person: the stored answer where it still holds, else a fresh one."""

from dataclasses import asdict
from hashlib import sha256

from metier.live import Answer as LiveAnswer
from metier.live import Asker, LiveModel, Reasons
from metier.serve.askers import asker, is_known
from metier.serve.conditions import digest_of
from metier.serve.guard import Call
from metier.serve.problems import absent
from metier.serve.records import Asked, Reason, ReasonsOut, Recommendations, Skill, SuggestionOut
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
    with call.service.store.read(call.tenant) as rows:
        version, body, jobs = _answer(call, rows, person, asked, filters)
    _audit(call, person, filters, "fresh", version, body, jobs)
    return body


def _audit(call: Call, person: str, filters: str, how: str, version: str, body: bytes, jobs: Details) -> None:
    service = call.service
    service.metrics.served[how].inc()
    details = {"version": version, "filters": filters, "answer": sha256(body).hexdigest(), **jobs}
    now = service.store.clock()
    service.afterwards.audit(call.tenant, Entry(call.actor.id, "recommendations.served", person, details, now))


def _answer(call: Call, rows: Rows, person: str, asked: Asked, filters: str) -> tuple[str, bytes, Details]:
    """Version, JSON and what the audit says of a fresh answer, which is stored afterwards unless something changed."""
    service = call.service
    stamp = rows.recommendations.stamp(person)
    model = service.models.of(rows)
    who = asker(rows, model, person)
    if who is None:
        raise absent()
    answer = answered(call, rows, model, who, asked)
    body = shown(model, who, answer, reasons=asked.reasons).model_dump_json().encode()
    if service.models.is_current(rows, model):
        day = int(service.store.clock() // DAY)

        def keep(later: Rows) -> None:
            if not is_known(later, model, person):  # erased meanwhile
                return
            later.recommendations.put(person, filters, answer.version, body, stamp)
            later.exposures.add({one.job: 1 for one in answer.suggestions}, day)

        service.afterwards.do(call.tenant, keep)
    return answer.version, body, {"jobs": [(one.job, one.score) for one in answer.suggestions]}


def answered(call: Call, rows: Rows, model: LiveModel, who: Asker, asked: Asked) -> LiveAnswer:
    """The model's answer now, under the cap of exposures where one is set."""
    settings, clock = call.service.settings, call.service.store.clock()
    since = int(clock // DAY) - settings.exposure_days + 1
    exposed = rows.exposures.since(since) if settings.exposure_cap else None
    moment = call.service.moment(call.tenant)
    return model.jobs(who, asked.condition, asked.k, now=moment, shown=exposed, cap=settings.exposure_cap)


def shown(model: LiveModel, who: Asker, answer: LiveAnswer, *, reasons: bool = False) -> Recommendations:
    """An answer as it is sent."""
    jobs = [one.job for one in answer.suggestions]
    why = {one.job: explained(one) for one in model.reasons(who, jobs)} if reasons else {}
    items = []
    for rank, one in enumerate(answer.suggestions, start=1):
        posting = model.posting(one.job)
        if posting is None:
            continue
        items.append(
            SuggestionOut.model_construct(
                rank=rank,
                job=one.job,
                score=one.score,
                title=posting.title,
                employer=posting.employer,
                city=posting.city,
                state=posting.state,
                country=posting.country,
                folded=list(one.folded),
                reasons=why.get(one.job),
            )
        )
    return Recommendations.model_construct(version=answer.version, items=items)


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
        job=reasons.job, score=reasons.score, grounds=grounds, shares=reasons.shares, matched=matched, missing=missing
    )

"""Pages of an operator: models side by side, what is imported, shown and spent, and the audit. No text of a person.

Runs, completed résumés and the file of groups are the workspace's, which belongs to the main tenant."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Response

from metier.data.workspace import Workspace
from metier.errors import MetierError
from metier.evaluate.exposure import concentration
from metier.live import LiveModel, Posting
from metier.operate.shown import Shown
from metier.serve.pages import forms
from metier.serve.pages.showing import facts, title_of
from metier.serve.pages.visit import Page, Visit, go
from metier.serve.problems import absent
from metier.serve.routes.audit import AuditOut, list_audit, verify_audit
from metier.serve.routes.models import Bundle, list_models, promoted, rolled_back
from metier.serve.service import DAY
from metier.store.completions import CompletionStore
from metier.store.jobs import Job

HIGHLIGHTED = 5
"""Models drawn in colour."""
MOST_ROWS = 10
"""Of imports, and of jobs shown most."""
OF_JOBS = {"job", "candidates"}
"""What the names of actions begin with whose object is a job."""
SAID = {"promoted": "The model is live.", "rolled-back": "The model before it is live again."}


def dashboard(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    """All of it at one glance."""
    service, call = visit.service, visit.call
    models = list_models(call)
    today = int(service.store.clock() // DAY)
    with service.store.read(call.tenant) as rows:
        imports = rows.imports.page(limit=MOST_ROWS).items
        waiting = rows.resumes.waiting()
        shown = rows.exposures.since(today - service.settings.exposure_days + 1)
        model = service.models.held(call.tenant)
    main = call.actor.main
    most = sorted(shown.items(), key=lambda one: (-one[1], one[0]))[:MOST_ROWS]
    postings = {job: model.posting(job) for job, _ in most} if model else {}
    popular = [
        (job, times, ", ".join((title_of(posting), *facts(posting))) if (posting := postings.get(job)) else job)
        for job, times in most
    ]
    return visit.page(
        "dashboard.html.j2",
        422 if errors else 200,
        errors,
        models=models,
        live=next((one for one in models.items if one.state == "live"), None),
        main=main,
        runs=_runs(service.settings.home) if main else [],
        imports=imports,
        waiting=waiting,
        days=service.settings.exposure_days,
        exposure=concentration(shown),
        popular=popular,
        impact=_impact(visit) if main else None,
        enrichment=CompletionStore(service.store.database).overview() if main else [],
        notice=SAID.get(visit.values.get("done", ""), ""),
    )


def quarantine(visit: Visit) -> Response:
    """The lines that an import set aside, with their reasons."""
    id = visit.values.get("id", "")[:64]
    with visit.service.store.read(visit.call.tenant) as rows:
        found = rows.imports.get(id)
        page = rows.imports.refusals(id, visit.values.get("after"))
    if found is None:
        raise absent()
    following = f"/import?{urlencode({'id': id, 'after': page.next})}" if page.next else ""
    return visit.page("import.html.j2", found=found, refusals=page.items, following=following)


def promote(visit: Visit) -> Response:
    """Make a bundle live."""
    try:
        promoted(visit.call, forms.checked(Bundle, bundle=visit.values.get("bundle", "")).bundle)
    except MetierError as error:
        return dashboard(visit, {"": str(error)})
    return go("/dashboard?done=promoted")


def roll_back(visit: Visit) -> Response:
    """Go back to the model before."""
    try:
        rolled_back(visit.call)
    except MetierError as error:
        return dashboard(visit, {"": str(error)})
    return go("/dashboard?done=rolled-back")


def curve(visit: Visit) -> Response:
    """The MAP@k curve of a run as SVG."""
    from metier.evaluate.charts import DARK, LIGHT, map_curve  # brings the drawing library
    from metier.evaluate.run_folder import load

    name, theme = visit.values.get("run", ""), DARK if visit.values.get("theme") == "dark" else LIGHT
    workspace = Workspace(visit.service.settings.home)
    if name not in workspace.names("runs"):
        raise absent()
    document = load(workspace.run(name))
    best = [line["model"] for line in _lines(document)][:HIGHLIGHTED]
    return Response(map_curve(document["rows"], best, [], theme), media_type="image/svg+xml")


def audit(visit: Visit) -> Response:
    """The chain, newest first."""
    return _audit(visit, None)


def verify(visit: Visit) -> Response:
    """The chain, after every row of it was checked."""
    return _audit(visit, verify_audit(visit.call))


def _audit(visit: Visit, verdict: Any) -> Response:
    about = visit.values.get("object", "").strip() or None
    page = list_audit(visit.call, cursor=visit.values.get("cursor"), object=about)
    query = {"object": about} if about else {}
    following = f"/audit?{urlencode(query | {'cursor': page.next})}" if page.next else ""
    rows = _named(visit, page.items)
    return visit.page("audit.html.j2", rows=rows, about=about or "", following=following, verdict=verdict)


def _named(visit: Visit, found: list[AuditOut]) -> list[tuple[AuditOut, str, str]]:
    """Rows with the role of who acted, and the title of the job or the role of the account that it was done to; about
    a person nothing is added to the id."""
    call, model = visit.call, visit.service.models.held(visit.call.tenant)
    jobs = {one.object for one in found if one.action.partition(".")[0] in OF_JOBS}
    accounts = {one.object for one in found if one.action.startswith("account.")}
    with visit.service.store.read(call.tenant) as rows:
        roles = {id: one.role for id in {one.actor for one in found} | accounts if (one := rows.accounts.get(id))}
        keys = {one.actor for one in found if one.actor not in roles and rows.keys.get(one.actor)}
        stored = {job: rows.jobs.get(job) for job in jobs}
    titles = {job: title_of(posting) for job in jobs if (posting := _posting(model, stored[job], job))}
    named = {**roles, **dict.fromkeys(keys, "a key"), "system": "metier itself", "visitor": "nobody who is signed in"}
    return [
        (one, named.get(one.actor, ""), titles.get(one.object, "") if one.object in jobs else roles.get(one.object, ""))
        for one in found
    ]


def _posting(model: LiveModel | None, stored: Job | None, job: str) -> Posting | None:
    """A job's posting, also of one that was withdrawn, as long as anything holds it."""
    return stored if stored and stored.posted else model.posting(job) if model else None


def _impact(visit: Visit) -> Shown | str:
    """Impact ratios, or why there are none."""
    service, settings = visit.service, visit.service.settings
    if settings.groups is None:
        return "No file of groups is set; the setting groups names one."
    with service.store.read(visit.call.tenant) as rows:
        try:
            return service.shown.over(rows, settings.groups, settings.impact_days)
        except MetierError as error:
            return str(error)


def _runs(home: Path) -> list[dict[str, Any]]:
    """Evaluation runs of the workspace, each with a line a model, best first; one that cannot be read is left out."""
    from metier.evaluate.run_folder import load  # the API can do without, and is ready sooner

    workspace, found = Workspace(home), []
    for name in workspace.names("runs"):
        try:
            document = load(workspace.run(name))
            meta = document["meta"]
            about = {key: meta[key] for key in ("dataset", "protocol", "k", "seed")}
            found.append({"name": name, "lines": _lines(document), **about})
        except (MetierError, OSError, ValueError, KeyError):
            continue
    return found


def _lines(document: dict[str, Any]) -> list[dict[str, Any]]:
    """MAP at the run's k over all people, by model, best first."""
    k = document["meta"]["k"]
    rows = [one for one in document["rows"] if (one["segment"], one["metric"], one["k"]) == ("all", "map", k)]
    return sorted(rows, key=lambda one: -one["value"])


ROUTES = [
    Page("/dashboard", dashboard, "list_models"),
    Page("/dashboard/map.svg", curve, "get_metrics"),
    Page("/import", quarantine, "get_import"),
    Page("/models/promote", promote, "promote_model", "POST", change=True),
    Page("/models/rollback", roll_back, "roll_back_model", "POST", change=True),
    Page("/audit", audit, "list_audit"),
    Page("/audit", verify, "verify_audit", "POST"),
]

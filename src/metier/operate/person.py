"""What people may ask of a service: a copy of all it holds about them, and that it forgets them.

Both go through the whole of it: the rows of the tenant's database, the completed résumés, and the files of the
workspace. What cannot be forgotten is named: bundles, which must be trained anew, and rows of the audit log, which hold
ids and nothing that a person wrote.
"""

from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from metier import __version__
from metier.data.workspace import Workspace
from metier.errors import UnknownIdError
from metier.operate.erasures import ACTOR, complete, erase_rows
from metier.operate.holdings import Holdings, holdings, only_eraser
from metier.sources.candidate import Candidate
from metier.sources.json_resume import to_json_resume
from metier.store.schema import completions
from metier.store.store import Rows, Store
from metier.store.tenants import Tenant


def export_person(
    store: Store,
    workspace: Workspace,
    tenant: str,
    person: str,
    datasets: Collection[str] = (),
    *,
    main: str = "main",
) -> dict[str, Any]:
    """All that is held about a person, as JSON can hold it once dates are text; the export is audited.

    Parameters
    ----------
    tenant : its name.
    datasets : further datasets of the workspace in which the id means the same person; see `holdings`.
    main : name of the main tenant; see `holdings`.

    Raises
    ------
    UnknownIdError : nothing is held about such a person, or there is no such tenant.
    """
    number = tenant_named(store, tenant).id
    held = holdings(store, workspace, number, datasets, main=main)
    files, bundles = held.rows(person), held.bundles(person)
    with store.write(number) as rows:
        tables = rows.erasure.export(person)
        completed = _completions(rows, held, person)
        if not (any(tables.values()) or completed or files or bundles):
            raise UnknownIdError(f"nothing is held about a person {person!r} of tenant {tenant!r}")
        rows.audit.append(ACTOR, "person.exported", person)
    decisions = {"recommendations": tables.pop("recommendations", []), "audit": tables.pop("audit", [])}
    read = [row["candidate"] for row in tables.get("resumes", []) if row.get("candidate")]
    return {
        "metier": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "tenant": tenant,
        "person": person,
        "resumes": [to_json_resume(Candidate.model_validate(one)) for one in read],
        "profile": tables.pop("people", []),
        "events": tables.pop("events", []),
        "decisions": decisions,
        "database": {**tables, "completions": completed},
        "files": files,
        "bundles": [asdict(one) for one in bundles],
    }


def erase_person(
    store: Store,
    workspace: Workspace,
    tenant: str,
    person: str,
    datasets: Collection[str] = (),
    *,
    main: str = "main",
) -> dict[str, Any]:
    """Forget a person, and keep a receipt that does not name them in `<home>/receipts`.

    Killed in between, the same command goes on. The parameters and errors are those of `export_person`.

    Returns
    -------
    The receipt: `subject` (SHA-256 of the id), rows erased by table and by file, `log_cleared`, the bundles that know
    the person still and must be trained anew, what is kept, and `sha256` of all that as canonical JSON.
    """
    whose = tenant_named(store, tenant)
    held = holdings(store, workspace, whose.id, datasets, main=main)
    with store.read(whose.id) as rows:
        there = rows.erasure.export(person)
        completed, erased_before = _completions(rows, held, person), rows.erasure.was_erased(person)
    del there["audit"]
    if not (any(there.values()) or completed or held.bundles(person) or held.rows(person) or erased_before):
        raise UnknownIdError(f"nothing is held about a person {person!r} of tenant {tenant!r}, so nothing was erased")
    with only_eraser(workspace):
        made, cleared = erase_rows(store, held, whose.id, person, ACTOR)
        return complete(store, workspace, held, whose, made, person, cleared)


def tenant_named(store: Store, name: str) -> Tenant:
    """The tenant of a name; UnknownIdError lists those there are."""
    found = store.tenant(name)
    if found is None:
        there = ", ".join(one.name for one in store.tenants()) or "none yet"
        raise UnknownIdError(f"no tenant {name!r} (there: {there}); cure: one of them")
    return found


def _completions(rows: Rows, held: Holdings, person: str) -> list[dict[str, Any]]:
    """Completed résumés of a person; their table knows datasets, and no tenants."""
    chosen = sa.select(completions).where(completions.c.person == person, held.datasets.holds(completions.c.dataset))
    return [dict(row) for row in rows.connection.execute(chosen).mappings()]

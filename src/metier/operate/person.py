"""What people may ask of a service: a copy of all it holds about them, and that it forgets them.

Both go through the whole of it: the rows of the tenant's database, the completed résumés, and the files of the
workspace. What cannot be forgotten is named: bundles, which must be trained anew, and rows of the audit log, which hold
ids and nothing that a person wrote.
"""

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from metier import __version__
from metier.data.workspace import Workspace
from metier.errors import UnknownIdError, UsageError
from metier.operate.holdings import Holdings
from metier.sources.candidate import Candidate
from metier.sources.json_resume import to_json_resume
from metier.store.completions import CompletionStore
from metier.store.schema import completions
from metier.store.store import Rows, Store
from metier.store.tenants import Tenant

ACTOR = "system"
"""Whom the audit log names for what an operator did by the command line."""
KEPT = (
    "rows of the audit log stay: they hold ids, versions and numbers, and nothing that a person wrote",
    "numbers of requests to a language model and what they cost stay, under no key",
    "copies outside the workspace (backups, exports, the database's own archive of its log) are not reached",
)
SQLITE_LOG = "the log beside the database was not cleared, since somebody was reading; cure: repeat the command"


def export_person(
    store: Store, workspace: Workspace, tenant: str, person: str, datasets: Collection[str] = ()
) -> dict[str, Any]:
    """All that is held about a person, as JSON can hold it once dates are text; the export is audited.

    Parameters
    ----------
    tenant : its name.
    datasets : further datasets of the workspace in which the id means the same person; see `holdings`.

    Raises
    ------
    UnknownIdError : nothing is held about such a person, or there is no such tenant.
    """
    number = tenant_named(store, tenant).id
    held = holdings(store, workspace, number, datasets)
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
    store: Store, workspace: Workspace, tenant: str, person: str, datasets: Collection[str] = ()
) -> dict[str, Any]:
    """Forget a person, and keep a receipt that does not name them in `<home>/receipts`.

    Killed in between, the same command goes on. The parameters and errors are those of `export_person`.

    Returns
    -------
    The receipt: `subject` (SHA-256 of the id), rows erased by table and by file, `log_cleared`, the bundles that know
    the person still and must be trained anew, what is kept, and `sha256` of all that as canonical JSON.
    """
    number = tenant_named(store, tenant).id
    held = holdings(store, workspace, number, datasets)
    with store.read(number) as rows:
        there = rows.erasure.export(person)
        completed, erased_before = _completions(rows, held, person), rows.erasure.was_erased(person)
        live = rows.models.live()
    bundles = held.bundles(person)
    audited = len(there.pop("audit"))
    if not (any(there.values()) or completed or bundles or held.rows(person) or erased_before):
        raise UnknownIdError(f"nothing is held about a person {person!r} of tenant {tenant!r}, so nothing was erased")
    counted = sum(
        CompletionStore(store.database).erase(dataset, person) for dataset in {row["dataset"] for row in completed}
    )
    kept, cleared = store.erase(number, person, ACTOR)
    receipt: dict[str, Any] = {
        "receipt": kept.id,
        "metier": __version__,
        "tenant": tenant,
        "subject": kept.subject,
        "time": datetime.fromtimestamp(kept.time, UTC).isoformat(timespec="seconds"),
        "database": {**kept.counts, "completions": counted},
        "log_cleared": cleared,
        "files": held.erase(person),
        "bundles": [
            {**asdict(one), "live": live is not None and live.version == one.version, "train_anew": True}
            for one in bundles
        ],
        "audit_rows_kept": audited,
        "kept": [*KEPT, *([] if cleared else [SQLITE_LOG])],
    }
    receipt["sha256"] = receipt_digest(receipt)
    _write(workspace.home / "receipts" / f"{kept.id}.json", receipt)
    with store.write(number) as rows:
        rows.audit.append(ACTOR, "person.receipt", kept.subject, receipt=kept.id, sha256=receipt["sha256"])
    return receipt


def receipt_digest(receipt: Mapping[str, Any]) -> str:
    """SHA-256 of a receipt without its own `sha256`, as JSON with sorted keys and no spaces."""
    told = {name: value for name, value in receipt.items() if name != "sha256"}
    return hashlib.sha256(
        json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    ).hexdigest()


def tenant_named(store: Store, name: str) -> Tenant:
    """The tenant of a name; UnknownIdError lists those there are."""
    found = store.tenant(name)
    if found is None:
        there = ", ".join(one.name for one in store.tenants()) or "none yet"
        raise UnknownIdError(f"no tenant {name!r} (there: {there}); cure: one of them")
    return found


def holdings(store: Store, workspace: Workspace, tenant: str, named: Collection[str] = ()) -> Holdings:
    """The files in which an id means a tenant's person.

    Where there is one tenant, those are all files of the workspace. With several the same id may be somebody else in
    another's dataset, so only the tenant's own bundles, the datasets that they were trained on, and those that are
    `named` count.

    Raises
    ------
    UsageError : a dataset is named that is not there.
    """
    for name in named:
        if name not in workspace.names("datasets"):
            raise UsageError(f"no dataset {name!r} in {workspace.home}; cure: one of {workspace.names('datasets')}")
    if len(store.tenants()) == 1:
        return Holdings(workspace)
    with store.read(tenant) as rows:
        models = frozenset(one.bundle for one in rows.models.all())
    datasets = set(named)
    for name in models:
        with suppress(OSError, ValueError, LookupError):  # a bundle that is gone or altered names no dataset
            datasets.add(str(json.loads((workspace.model(name) / "config.json").read_bytes())["about"]["dataset"]))
    return Holdings(workspace, frozenset(datasets), models)


def _completions(rows: Rows, held: Holdings, person: str) -> list[dict[str, Any]]:
    """Completed résumés of a person; their table knows datasets, and no tenants."""
    chosen = sa.select(completions).where(completions.c.person == person)
    if held.datasets is not None:
        chosen = chosen.where(completions.c.dataset.in_(sorted(held.datasets)))
    return [dict(row) for row in rows.connection.execute(chosen).mappings()]


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """A file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)

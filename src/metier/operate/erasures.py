"""Erasures from the first row to the last file, and once more in a database that is a copy from before them.

`<home>/receipts` has a file for each. One that was made over the API has erased the rows and says `files: null` until
`finish` went through the workspace, where it knows people by the SHA-256 of their id alone. The receipts outlive the
database, so they also tell whom one that comes back from a backup must be rid of.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from metier import __version__
from metier.data.workspace import Workspace
from metier.errors import DataRejectedError, MetierError
from metier.operate.holdings import Holdings, holdings, only_eraser
from metier.store.completions import CompletionStore
from metier.store.database import Database, connect
from metier.store.erasure import Receipt
from metier.store.schema import completions
from metier.store.store import Store
from metier.store.tenants import Tenant
from metier.store.tokens import digest

ACTOR = "system"
"""Whom the audit log names for what an operator did by the command line."""
KEPT = (
    "rows of the audit log stay: they hold ids, versions and numbers, and nothing that a person wrote",
    "numbers of requests to a language model and what they cost stay, under no key",
    "copies outside the workspace (backups, exports, the database's own archive of its log) are not reached",
)
REMAINS = (
    "datasets, runs, studies, tuning and exports in the service's workspace, until its operator runs "
    "`metier person finish`",
    "what bundles learned; it is not used for the person, and `metier person finish` names the bundles to train anew",
    *KEPT,
)
"""What is left when the rows of the database are gone."""
SQLITE_LOG = "the log beside the database was not cleared, since somebody was reading; cure: repeat the command"


class Told(NamedTuple):
    """An erasure as a file, or another database, tells of it."""

    tenant: str
    """Its name."""
    receipt: Receipt
    whole: bool
    """Whether it went through the files."""


def erase_rows(store: Store, held: Holdings, tenant: str, person: str, actor: str) -> tuple[Receipt, bool]:
    """Erase a person from the database: completed résumés, then the tenant's rows, audited.

    The second value says whether the database's log was cleared; see `Store.erase`.
    """
    counted = _erase_completions(store, held, {digest(person)}, person)
    made, cleared = store.erase(tenant, person, actor)
    return replace(made, counts={**made.counts, "completions": counted}), cleared


def keep_receipt(workspace: Workspace, store: Store, tenant: str, made: Receipt, *, cleared: bool) -> None:
    """Keep the receipt of an erasure that has not gone through the files, unless `finish` kept the whole before.

    OSError where it cannot be written.
    """
    name = next(one.name for one in store.tenants() if one.id == tenant)
    with suppress(FileExistsError):
        _write(workspace, _begun(name, made, cleared) | {"files": None}, replace=False)


def complete(
    store: Store, workspace: Workspace, held: Holdings, tenant: Tenant, made: Receipt, person: str | None, cleared: bool
) -> dict[str, Any]:
    """Go through the files after the rows, and keep the whole receipt. The caller is the `only_eraser`.

    Parameters
    ----------
    person : whose id has the SHA-256 `made.subject`; None where no file knows such an id.
    """
    with store.read(tenant.id) as rows:
        live = rows.models.live()
        audited = None if person is None else len(rows.erasure.export(person)["audit"])
    bundles = [] if person is None else held.bundles(person)
    receipt: dict[str, Any] = {
        **_begun(tenant.name, made, cleared),
        "files": held.erase_exports(made.subject) if person is None else held.erase(person),
        "bundles": [
            {**asdict(one), "live": live is not None and live.version == one.version, "train_anew": True}
            for one in bundles
        ],
        "audit_rows_kept": audited,
        "kept": [*KEPT, *([] if cleared else [SQLITE_LOG])],
    }
    receipt["sha256"] = receipt_digest(receipt)
    _write(workspace, receipt)
    with store.write(tenant.id) as rows:
        rows.audit.append(ACTOR, "person.receipt", made.subject, receipt=made.id, sha256=receipt["sha256"])
    return receipt


def finish(store: Store, workspace: Workspace, *, main: str = "main") -> tuple[list[dict[str, Any]], int]:
    """Go through the files for every erasure that has not, and make those again of which the database knows nothing.

    So is one that has, where a run that had read the person before put them back: somebody in the files without a row.

    Parameters
    ----------
    main : name of the main tenant; see `holdings`.

    Returns
    -------
    The whole receipts that were written, and how many were made again.
    """
    with only_eraser(workspace):
        return _finish(store, workspace, main)


def _finish(store: Store, workspace: Workspace, main: str) -> tuple[list[dict[str, Any]], int]:
    told = receipts(workspace.home)
    again = repeat(store, workspace, told, main=main)
    if again:
        store.database.scrub()
    noted = {one.receipt.id: one.receipt for one in told}
    done = []
    for tenant in store.tenants():
        held = holdings(store, workspace, tenant.id, main=main)
        ids = {digest(person): person for person in held.in_files()}
        waiting = _waiting(store, tenant, told)
        waiting += _back(store, tenant, held, {*ids} - {one.subject for one in waiting}, told)
        if waiting:
            _erase_completions(store, held, {one.subject for one in waiting})
            cleared = store.database.scrub()
            ids |= {digest(person): person for person in held.in_bundles()}
            for one in waiting:
                made = noted.get(one.id, one)
                done.append(complete(store, workspace, held, tenant, made, ids.get(one.subject), cleared))
    return done, again


def repeat(store: Store, workspace: Workspace, told: Iterable[Told], *, main: str = "main") -> int:
    """Make those erasures again of which the database knows nothing, audited; how many they were."""
    count = 0
    for tenant in store.tenants():
        lost = _lost(store, tenant, told)
        if lost:
            held = holdings(store, workspace, tenant.id, main=main)
            _erase_completions(store, held, {one.subject for one in lost})
            with store.write(tenant.id) as rows:
                rows.erasure.repeat(lost)
                for one in lost:
                    rows.audit.append(ACTOR, "person.erased", one.subject, receipt=one.id, again=True)
        count += len(lost)
    return count


def unfinished(store: Store, home: Path) -> dict[str, int]:
    """Name of each tenant -> erasures that `finish` would make again or take through the files."""
    told = receipts(home)
    return {one.name: len([*_waiting(store, one, told), *_lost(store, one, told)]) for one in store.tenants()}


def receipts(home: Path) -> list[Told]:
    """All that the folder of receipts tells.

    Raises
    ------
    DataRejectedError : a file there is no receipt.
    """
    found = []
    for path in sorted((home / "receipts").glob("*.json")):
        try:
            said = json.loads(path.read_bytes())
            time = datetime.fromisoformat(said["time"]).timestamp()
            receipt = Receipt(said["receipt"], said["subject"], 0, time, said["database"])
            found.append(Told(said["tenant"], receipt, said["files"] is not None))
        except (ValueError, LookupError, TypeError):
            raise DataRejectedError(f"{path} is no receipt of an erasure; cure: move it elsewhere") from None
    return found


def of_database(path: Path) -> list[Told] | None:
    """All that a SQLite database tells; None where there is none that can be read."""
    if not path.is_file():
        return None
    store = Store(Database(connect(path)))
    try:
        return [Told(one.name, made, False) for one in store.tenants() for made in _made(store, one)]
    except MetierError:
        return None
    finally:
        store.close()


def receipt_digest(receipt: Mapping[str, Any]) -> str:
    """SHA-256 of a receipt without its own `sha256`, as JSON with sorted keys and no spaces."""
    told = {name: value for name, value in receipt.items() if name != "sha256"}
    return hashlib.sha256(
        json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    ).hexdigest()


def _waiting(store: Store, tenant: Tenant, told: Iterable[Told]) -> list[Receipt]:
    """Erasures that did not go through the files."""
    whole = {one.receipt.id for one in told if one.whole}
    return [one for one in _made(store, tenant) if one.id not in whole]


def _back(store: Store, tenant: Tenant, held: Holdings, there: Collection[str], told: Iterable[Told]) -> list[Receipt]:
    """The last erasure of each who is `there` again, or among the completed résumés, and has no row of their own."""
    whole = {one.receipt.id for one in told if one.whole}
    completed = {digest(person) for _, person in _completed(store, held)}
    with store.read(tenant.id) as rows:
        here = {digest(person) for person in rows.erasure.everybody()}
    last = {one.subject: one for one in reversed(_made(store, tenant)) if one.id in whole}
    return [one for subject, one in last.items() if subject in (completed.union(there)) - here]


def _lost(store: Store, tenant: Tenant, told: Iterable[Told]) -> list[Receipt]:
    """Erasures of which the database knows nothing, each once."""
    mine = {one.receipt.id: one.receipt for one in told if one.tenant == tenant.name}
    with store.read(tenant.id) as rows:
        return rows.erasure.unknown(mine.values())


def _made(store: Store, tenant: Tenant) -> list[Receipt]:
    """Erasures that the database knows."""
    found: list[Receipt] = []
    after: str | None = None
    with store.read(tenant.id) as rows:
        while True:
            page = rows.erasure.page(after, 1000)
            found += page.items
            after = page.next
            if after is None:
                return found


def _erase_completions(store: Store, held: Holdings, subjects: Collection[str], person: str | None = None) -> int:
    """Delete completed résumés, whose table knows datasets and no tenants; how many. `person`: the only one meant."""
    there = [one for one in _completed(store, held, person) if digest(one[1]) in subjects]
    return sum(CompletionStore(store.database).erase(*one) for one in there)


def _completed(store: Store, held: Holdings, person: str | None = None) -> list[tuple[str, str]]:
    """Dataset and person of completed résumés. `person`: the only one meant."""
    chosen = sa.select(completions.c.dataset, completions.c.person).distinct()
    chosen = chosen.where(held.datasets.holds(completions.c.dataset))
    if person is not None:
        chosen = chosen.where(completions.c.person == person)
    with store.database.read() as connection:
        return [(one.dataset, one.person) for one in connection.execute(chosen)]


def _begun(tenant: str, made: Receipt, cleared: bool) -> dict[str, Any]:
    return {
        "receipt": made.id,
        "metier": __version__,
        "tenant": tenant,
        "subject": made.subject,
        "time": datetime.fromtimestamp(made.time, UTC).isoformat(timespec="seconds"),
        "database": dict(made.counts),
        "log_cleared": cleared,
    }


def _write(workspace: Workspace, receipt: Mapping[str, Any], *, replace: bool = True) -> None:
    """A file that appears whole or not at all; FileExistsError for one that is there and not to be replaced."""
    path = workspace.home / "receipts" / f"{receipt['receipt']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(receipt, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if replace:
        partial.replace(path)
        return
    try:
        path.hardlink_to(partial)
    finally:
        partial.unlink()

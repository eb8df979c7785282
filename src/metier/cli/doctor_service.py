"""What `metier doctor` looks at where a service lives: database, disk, audit log, live models, scans, rights."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from metier.errors import MetierError

if TYPE_CHECKING:
    from metier.data.workspace import Workspace
    from metier.store.store import Store


class Check(NamedTuple):
    """One line of the doctor's report; `fine` False makes the exit code 1."""

    name: str
    fine: bool
    found: str


def service(home: Path, database: str | None) -> list[Check]:
    """The checks of a service; one line where there is none. Nothing is made or migrated."""
    where: str | Path = database or home / "metier.db"
    if "://" not in str(where) and not Path(where).is_file():
        return [_scans(), Check("service", True, "no database yet; metier serve makes one")]
    checks = [_scans(), *([_disk(home)] if home.is_dir() else []), _rights(home, where)]
    revision = _database(where)
    checks.append(revision)
    if revision.fine and "older" not in revision.found:
        checks += _tenants(home, where)
    return checks


def _scans() -> Check:
    """Résumés that are pictures need a reader of characters; without one they are refused."""
    import shutil
    from importlib.util import find_spec

    found = [
        name for name, there in (("tesseract", shutil.which("tesseract")), ("rapidocr", find_spec("rapidocr"))) if there
    ]
    return Check(
        "scans", True, ", ".join(found) or "no reader: scanned résumés are refused (tesseract, or the extra ocr)"
    )


def _disk(home: Path) -> Check:
    """A new bundle, a backup and a migration each need as much room again."""
    import shutil

    used = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    free = shutil.disk_usage(home).free
    note = "" if free >= used else "; cure: make room for a new bundle or a backup"
    return Check("disk of the service", free >= used, f"{used / 1e9:.1f} GB used, {free / 1e9:.1f} GB free{note}")


def _rights(home: Path, where: str | Path) -> Check:
    """What holds personal data is no business of the machine's other users."""
    kinds = ("models", "datasets", "runs", "studies", "tuning", "exports", "receipts")
    places = [home.absolute() / name for name in kinds]
    if "://" not in str(where):
        places += [Path(f"{where}{end}").absolute() for end in ("", "-wal", "-shm")]
    shut = home.is_dir() and not home.stat().st_mode & 0o005
    inside = {path for path in places if home.absolute() in path.parents}
    open_ = [path for path in places if path.exists() and path.stat().st_mode & 0o007 and not (shut and path in inside)]
    if not open_:
        return Check("rights", True, "nobody else may read")
    shutting = dict.fromkeys(str(home if path in inside else path) for path in open_)
    names = ", ".join(path.name for path in open_)
    return Check("rights", False, f"others may read {names}; cure: chmod go= {' '.join(shutting)}")


def _database(where: str | Path) -> Check:
    """Reachable, whole, and of which version."""
    import sqlalchemy as sa
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from metier.store import database as door

    head = ScriptDirectory(str(Path(door.__file__).parent / "migrations")).get_current_head()
    opened = None
    try:
        opened = door.Database(door.connect(where))
        with opened.read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            sqlite = opened.engine.dialect.name == "sqlite"
            whole = not sqlite or connection.execute(sa.text("PRAGMA quick_check")).scalar_one() == "ok"
    except MetierError as error:
        return Check("database", False, str(error))
    finally:
        if opened is not None:
            opened.close()
    if not whole:
        return Check("database", False, "damaged; cure: metier restore a backup")
    known = {
        script.revision for script in ScriptDirectory(str(Path(door.__file__).parent / "migrations")).walk_revisions()
    }
    if current is not None and current not in known:
        return Check("database", False, f"revision {current} of a newer metier; cure: upgrade metier")
    return Check(
        "database",
        True,
        f"revision {current}" + ("" if current == head else f", older than {head}: migrated when opened"),
    )


def _tenants(home: Path, where: str | Path) -> Iterator[Check]:
    """The audit log, the erasures and the live model of each tenant."""
    from metier.data.workspace import Workspace
    from metier.operate.erasures import unfinished
    from metier.store.store import Store

    store = Store.open(where)
    try:
        waiting = unfinished(store, home)
        for tenant in store.tenants():
            with store.read(tenant.id) as rows:
                verdict = rows.audit.verify()
            found = f"{verdict.rows:,} rows" if verdict.broken is None else f"row {verdict.broken} does not fit"
            yield Check(f"audit log of {tenant.name}", verdict.broken is None, found)
            count = waiting[tenant.name]
            cure = f"{count:,} have not reached the files; cure: metier person finish" if count else "all are whole"
            yield Check(f"erasures of {tenant.name}", not count, cure)
            yield _live(store, Workspace(home), tenant.id, tenant.name)
    finally:
        store.close()


def _live(store: "Store", workspace: "Workspace", tenant: str, name: str) -> Check:
    from metier.live import LiveModel

    title = f"live model of {name}"
    with store.read(tenant) as rows:
        live = rows.models.live()
    if live is None:
        return Check(title, True, "none yet; metier train --model ranker, then promote it")
    try:
        version = LiveModel.load(workspace.model(live.bundle)).version
    except MetierError as error:
        return Check(title, False, str(error))
    same = version == live.version
    return Check(title, same, version if same else f"{live.version} is live, the bundle is {version}; cure: promote it")

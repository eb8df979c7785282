"""Copies of a service: its database as one moment saw it and its bundles, out to a file and back."""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from metier import __version__
from metier.data.workspace import Workspace, swap
from metier.errors import BundleError, DataRejectedError, MetierError, UsageError
from metier.operate.archive import DATABASE, Manifest, pack, unpack
from metier.operate.erasures import Told, of_database, receipts, repeat
from metier.store.database import Database, connect
from metier.store.store import Store


class Backup(NamedTuple):
    """What was written or read: `sha256` is that of the whole file."""

    bundles: list[str]
    database: bool
    bytes: int
    sha256: str


class Restored(NamedTuple):
    """What came back; bundles that were there already, byte for byte, are not named.

    `again` counts the erasures made since the backup that were made again in its database; None where nothing tells of
    them, neither a database in whose place it came nor receipts in the home.
    """

    bundles: list[str]
    database: bool
    made: str
    again: int | None


def backup(home: Path, file: Path, *, database: str | Path | None) -> Backup:
    """Write database and bundles to a file, which appears whole or not at all. The service may go on meanwhile.

    Parameters
    ----------
    database : URL or SQLite file; None leaves it out.

    Raises
    ------
    UsageError : the database is PostgreSQL, there is none, or the file exists.
    BundleError : a bundle differs from its manifest, or is being trained anew just now.
    """
    if file.exists():
        raise UsageError(f"{file} exists; cure: another name, a backup replaces none")
    source = None if database is None else sqlite_file(database)
    workspace = Workspace(home)
    with _staging(file.absolute().parent, ".backup") as staged:
        files: dict[str, Path] = {}
        if source is not None:
            files[DATABASE] = staged / DATABASE
            with closing(_opened(source)) as original, closing(sqlite3.connect(staged / DATABASE)) as copy:
                original.backup(copy)  # one step under one read lock; writers go on in the write-ahead log
        # After the database: a bundle that it names was there before.
        for name in workspace.names("models"):
            for path in _bundle_files(workspace.model(name)):
                files[f"models/{name}/{path.name}"] = path
        made = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            manifest, sha256 = pack(
                staged / "backup",
                files,
                version=__version__,
                made=made,
                check=lambda manifest: _check_bundles(workspace, manifest),
            )
        except FileNotFoundError as error:
            raise BundleError(f"{error.filename} went away meanwhile; cure: repeat the command") from None
        os.link(staged / "backup", file)  # unlike a rename it never replaces a file that came meanwhile
    return Backup(manifest.bundles, source is not None, file.stat().st_size, sha256)


def restore(
    home: Path,
    file: Path,
    *,
    database: str | Path | None,
    replace: bool = False,
    sha256: str | None = None,
    main: str = "main",
) -> Restored:
    """Put a backup's bundles and database into a workspace, after the whole file was checked.

    People who were erased since it was made are erased in it again before it takes its place, as far as the database
    that is replaced, or the receipts in the home, know of them.

    Each bundle is either the old or the new one at any moment, and so is the database, which comes last; killed in
    between, the same command goes on. A service that runs must be started again.

    Parameters
    ----------
    database : URL or file of the SQLite database to fill; None leaves out the one of the backup.
    replace : take the place of bundles and of a database that are there and differ.
    main : name of the main tenant; see `metier.operate.holdings.holdings`.

    Raises
    ------
    DataRejectedError : the file is no backup, or was altered, or a receipt is none. Nothing was changed.
    UsageError : something is in the way and `replace` is not asked for, or the database is PostgreSQL.
    ConfigError : the database was written by a newer metier. Nothing was changed.
    MetierError : the database in its place is damaged or held by somebody.
    """
    target = None if database is None else sqlite_file(database, there=False)
    workspace, again = Workspace(home), None
    home.mkdir(parents=True, exist_ok=True)
    with _staging(home.absolute(), ".restore") as staged:
        manifest = unpack(file, staged, sha256=sha256)
        new = [name for name in manifest.bundles if not _same(staged / "models" / name, workspace.model(name))]
        staged_database = staged / DATABASE
        with_database = target is not None and DATABASE in manifest.files
        if with_database:
            _check_database(staged_database, file)
        in_the_way = [str(workspace.model(name)) for name in new if workspace.model(name).exists()]
        if with_database and target is not None:
            in_the_way += [str(path) for path in _parts(target) if path.exists()]
        if in_the_way and not replace:
            raise UsageError(f"{', '.join(in_the_way)} would be replaced; cure: --replace, or another --home")
        told = [receipts(home), of_database(target) if with_database and target is not None else None]
        workspace.model("x").parent.mkdir(parents=True, exist_ok=True)
        for name in new:
            swap(staged / "models" / name, workspace.model(name))
        if with_database and target is not None:
            if told[0] or told[1] is not None:
                known = [one for some in told for one in some or ()]
                again = _erase_again(staged_database, workspace, known, main)
            _put(staged_database, target)
    return Restored(new, with_database, manifest.made, again)


def sqlite_file(database: str | Path, *, there: bool = True) -> Path:
    """The file of a SQLite database.

    Raises
    ------
    UsageError : it is PostgreSQL, which has its own tools, or `there` is no such file.
    """
    if isinstance(database, Path) or "://" not in database:
        path = Path(database)
    else:
        url = connect(database).url
        if url.get_backend_name() != "sqlite":
            raise UsageError(
                "a PostgreSQL database is copied by its own tools; cure: pg_dump --format=custom --file=metier.dump "
                "URL, and metier backup FILE --without-database; back: pg_restore --clean --if-exists "
                "--single-transaction --dbname=URL metier.dump, metier restore FILE --without-database, and metier "
                "person finish"
            )
        path = Path(url.database or "")
    if there and not path.is_file():
        raise UsageError(f"no database {path}; cure: --database, or --without-database for the bundles alone")
    return path


def _erase_again(database: Path, workspace: Workspace, told: list[Told], main: str) -> int:
    store = Store.open(database)
    try:
        return repeat(store, workspace, told, main=main)
    finally:
        store.close()


def _put(staged: Path, target: Path) -> None:
    """The staged database in the place of another; through SQLite's own transaction, which respects who is reading."""
    if not any(path.exists() for path in _parts(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(staged, target.with_name(f".{target.name}.restore"))
        target.with_name(f".{target.name}.restore").rename(target)
        return
    try:
        with closing(sqlite3.connect(staged)) as original, closing(sqlite3.connect(target)) as old:
            original.backup(old)
    except sqlite3.DatabaseError as error:
        raise MetierError(
            f"{target} cannot be replaced ({error}); cure: stop the service, move that file, and those beside it that "
            "end with -wal and -shm, elsewhere, then repeat the command"
        ) from error


def _check_database(path: Path, archive: Path) -> None:
    """Whole, and of a version that this metier can migrate; both before anything is replaced."""
    path.chmod(0o600)
    try:
        with closing(_opened(path)) as connection:
            (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise DataRejectedError(f"{archive}: its database is damaged; cure: take another backup") from error
    if said != "ok":
        raise DataRejectedError(f"{archive}: its database is damaged; cure: take another backup")
    Database.open(path).close()


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)


def _parts(database: Path) -> list[Path]:
    """A SQLite file and the log beside it."""
    return [database.with_name(f"{database.name}{end}") for end in ("", "-wal", "-shm")]


def _bundle_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())


def _check_bundles(workspace: Workspace, manifest: Manifest) -> None:
    """What was packed is what each bundle's own manifest lists; it is not while `metier train` replaces one."""
    for name in manifest.bundles:
        inside = f"models/{name}/"
        packed = {path.removeprefix(inside): e.sha256 for path, e in manifest.files.items() if path.startswith(inside)}
        folder = workspace.model(name)
        try:
            content = (folder / "manifest.json").read_bytes()
            listed = dict(json.loads(content)["sha256"])
        except (OSError, ValueError, LookupError, TypeError):
            listed, content = {}, b""
        if packed != {**listed, "manifest.json": hashlib.sha256(content).hexdigest()}:
            raise BundleError(
                f"{folder} differs from its manifest.json, or changed meanwhile; cure: repeat it, or train again"
            )


def _same(one: Path, other: Path) -> bool:
    """Bundles of equal manifests: these list the SHA-256 of all else."""
    listings = [folder / "manifest.json" for folder in (one, other)]
    return all(path.is_file() for path in listings) and listings[0].read_bytes() == listings[1].read_bytes()


@contextmanager
def _staging(parent: Path, name: str) -> Iterator[Path]:
    """A folder that only we can read, gone afterwards; those that killed commands left go, too."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{name}.*"):
        if not _runs(left.suffix[1:]):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"{name}.{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return int(process) != os.getpid()

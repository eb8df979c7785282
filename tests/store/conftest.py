"""Databases to test on: a SQLite file, and a PostgreSQL server of our own on a socket that only we can reach."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from metier.store import Database, Store


def _as_nobody_special(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root; as root we become the user its package made."""
    if os.getuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    return ["runuser", "-u", "postgres", "--"]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """The socket folder of a running PostgreSQL, or None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    programs = found[-1] if found else Path(shutil.which("initdb") or "/nowhere/initdb").parent
    if not (programs / "initdb").exists():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="metier-pg-"))  # short: a socket's path has at most 107 characters
    become = _as_nobody_special(folder)
    data = folder / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run([*become, programs / program, *arguments], check=True, capture_output=True, cwd=folder)

    call("initdb", "-D", str(data), "--auth=trust", "--username=metier", "--no-sync")
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", settings, "start")
    try:
        yield folder
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'metier.db'}"
        return
    folder = request.getfixturevalue("postgres_server")
    if folder is None:
        request.getfixturevalue("require_program")("initdb")
    name = f"test_{secrets.token_hex(4)}"
    server = sa.create_engine(
        f"postgresql+psycopg://metier@/postgres?host={folder}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield f"postgresql://metier@/{name}?host={folder}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url):
    """An open, migrated database of each kind."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


class StoppedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def store(database, clock):
    """The service's store on a database of each kind."""
    return Store(database, clock)


@pytest.fixture
def tenant(store):
    """The id of a tenant."""
    return store.add_tenant("north").id


@pytest.fixture
def other(store):
    """The id of another tenant."""
    return store.add_tenant("south").id


@pytest.fixture
def broken_off(store, tenant):
    """`broken_off(work)` does some work in a transaction that fails at its end."""

    def fail(work) -> None:
        with store.write(tenant) as rows:
            work(rows)
            raise ZeroDivisionError

    def call(work) -> None:
        with pytest.raises(ZeroDivisionError):
            fail(work)

    return call

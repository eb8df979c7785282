"""Fixtures that every test folder shares."""

import os
import secrets
import shutil
import subprocess
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from metier.cli.app import run
from metier.data.workspace import Workspace
from metier.models.registry import TRAINED_BY
from metier.testing.worlds import small_town


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


def absent(component: str) -> None:
    """Skip a test that needs a component this machine lacks; on CI, where all are installed, fail instead."""
    message = f"{component} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message}, and CI=true allows no skip for that")
    pytest.skip(message)


@pytest.fixture
def require_program():
    """`require_program("chromium")` gives the program's path, or skips (on CI: fails) the test."""

    def require(name: str) -> str:
        return shutil.which(name) or absent(name)

    return require


@pytest.fixture(autouse=True)
def _extra_of_the_model(request):
    """A test that runs over the models by `name` skips (on CI: fails) those whose extra is absent."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    extra = TRAINED_BY.get(parameters.get("name", ""))
    if extra and find_spec(extra) is None:
        absent(extra)


@pytest.fixture(scope="session")
def distributed():
    """The package distributed, or a skipped (on CI: failed) test."""
    return import_module("distributed") if find_spec("distributed") else absent("distributed")


@pytest.fixture
def torch():
    """The package torch, or a skipped (on CI: failed) test."""
    return import_module("torch") if find_spec("torch") else absent("torch")


@pytest.fixture(scope="session")
def town_home(tmp_path_factory) -> Path:
    """A workspace with the dataset "town"; read it, train into it, never change the dataset."""
    home = tmp_path_factory.mktemp("home")
    Workspace(home).save("town", small_town(), {"source": "metier.testing.worlds.small_town"})
    return home


@pytest.fixture
def metier(town_home, monkeypatch, capsys):
    """`metier("train", "town", ...)` runs a command in this process and gives code, stdout and stderr."""
    monkeypatch.setenv("METIER_HOME", str(town_home))

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return call


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

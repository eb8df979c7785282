"""A service's copy comes back whole, replaces nothing unasked, and dies without leaving anything half."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa

from metier.bundle import load
from metier.cli.app import run
from metier.data.workspace import Workspace
from metier.errors import BundleError, ConfigError, DataRejectedError, UsageError
from metier.operate.backup import backup, restore
from metier.store.database import Database

ROWS = "INSERT INTO calls (id, completion, model, attempt, state, status, input_tokens, output_tokens, cost, sent) "
ROWS += "VALUES (:id, '', '', 1, 'sent', '', 0, 0, 0, '2026-01-01')"


@pytest.fixture
def home(town_home, tmp_path):
    """A workspace with two bundles and a database of three rows."""
    home = tmp_path / "home"
    for name, seed in (("one", 0), ("two", 1)):
        if not Workspace(town_home).model(name).exists():
            asked = ["train", "town", "--model", "popularity", "--as", name, "--seed", str(seed)]
            run([*asked, "--home", str(town_home), "--json"])
        shutil.copytree(Workspace(town_home).model(name), Workspace(home).model(name))
    write(home, "a", "b", "c")
    return home


def write(home, *ids):
    database = Database.open(home / "metier.db")
    with database.write() as connection:
        for one in ids:
            connection.execute(sa.text(ROWS), {"id": one})
    database.close()


def ids(home):
    with closing(sqlite3.connect(home / "metier.db")) as connection:
        return {one for (one,) in connection.execute("SELECT id FROM calls")}


def tree(home):
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_there_and_back(home, tmp_path):
    done = backup(home, tmp_path / "copy", database=home / "metier.db")
    assert (done.bundles, done.database) == (["one", "two"], True)
    new = tmp_path / "new"
    back = restore(new, tmp_path / "copy", database=new / "metier.db", sha256=done.sha256)
    assert (back.bundles, back.database) == (["one", "two"], True)
    assert ids(new) == {"a", "b", "c"}
    assert load(Workspace(new).model("one")).name == "popularity"
    assert {path.name for path in new.iterdir()} == {"models", "metier.db"}
    assert {path.name for path in tmp_path.iterdir()} == {"home", "new", "copy"}


def test_a_backup_under_writes_is_of_one_moment(home, tmp_path):
    """A writer adds rows two by two; no copy ever holds half a pair."""
    done, added = threading.Event(), []

    def add():
        database = Database.open(home / "metier.db")
        while not done.is_set():
            with database.write() as connection:
                for one in "xy":
                    connection.execute(sa.text(ROWS), {"id": f"{len(added)}{one}"})
            added.append(None)
        database.close()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(add)
        try:
            for number in range(5):
                seen = len(added)
                while len(added) < seen + 2:  # of two pairs that come now one was begun after the last backup
                    assert not writer.done(), writer.exception()
                    time.sleep(0.01)
                backup(home, tmp_path / f"copy{number}", database=home / "metier.db")
        finally:
            done.set()
        writer.result()
    count = 0
    for number in range(5):
        new = tmp_path / f"new{number}"
        restore(new, tmp_path / f"copy{number}", database=new / "metier.db")
        pairs = ids(new) - {"a", "b", "c"}
        assert {one[:-1] for one in pairs if one[-1] == "x"} == {one[:-1] for one in pairs if one[-1] == "y"}
        assert len(pairs) > count
        count = len(pairs)


def test_rows_in_the_log_are_in_the_copy(home, tmp_path):
    database = Database.open(home / "metier.db")
    with database.write() as connection:
        connection.execute(sa.text(ROWS), {"id": "late"})
    assert (home / "metier.db-wal").stat().st_size
    backup(home, tmp_path / "copy", database=f"sqlite:///{home / 'metier.db'}")
    database.close()
    new = tmp_path / "new"
    restore(new, tmp_path / "copy", database=new / "metier.db")
    assert "late" in ids(new)


def test_nothing_is_replaced_unasked(home, tmp_path):
    backup(home, tmp_path / "copy", database=home / "metier.db")
    write(home, "d")
    shutil.rmtree(Workspace(home).model("one"))
    shutil.copytree(Workspace(home).model("two"), Workspace(home).model("one"))
    before = tree(home)
    with pytest.raises(UsageError, match=r"models/one, .*metier.db would be replaced; cure: --replace"):
        restore(home, tmp_path / "copy", database=home / "metier.db")
    assert tree(home) == before
    back = restore(home, tmp_path / "copy", database=home / "metier.db", replace=True)
    assert back.bundles == ["one"]  # the other was there, byte for byte
    assert ids(home) == {"a", "b", "c"}
    assert load(Workspace(home).model("one")).about["seed"] == 0


def test_replacing_respects_the_log_and_who_is_reading(home, tmp_path):
    """A service holds the database open, with rows in its log; the old log must not be played into the new file."""
    backup(home, tmp_path / "copy", database=home / "metier.db")
    service = Database.open(home / "metier.db")
    with service.write() as connection:
        connection.execute(sa.text(ROWS), {"id": "d"})
    restore(home, tmp_path / "copy", database=home / "metier.db", replace=True)
    with service.read() as connection:
        assert set(connection.execute(sa.text("SELECT id FROM calls")).scalars()) == {"a", "b", "c"}
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    service.close()
    assert ids(home) == {"a", "b", "c"}


def test_an_altered_backup_changes_nothing(home, tmp_path):
    backup(home, tmp_path / "copy", database=home / "metier.db")
    content = bytearray((tmp_path / "copy").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "copy").write_bytes(content)
    before = tree(home)
    with pytest.raises(DataRejectedError, match="was altered"):
        restore(home, tmp_path / "copy", database=home / "metier.db", replace=True)
    assert tree(home) == before


def test_a_database_of_a_newer_release_changes_nothing(home, tmp_path):
    with closing(sqlite3.connect(home / "metier.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    backup(home, tmp_path / "copy", database=home / "metier.db")
    with pytest.raises(ConfigError, match="newer metier"):
        restore(tmp_path / "new", tmp_path / "copy", database=tmp_path / "new" / "metier.db")
    assert not list((tmp_path / "new").iterdir())


def test_a_bundle_that_is_not_whole_is_not_copied(home, tmp_path):
    (Workspace(home).model("two") / "config.json").write_text("{}")
    with pytest.raises(BundleError, match=r"models/two differs from its manifest"):
        backup(home, tmp_path / "copy", database=None)
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_a_backup_replaces_no_file(home, tmp_path):
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(UsageError, match="replaces none"):
        backup(home, tmp_path / "copy", database=None)
    assert (tmp_path / "copy").read_text() == "mine"


def test_postgresql_says_how(home, tmp_path):
    url = "postgresql://user:secret@localhost/metier"
    for call in (backup, restore):
        with pytest.raises(UsageError, match=r"pg_dump --format=custom.*--without-database") as caught:
            call(home, tmp_path / "copy", database=url)
        assert "secret" not in str(caught.value)


KILLED = """
import os, signal, sys
from pathlib import Path
import metier.operate.{module} as module
from metier.operate.backup import backup, restore

calls = 0
real = module.{function}

def dying(*arguments, **named):
    global calls
    calls += 1
    if calls == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **named)

module.{function} = dying
home, file = Path(sys.argv[1]), Path(sys.argv[2])
{command}
"""
BACKUP = "backup(home, file, database=home / 'metier.db')"
RESTORE = "restore(home, file, database=home / 'metier.db', replace={replace})"


def killed(command, module, function, call, home, file):
    code = KILLED.format(command=command, module=module, function=function, call=call)
    ran = subprocess.run([sys.executable, "-c", code, home, file], capture_output=True, env=os.environ)
    assert ran.returncode == -signal.SIGKILL, ran.stderr


@pytest.mark.parametrize(("module", "function", "call"), [("archive", "_copy", 2), ("archive", "_seal", 1)])
def test_killed_while_copying_leaves_no_backup(home, tmp_path, module, function, call):
    killed(BACKUP, module, function, call, home, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    backup(home, tmp_path / "copy", database=home / "metier.db")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "copy"}  # what the killed one left went, too


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("module", "function", "call"),
    [("archive", "_copy", 3), ("backup", "swap", 1), ("backup", "swap", 2), ("backup", "_put", 1)],
)
def test_killed_while_restoring_leaves_everything_whole(home, tmp_path, module, function, call, replace):
    """Each bundle and the database are the old or the new one, and the same command goes on."""
    backup(home, tmp_path / "copy", database=home / "metier.db")
    new = tmp_path / "new"
    old = {}
    if replace:
        shutil.copytree(Workspace(home).model("one"), Workspace(new).model("two"))
        shutil.copytree(Workspace(home).model("two"), Workspace(new).model("one"))
        write(new, "old")
        old = {"one": 1, "two": 0}
    killed(RESTORE.format(replace=replace), module, function, call, new, tmp_path / "copy")
    for name in Workspace(new).names("models"):
        assert load(Workspace(new).model(name)).about["seed"] in {old.get(name), {"one": 0, "two": 1}[name]}
    assert not replace or ids(new) == {"old"}
    assert replace or not (new / "metier.db").exists()
    restore(new, tmp_path / "copy", database=new / "metier.db", replace=replace)
    assert {name: load(Workspace(new).model(name)).about["seed"] for name in ("one", "two")} == {"one": 0, "two": 1}
    assert ids(new) == {"a", "b", "c"}
    assert {path.name for path in new.iterdir()} == {"models", "metier.db"}

"""`metier doctor` where a service lives."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from metier.data.workspace import Workspace
from metier.store import Store


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    store = Store.open(home / "metier.db")
    store.add_tenant("main")
    store.close()
    return home


@pytest.fixture
def checks(metier):
    def call(home, *arguments):
        report = json.loads(metier("doctor", "--home", home, "--json", *arguments).out)
        return {check["name"]: check for check in report["checks"]}

    return call


def test_a_service_that_is_well(checks, home):
    found = checks(home)
    names = {"scans", "disk of the service", "rights", "database", "audit log of main", "live model of main"}
    assert names <= set(found)
    assert [name for name in names if not found[name]["fine"]] == []
    assert "older" not in found["database"]["found"]
    assert found["live model of main"]["found"].startswith("none yet")


def test_no_service_is_no_fault(checks, tmp_path):
    found = checks(tmp_path)
    assert (found["service"]["fine"], found["service"]["found"][:15]) == (True, "no database yet")
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_newer_release(checks, home):
    with closing(sqlite3.connect(home / "metier.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    found = checks(home)
    assert (found["database"]["fine"], "upgrade metier" in found["database"]["found"]) == (False, True)
    assert "audit log of main" not in found


def test_an_older_database_is_not_migrated(checks, home):
    with closing(sqlite3.connect(home / "metier.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    found = checks(home)
    assert (found["database"]["fine"], "migrated when opened" in found["database"]["found"]) == (True, True)
    with closing(sqlite3.connect(home / "metier.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_a_damaged_database(checks, home):
    content = bytearray((home / "metier.db").read_bytes())
    content[4096 : 4096 * 4] = bytes(4096 * 3)
    (home / "metier.db").write_bytes(content)
    assert not checks(home)["database"]["fine"]


def test_a_database_that_is_out_of_reach(checks, home):
    found = checks(home, "--database", f"postgresql://u:secret@/d?host={home}")
    assert not found["database"]["fine"]
    assert "secret" not in found["database"]["found"]


def test_others_may_not_read(checks, home):
    assert checks(home)["rights"]["fine"]
    home.chmod(0o755)
    (home / "metier.db").chmod(0o644)
    found = checks(home)["rights"]
    assert (found["fine"], found["found"]) == (False, f"others may read metier.db; cure: chmod go= {home}")
    (home / "metier.db").chmod(0o600)
    assert checks(home)["rights"]["fine"]


def test_others_may_not_read_a_database_beside_the_home(checks, home, tmp_path):
    (home / "models").mkdir(mode=0o755)
    outside = shutil.copy(home / "metier.db", tmp_path / "other.db")
    outside.chmod(0o644)
    found = checks(home, "--database", outside)["rights"]["found"]
    assert found == f"others may read other.db; cure: chmod go= {outside}", "the home lets nobody in to its models"


def test_a_full_disk(checks, home, monkeypatch):
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1))
    found = checks(home)["disk of the service"]
    assert (found["fine"], "make room" in found["found"]) == (False, True)


def test_a_live_model_that_is_gone_or_another(checks, home, town_home, metier):
    assert metier("train", "town", "--model", "profile", "--as", "served").code == 0
    shutil.copytree(Workspace(town_home).model("served"), Workspace(home).model("served"))
    store = Store.open(home / "metier.db")
    with store.write(store.tenants()[0].id) as rows:
        rows.models.add("served@000000000000", "served")
        rows.models.promote("served@000000000000", "system")
    store.close()
    found = checks(home)["live model of main"]
    assert (found["fine"], "served@000000000000 is live, the bundle is served@" in found["found"]) == (False, True)
    (Workspace(home).model("served") / "config.json").write_text("{}")
    found = checks(home)["live model of main"]
    assert (found["fine"], "was altered" in found["found"]) == (False, True)

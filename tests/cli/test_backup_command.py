"""`metier backup` and `metier restore` by the command line."""

import hashlib
import json

import pytest

from metier.store import Store


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(home / "metier.db")
    store.add_tenant("main")
    store.close()
    return home


def test_there_and_back(metier, home, tmp_path):
    file = tmp_path / "copy"
    ran = metier("backup", file, "--home", home, "--json")
    assert ran.code == 0, ran.err
    done = json.loads(ran.out)
    assert done["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert done["bytes"] == file.stat().st_size
    ran = metier("restore", file, "--sha256", done["sha256"], "--home", tmp_path / "new", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["database"]
    assert "who was erased since" in ran.err
    assert "metier person finish" in ran.err
    store = Store.open(tmp_path / "new" / "metier.db")
    assert [one.name for one in store.tenants()] == ["main"]
    store.close()


def test_wrong_use(metier, home, tmp_path):
    file = tmp_path / "copy"
    assert metier("backup", file, "--home", tmp_path / "nowhere").code == 2
    assert metier("backup", file, "--home", home).code == 0
    ran = metier("backup", file, "--home", home)
    assert (ran.code, "replaces none" in ran.err) == (2, True)
    ran = metier("restore", file, "--home", home)
    assert (ran.code, "--replace" in ran.err) == (2, True)
    ran = metier("restore", file, "--replace", "--home", home)
    assert (ran.code, "0 erasures made since" in ran.err) == (0, True)
    ran = metier("restore", file, "--sha256", "0" * 64, "--replace", "--home", home)
    assert (ran.code, "SHA-256 is not the one given" in ran.err) == (3, True)
    ran = metier("backup", tmp_path / "other", "--database", "postgresql://u:secret@h/d", "--home", home)
    assert (ran.code, "pg_dump" in ran.err, "secret" in ran.err) == (2, True, False)

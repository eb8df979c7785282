"""`metier person` and `metier audit verify` by the command line."""

import json
import sqlite3
from contextlib import closing

import pytest

from metier.store import Store
from metier.store.people import Person


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(home / "metier.db")
    with store.write(store.add_tenant("main").id) as rows:
        rows.people.save([Person("ann", text="canarytext"), Person("bob", text="fine")])
        rows.audit.append("system", "recommendations.served", "ann")
        rows.audit.append("system", "recommendations.served", "bob")
    store.close()
    return home


def test_export_to_a_file_that_erasure_finds(metier, home):
    ran = metier("person", "export", "ann", "--home", home)
    assert ran.code == 0, ran.err
    [path] = (home / "exports").rglob("*.json")
    assert ran.out.strip() == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["profile"][0]["text"] == "canarytext"
    ran = metier("person", "erase", "ann", "--yes", "--home", home, "--json")
    assert ran.code == 0, ran.err
    assert not path.exists()
    assert json.loads(ran.out)["database"]["people"] == 1
    assert not [path for path in home.rglob("*") if path.is_file() and b"canarytext" in path.read_bytes()]
    assert metier("person", "export", "ann", "--home", home).code == 0  # rows of the audit log are left


def test_export_elsewhere(metier, home, tmp_path):
    ran = metier("person", "export", "ann", "--home", home, "--out", tmp_path / "ann.json")
    assert ran.out.strip() == str(tmp_path / "ann.json")
    assert json.loads(metier("person", "export", "bob", "--home", home, "--json").out)["person"] == "bob"
    assert not (home / "exports").exists()


def test_the_table_of_an_erasure(metier, home):
    ran = metier("person", "erase", "ann", "--yes", "--home", home)
    assert ran.code == 0, ran.err
    assert "table people" in ran.out
    assert "rows of the audit log stay" in ran.err


def test_erasures_of_the_api_are_finished(metier, home):
    store = Store.open(home / "metier.db")
    store.erase(store.tenants()[0].id, "ann", "ann")
    store.close()
    checks = json.loads(metier("doctor", "--home", home, "--json").out)["checks"]
    [found] = [check for check in checks if check["name"] == "erasures of main"]
    assert (found["fine"], "1 have not reached the files; cure: metier person finish" in found["found"]) == (
        False,
        True,
    )
    ran = metier("person", "finish", "--home", home)
    assert (ran.code, "rows of files erased" in ran.out) == (0, True), ran.err
    assert json.loads(metier("person", "finish", "--home", home, "--json").out) == {"again": 0, "receipts": []}
    checks = json.loads(metier("doctor", "--home", home, "--json").out)["checks"]
    assert [check["fine"] for check in checks if check["name"] == "erasures of main"] == [True]


def test_with_several_tenants_the_setting_names_the_main_one(metier, home, monkeypatch):
    store = Store.open(home / "metier.db")
    acme = store.add_tenant("acme").id
    store.close()
    main_s = metier("person", "export", "ann", "--home", home).out.strip()
    assert acme not in main_s
    monkeypatch.setenv("METIER_SERVE_TENANT", "acme")
    other_s = metier("person", "export", "ann", "--tenant", "main", "--home", home).out.strip()
    assert other_s.startswith(str(home / "exports"))
    assert len(other_s.split("/")) == len(main_s.split("/")) + 1
    monkeypatch.setenv("METIER_SERVE_TENANT", "nobody")
    for arguments in (["export", "ann"], ["erase", "ann", "--yes"]):
        ran = metier("person", *arguments, "--tenant", "main", "--home", home)
        assert (ran.code, "no main tenant 'nobody' (there: acme, main)" in ran.err) == (2, True), ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["erase", "ann", "--json"], "cure: --yes"),
        (["erase", "nobody", "--yes"], "nothing was erased"),
        (["export", "nobody"], "nothing is held"),
        (["export", "ann", "--tenant", "x"], "no tenant 'x'"),
        (["export", "ann", "--dataset", "x"], "no dataset 'x'"),
    ],
)
def test_wrong_use(metier, home, arguments, said):
    ran = metier("person", *arguments, "--home", home)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_no_database_is_made(metier, tmp_path):
    ran = metier("person", "export", "ann", "--home", tmp_path / "nowhere")
    assert ran.code == 2
    assert "no database" in ran.err
    assert not (tmp_path / "nowhere").exists()


def test_a_whole_audit_log(metier, home):
    ran = metier("audit", "verify", "--home", home, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["main"]["rows"] == 2
    assert json.loads(ran.out)["main"]["broken"] is None


def test_an_altered_audit_log(metier, home):
    with closing(sqlite3.connect(home / "metier.db")) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET object = 'eve' WHERE number = 2")
        connection.commit()
    ran = metier("audit", "verify", "--home", home, "--json")
    assert ran.code == 1
    verdict = json.loads(ran.out)["main"]
    assert (verdict["rows"], verdict["broken"]) == (1, 2)
    assert "the audit log was changed" in ran.err
    checks = json.loads(metier("doctor", "--home", home, "--json").out)["checks"]
    [log] = [check for check in checks if check["name"] == "audit log of main"]
    assert (log["fine"], log["found"]) == (False, "row 2 does not fit")

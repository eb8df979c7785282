"""A person gets all that is held about them, and is forgotten everywhere but where the receipt says so."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import polars as pl
import pytest
from traces import CANARIES, PERSON, containing

from metier.data.workspace import Workspace
from metier.errors import UnknownIdError, UsageError
from metier.operate.erasures import receipt_digest
from metier.operate.person import erase_person, export_person
from metier.sources.json_resume import from_json_resume
from metier.store.people import Person


def test_the_plants_are_found(workspace, store, trained):
    """Without this the search below would prove nothing."""
    found = containing(workspace.home, [*CANARIES, PERSON])
    assert {word for words in found.values() for word in words} == {*CANARIES, PERSON}
    assert {"datasets/town/people.parquet", "datasets/town/completions/simple.parquet"} <= set(found)
    assert {"runs/judged/per_user.parquet", "runs/judged/runs/fm.trec", "models/old/people.parquet"} <= set(found)


def test_erased_everywhere(workspace, store, trained):
    export = workspace.home / "exports" / hashlib.sha256(PERSON.encode()).hexdigest() / "one.json"
    export.parent.mkdir(parents=True)
    export.write_text("canarytext")
    receipt = erase_person(store, workspace, "main", PERSON)
    found = containing(workspace.home, CANARIES)
    assert {path.split("/")[1] for path in found if path.startswith("models/")} == {"old"}
    assert [path for path in found if not path.startswith("models/old/")] == []
    # The id itself is left in the audit log alone, as the receipt says.
    with_id = {path for path in containing(workspace.home, [PERSON]) if not path.startswith("models/old/")}
    assert {path.removesuffix("-wal") for path in with_id} == {"metier.db"}
    assert receipt["audit_rows_kept"] == 1

    manifest = hashlib.sha256((trained / "manifest.json").read_bytes()).hexdigest()
    assert receipt["bundles"] == [{"name": "old", "version": f"old@{manifest[:12]}", "live": False, "train_anew": True}]
    counts = receipt["database"]
    expected = {"people": 1, "events": 1, "resumes": 2, "recommendations": 1, "accounts": 1, "completions": 1}
    assert {name: counts[name] for name in expected} == expected
    assert receipt["files"] == {
        "datasets/town/completions/simple.parquet": 1,
        "datasets/town/history.parquet": 1,
        "datasets/town/interactions.parquet": receipt["files"]["datasets/town/interactions.parquet"],
        "datasets/town/people.parquet": 1,
        "runs/judged/per_user.parquet": 1,
        "runs/judged/runs/fm.trec": 1,
        "runs/judged/qrels.txt": 1,
        f"exports/{export.parent.name}": 1,
    }
    assert receipt["log_cleared"]
    assert receipt["subject"] == hashlib.sha256(PERSON.encode()).hexdigest()


def test_others_stay(workspace, store, trained):
    before = {path: pl.read_parquet(path) for path in workspace.dataset("town").rglob("*.parquet")}
    erase_person(store, workspace, "main", PERSON)
    for path, table in before.items():
        column = {"people.parquet": "id", "jobs.parquet": None, "windows.parquet": None}.get(path.name, "person")
        expected = table.filter(pl.col(column) != PERSON) if column else table
        assert pl.read_parquet(path).equals(expected)
    with store.read(store.tenants()[0].id) as rows:
        assert rows.people.get("other") is not None
        assert len(rows.events.of_person("other")) == 1
        assert rows.audit.verify().broken is None
    assert (workspace.run("judged") / "runs" / "fm.trec").read_text() == "p4 Q0 j2 1 0.5 fm\n"


def test_the_receipt_names_nobody_and_is_chained(workspace, store, trained):
    receipt = erase_person(store, workspace, "main", PERSON)
    [path] = (workspace.home / "receipts").glob("*.json")
    assert PERSON not in path.read_text()
    kept = json.loads(path.read_text())
    assert kept == json.loads(json.dumps(receipt))
    told = {name: value for name, value in kept.items() if name != "sha256"}
    canonical = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert kept["sha256"] == hashlib.sha256(canonical.encode()).hexdigest() == receipt_digest(kept)
    with store.read(store.tenants()[0].id) as rows:
        newest = rows.audit.page(limit=1).items[0]
    assert newest.action == "person.receipt"
    assert json.loads(newest.details) == {"receipt": kept["receipt"], "sha256": kept["sha256"]}


def test_nobody_is_not_erased(workspace, store):
    with pytest.raises(UnknownIdError, match="nothing was erased"):
        erase_person(store, workspace, "main", "person-canary-8")
    with pytest.raises(UnknownIdError, match=r"no tenant 'x' \(there: main\)"):
        erase_person(store, workspace, "x", PERSON)
    assert not (workspace.home / "receipts").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
import metier.operate.holdings as holdings
from metier.data.workspace import Workspace
from metier.operate.person import erase_person
from metier.store import Store

home, calls = Path(sys.argv[1]), 0
real = holdings.pl.DataFrame.write_parquet

def dying(*arguments, **named):
    global calls
    calls += 1
    if calls == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **named)

holdings.pl.DataFrame.write_parquet = dying
erase_person(Store.open(home / "metier.db"), Workspace(home), "main", sys.argv[2])
"""


def test_killed_in_the_middle_the_same_command_goes_on(workspace, store):
    ran = subprocess.run([sys.executable, "-c", KILLED, workspace.home, PERSON], capture_output=True, env=os.environ)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert containing(workspace.home, CANARIES)
    workspace.load("town")  # whole, though it holds the person still
    erase_person(store, workspace, "main", PERSON)
    assert containing(workspace.home, CANARIES) == {}


def test_with_several_tenants_the_same_id_elsewhere_is_somebody_else(workspace, store, trained):
    """The other tenant's model was trained on another dataset with the same ids."""
    other = store.add_tenant("other").id
    workspace.save("village", workspace.load("town"), {"source": "store", "tenant": "other"})
    with store.write(other) as rows:
        rows.people.save([Person(PERSON, text="somebody else")])
    with store.write(next(one.id for one in store.tenants() if one.name == "main")) as rows:
        rows.models.add("old@000000000000", "old")
    receipt = erase_person(store, workspace, "main", PERSON)
    assert {name.split("/")[1] for name in receipt["files"]} == {"town", "judged"}
    assert [one["name"] for one in receipt["bundles"]] == ["old"]
    assert PERSON in workspace.load("village").people["id"]
    with store.read(other) as rows:
        assert rows.people.get(PERSON).text == "somebody else"
    with pytest.raises(UsageError, match="no dataset 'hamlet'"):
        erase_person(store, workspace, "other", PERSON, ["hamlet"])
    receipt = erase_person(store, workspace, "other", PERSON)
    assert {name.split("/")[1] for name in receipt["files"]} == {"village"}
    assert receipt["bundles"] == []


def test_export_holds_all(workspace, store, trained):
    found = json.loads(json.dumps(export_person(store, workspace, "main", PERSON), default=str))
    [resume] = found["resumes"]
    assert from_json_resume(resume).contact.name == "Ann canaryname"
    assert [row["text"] for row in found["profile"]] == ["I am canarytext"]
    assert [(row["kind"], row["job"]) for row in found["events"]] == [("applied", "j1")]
    assert found["decisions"]["recommendations"][0]["body"] == {"because": "canarytext"}
    assert found["decisions"]["audit"][0]["action"] == "recommendations.served"
    assert found["database"]["completions"][0]["content"] == {"headline": "canarycompleted"}
    assert found["files"]["datasets/town/people.parquet"][0]["text"] == "nurse canarytext"
    assert found["bundles"][0]["name"] == "old"
    text = json.dumps(found)
    assert all(word in text for word in CANARIES)
    assert "argon2" not in text  # nobody is given a password's hash
    assert '"other"' not in text


def test_an_export_is_audited(workspace, store):
    export_person(store, workspace, "main", PERSON)
    with store.read(store.tenants()[0].id) as rows:
        newest = rows.audit.page(limit=1).items[0]
    assert (newest.action, newest.object) == ("person.exported", PERSON)


def test_nobody_is_not_exported(workspace, store):
    with pytest.raises(UnknownIdError, match="nothing is held about a person 'nobody'"):
        export_person(store, Workspace(workspace.home), "main", "nobody")

"""An erasure reaches the files later, and a database that comes back from before it."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event, current_thread, main_thread
from time import sleep

import polars as pl
import pytest
from traces import CANARIES, PERSON, containing

from metier.errors import DataRejectedError, MetierError, UsageError
from metier.operate.backup import backup, restore
from metier.operate.erasures import erase_rows, finish, keep_receipt, receipt_digest, receipts, unfinished
from metier.operate.holdings import holdings
from metier.operate.person import erase_person
from metier.store import CompletionStore, Store
from metier.store.people import Person
from metier.store.tokens import digest


def erase_as_the_api_does(store, workspace, person=PERSON, *, kept=True, tenant="main"):
    number = next(one.id for one in store.tenants() if one.name == tenant)
    made, cleared = erase_rows(store, holdings(store, workspace, number), number, person, "ann")
    if kept:
        keep_receipt(workspace, store, number, made, cleared=cleared)
    return made


@pytest.mark.parametrize("kept", [True, False])
def test_what_the_api_erased_is_taken_out_of_the_files_by_the_hash_of_the_id(workspace, store, trained, kept):
    export = workspace.home / "exports" / digest(PERSON) / "one.json"
    export.parent.mkdir(parents=True)
    export.write_text("canarytext")
    made = erase_as_the_api_does(store, workspace, kept=kept)
    assert made.counts["completions"] == 1
    assert not [path for path in containing(workspace.home, CANARIES) if path.startswith("metier.db")]
    assert "datasets/town/people.parquet" in containing(workspace.home, CANARIES)
    assert unfinished(store, workspace.home) == {"main": 1}
    [receipt], again = finish(store, workspace)
    assert again == 0
    assert {path.split("/")[1] for path in containing(workspace.home, CANARIES)} == {"old"}  # the bundle
    assert [one["name"] for one in receipt["bundles"]] == ["old"]
    assert receipt["database"] == (
        made.counts if kept else {n: c for n, c in made.counts.items() if n != "completions"}
    )
    assert receipt["files"]["datasets/town/people.parquet"] == receipt["files"][f"exports/{digest(PERSON)}"] == 1
    assert (receipt["receipt"], receipt["sha256"]) == (made.id, receipt_digest(receipt))
    assert json.loads((workspace.home / "receipts" / f"{made.id}.json").read_text()) == receipt
    assert (unfinished(store, workspace.home), finish(store, workspace)) == ({"main": 0}, ([], 0))


def test_of_somebody_whom_no_file_knows_the_receipt_is_whole_as_well(workspace, store):
    erase_as_the_api_does(store, workspace, "other")
    [receipt], _ = finish(store, workspace)
    assert (receipt["files"], receipt["bundles"], receipt["audit_rows_kept"]) == ({}, [], None)
    assert unfinished(store, workspace.home) == {"main": 0}


def test_the_main_tenants_is_all_that_is_no_other_tenants(workspace, store, trained):
    """Not only what its bundles were trained on; a bundle that nobody was given is the main tenant's too."""
    second = store.add_tenant("second").id
    for name, tenant in (("ours", "main"), ("theirs", "second"), ("trained", None)):
        workspace.save(name, workspace.load("town"), {"source": "store", "tenant": tenant})
    folder = workspace.model("second-1")
    folder.mkdir()
    (folder / "config.json").write_text('{"about": {"dataset": "trained"}}')
    with store.write(second) as rows:
        rows.models.add("second-1@000000000000", "second-1")
    erase_as_the_api_does(store, workspace)
    [receipt], _ = finish(store, workspace)
    assert {name.split("/")[1] for name in receipt["files"]} == {"town", "judged", "ours"}
    assert [one["name"] for one in receipt["bundles"]] == ["old"]
    assert all(PERSON in workspace.load(name).people["id"] for name in ("theirs", "trained"))
    made = erase_as_the_api_does(store, workspace, tenant="second")
    [receipt], _ = finish(store, workspace)
    assert receipt["receipt"] == made.id
    assert {name.split("/")[1] for name in receipt["files"]} == {"theirs", "trained"}
    assert receipt["bundles"] == []


def test_with_several_tenants_the_main_one_must_be_known(workspace, store):
    second = store.add_tenant("second").id
    assert "town" in holdings(store, workspace, second, main="second").datasets
    erase_as_the_api_does(store, workspace)
    with pytest.raises(UsageError, match=r"'acme' \(there: main, second\).*cure: METIER_SERVE_TENANT"):
        finish(store, workspace, main="acme")


@pytest.mark.parametrize("content", [None, "[1]", "null", "no json", '{"tenant": ["main"]}'])
def test_folders_that_are_no_datasets_and_bundles_hold_nobody_up(workspace, store, content):
    """As one that a file manager copied."""
    second = store.add_tenant("second").id
    with store.write(second) as rows:
        rows.models.add("gone@000000000000", "gone")
    for place, file in (
        (workspace.home / "datasets" / "town (copy)", "dataset.json"),
        (workspace.home / "models" / "town (copy)", "config.json"),
        (workspace.home / "models" / "gone", "config.json"),
    ):
        place.mkdir(parents=True)
        if content:
            (place / file).write_text(content)
    (workspace.dataset("town") / "people.parquet").rename(workspace.home / "datasets/town (copy)/people.parquet")
    erase_as_the_api_does(store, workspace)
    [receipt], _ = finish(store, workspace)
    assert receipt["files"]["datasets/town (copy)/people.parquet"] == 1


@pytest.mark.parametrize("brought", ["a file", "a completed résumé", "both, by their own doing"])
def test_whom_a_run_put_back_is_erased_again_but_not_who_came_back(workspace, store, trained, brought):
    """The bundle that knows them is no reason: it is named once."""
    file = workspace.dataset("town") / "completions" / "simple.parquet"
    before = file.read_bytes()
    [completion] = CompletionStore(store.database).read([PERSON.ljust(64, "k")])
    first = erase_person(store, workspace, "main", PERSON)
    assert finish(store, workspace) == ([], 0)
    if brought != "a completed résumé":
        file.write_bytes(before)
    if brought != "a file":
        CompletionStore(store.database).save([completion])
    if brought == "both, by their own doing":
        with store.write(store.tenants()[0].id) as rows:
            rows.people.save([Person(PERSON, "is here again")])
        assert finish(store, workspace) == ([], 0)
        assert file.read_bytes() == before
        return
    [receipt], again = finish(store, workspace)
    assert (receipt["receipt"], again) == (first["receipt"], 0)
    assert receipt["files"] == ({"datasets/town/completions/simple.parquet": 1} if brought == "a file" else {})
    assert {path.split("/")[1] for path in containing(workspace.home, CANARIES)} == {"old"}
    assert finish(store, workspace) == ([], 0)


def test_exports_of_two_tenants_lie_apart(workspace, store):
    second = store.add_tenant("second").id
    files = {}
    for tenant in store.tenants():
        folder = holdings(store, workspace, tenant.id).exports(PERSON)
        folder.mkdir(parents=True)
        files[tenant.name] = folder / "one.json"
        files[tenant.name].write_text(tenant.name)
    assert files["main"] == workspace.home / "exports" / digest(PERSON) / "one.json"
    assert {name: file.read_text() for name, file in files.items()} == {"main": "main", "second": "second"}
    erase_as_the_api_does(store, workspace, tenant="second")
    [receipt], _ = finish(store, workspace)
    assert receipt["files"] == {f"exports/{second}/{digest(PERSON)}": 1}
    assert [name for name, file in files.items() if file.exists()] == ["main"]
    files["second"].parent.mkdir()
    erase_as_the_api_does(store, workspace)
    finish(store, workspace)
    assert [name for name, file in files.items() if file.parent.exists()] == ["second"]


def test_two_erasures_at_once_undo_nothing(workspace, store, monkeypatch):
    """The second one starts while the first has read a file and not yet replaced it."""
    real, started = pl.read_parquet, Event()

    def slow(path, *arguments, **named):
        found = real(path, *arguments, **named)
        if current_thread() is not main_thread() and not started.is_set():
            started.set()
            sleep(1)
        return found

    monkeypatch.setattr(pl, "read_parquet", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(erase_person, store, workspace, "main", PERSON)
        assert started.wait(30)
        erase_person(store, workspace, "main", "p4")
        first.result(60)
    assert not {PERSON, "p4"} & holdings(store, workspace, store.tenants()[0].id).in_files()


def test_a_receipt_that_is_whole_is_not_replaced_by_one_that_is_late(workspace, store):
    made = erase_as_the_api_does(store, workspace, kept=False)
    [receipt], _ = finish(store, workspace)
    keep_receipt(workspace, store, store.tenants()[0].id, made, cleared=True)
    assert json.loads((workspace.home / "receipts" / f"{made.id}.json").read_text()) == receipt
    assert {path.name for path in (workspace.home / "receipts").iterdir()} == {f"{made.id}.json", ".lock"}


@pytest.fixture
def copied(workspace, store, tmp_path):
    """A backup from before two people were erased, one by the command and one by the API; how it is restored."""
    with store.write(store.tenants()[0].id) as rows:
        rows.people.save([Person("third", "canarythird")])
        rows.erasure.erase("came back")
        rows.people.save([Person("came back", "and is not erased again")])
    backup(workspace.home, tmp_path / "copy", database=workspace.home / "metier.db")
    erase_person(store, workspace, "main", PERSON)
    erase_as_the_api_does(store, workspace, "third")
    return lambda: restore(workspace.home, tmp_path / "copy", database=workspace.home / "metier.db", replace=True)


def assert_gone(workspace, *, again):
    store = Store.open(workspace.home / "metier.db")
    with store.read(store.tenants()[0].id) as rows:
        assert rows.people.get("other") is not None
        assert rows.people.get("came back") is not None
        assert rows.audit.verify().broken is None
        told = [one for one in rows.audit.page().items if one.action == "person.erased"]
        assert [json.loads(one.details)["again"] for one in told] == [True] * again
        assert rows.erasure.was_erased(PERSON)
    store.close()
    assert not [path for path in containing(workspace.home, [*CANARIES, "canarythird"]) if "metier.db" in path]


def test_who_was_erased_after_the_backup_is_erased_in_it(workspace, store, copied):
    assert copied().again == 2
    assert_gone(workspace, again=2)
    assert receipts(workspace.home)[0].tenant == "main"


@pytest.mark.parametrize("left", ["nothing", "a damaged file", "no receipts"])
def test_the_receipts_and_the_old_database_tell_each_without_the_other(workspace, store, copied, left):
    store.close()
    if left == "no receipts":
        for path in (workspace.home / "receipts").iterdir():
            path.unlink()
    else:
        for path in workspace.home.glob("metier.db*"):
            path.unlink()
    if left == "a damaged file":
        (workspace.home / "metier.db").write_bytes(b"no database at all" * 100)
        with pytest.raises(MetierError, match=r"not a database.*cure: .*move that file"):
            copied()
        (workspace.home / "metier.db").unlink()
    assert copied().again == 2
    assert_gone(workspace, again=2)


def test_where_nothing_tells_it_is_said(workspace, store, copied, tmp_path):
    new = tmp_path / "new"
    done = restore(new, tmp_path / "copy", database=new / "metier.db")
    assert done.again is None
    there = Store.open(new / "metier.db")
    assert unfinished(there, new) == {"main": 1}  # of whom the backup tells, and no receipt
    (new / "receipts").mkdir()
    for path in (workspace.home / "receipts").iterdir():  # brought later, as after pg_restore
        (new / "receipts" / path.name).write_bytes(path.read_bytes())
    assert unfinished(there, new) == {"main": 3}
    workspace_there = type(workspace)(new)
    done, again = finish(there, workspace_there)
    assert (len(done), again) == (2, 2)  # the command's receipt was whole
    there.close()
    assert_gone(workspace_there, again=2)


def test_what_is_no_receipt_is_named_before_anything_changes(workspace, store, copied):
    (workspace.home / "receipts" / "x.json").write_text("{}")
    with pytest.raises(DataRejectedError, match=r"x\.json is no receipt.*cure: move it"):
        copied()
    with store.read(store.tenants()[0].id) as rows:
        assert rows.people.get(PERSON) is None

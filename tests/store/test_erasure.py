"""Erasure and export: everything of one person, nothing of another."""

import json

import pytest
import sqlalchemy as sa

from metier.store import Store
from metier.store.erasure import Receipt
from metier.store.events import Event
from metier.store.idempotency import Kept
from metier.store.people import Person
from metier.store.schema import metadata
from metier.store.tokens import Hashed, digest, hash_password

PASSWORD = "correct horse battery"
ABOUT_NOBODY = {
    "alembic_version", "tenants", "setup_tokens", "jobs", "exposures", "models", "model_changes", "imports",
    "import_refusals", "audit", "erasures",
}  # fmt: skip
"""Tables without a row about a person, except by id."""
OF_DATASETS = {"completions", "calls"}


def fill(store, tenant, person, word):
    """A row about a person in every table that can hold one, each with the word in it."""
    hashed = hash_password(PASSWORD)
    with store.write(tenant) as rows:
        rows.people.save([Person(person, f"{word} self", wishes=word, attributes={"degree": word})])
        read, waiting = (rows.resumes.add(person, f"{word} {i}".encode()) for i in range(2))
        rows.resumes.done(
            read.id, kind="text", how="text layer", text=word, hidden=[{"reason": "tiny", "text": word}], candidate={}
        )
        rows.events.add([Event(f"{person}-{word}", "applied", person, "j1", 1.0)])
        account = rows.accounts.add(f"{word}@example.org", hashed, "seeker", person)
        rows.keys.add(word, ["read"], account.id)
        rows.idempotency.keep(account.id, "k", "POST", "b", Kept(200, word.encode()), person=person)
        rows.audit.append(account.id, "person.made", person)
        body = json.dumps({"for": word}).encode()
        assert rows.recommendations.put(person, "f", "m@1", body, rows.recommendations.stamp(person))
    name = next(one.name for one in store.tenants() if one.id == tenant)
    assert store.authentication.sign_in(name, f"{word}@example.org", PASSWORD, lasting=60)
    return waiting


def counted(store):
    with store.database.read() as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def dump(store):
    with store.database.read() as connection:
        return repr([connection.execute(sa.select(table)).all() for table in metadata.sorted_tables])


def test_every_table_is_thought_of(store, tenant):
    fill(store, tenant, "p1", "canary")
    with store.read(tenant) as rows:
        exported = set(rows.erasure.export("p1"))
    assert exported - {"audit"} | ABOUT_NOBODY | OF_DATASETS == set(metadata.tables) | {"alembic_version"}


def test_an_erased_person_is_nowhere_and_the_others_are_untouched(store, tenant, other):
    fill(store, tenant, "p2", "sparrow")
    fill(store, other, "p1", "robin")
    before = counted(store)
    fill(store, tenant, "p1", "canary")
    assert "canary" in dump(store)
    receipt, scrubbed = store.erase(tenant, "p1", "root")
    assert scrubbed
    assert counted(store) == before | {"audit": before["audit"] + 2, "erasures": 1}
    assert "canary" not in dump(store)
    assert receipt.counts == {
        "people": 1, "resumes": 2, "events": 1, "recommendations": 1, "accounts": 1, "sessions": 1, "api_keys": 1,
        "idempotency": 1,
    }  # fmt: skip
    assert receipt.subject == digest("p1")
    with store.read(tenant) as rows:
        assert rows.audit.verify().broken is None
        assert rows.erasure.page().items == (receipt,)
        assert rows.erasure.erased() == {digest("p1")}
        assert rows.erasure.was_erased("p1")
        assert not rows.erasure.was_erased("p2")
    with store.read(other) as rows:
        assert not rows.erasure.was_erased("p1")


def test_an_export_holds_everything_but_secrets(store, tenant, other):
    fill(store, tenant, "p2", "sparrow")
    fill(store, other, "p1", "robin")
    fill(store, tenant, "p1", "canary")
    with store.read(tenant) as rows:
        exported = rows.erasure.export("p1")
    assert all(rows for rows in exported.values())
    text = json.dumps(exported)
    for table in ("people", "resumes", "accounts", "api_keys", "idempotency", "recommendations"):
        assert "canary" in json.dumps(exported[table]) or table == "idempotency"
    assert exported["recommendations"][0]["body"] == {"for": "canary"}
    assert [one["action"] for one in exported["audit"]] == ["person.made"]
    for foreign in ("sparrow", "robin", "argon2", '"hash"', '"csrf"', '"password"'):
        assert foreign not in text


def test_an_export_names_who_was_offered_the_person_and_none_of_the_others(store, tenant):
    fill(store, tenant, 'p"_1', "canary")
    with store.write(tenant) as rows:
        rows.audit.append("rec", "candidates.served", "j1", version="m@1", people=[("p2", 2.0), ('p"_1', 1.0)])
        rows.audit.append("rec", "candidates.exported", "j2", version="m@1", people=[("p2", 2.0), ('p"x1', 1.0)])
        rows.audit.append("rec", "candidates.served", 'p"_1', version="m@1", people=[("p2", 2.0)])  # a job of that id
    with store.read(tenant) as rows:
        audited = rows.erasure.export('p"_1')["audit"]
    assert [(one["action"], one["object"]) for one in audited] == [("person.made", 'p"_1'), ("candidates.served", "j1")]
    assert json.loads(audited[1]["details"]) == {"version": "m@1", "people": [['p"_1', 1.0]]}


def test_an_export_of_nobody_is_empty(store, tenant):
    with store.read(tenant) as rows:
        assert not any(rows.erasure.export("p1").values())


def test_an_erasure_that_a_copy_of_the_database_forgot_is_made_again(store, tenant, other):
    fill(store, tenant, "p2", "sparrow")
    fill(store, other, "p1", "robin")
    before = counted(store)
    fill(store, tenant, "p1", "canary")
    forgotten = Receipt("the receipt of p1", digest("p1"), 7, 5.25, {"people": 1})
    with store.write(tenant) as rows:
        known = rows.erasure.erase("p3")
        assert rows.erasure.unknown([known, forgotten]) == [forgotten]
        rows.erasure.repeat([forgotten, Receipt("nobody", digest("p4"), 8, 6.5, {})])
        assert rows.erasure.unknown([forgotten]) == []
        nobody, again, _ = rows.erasure.page().items
    assert "canary" not in dump(store)
    assert counted(store) == before | {"audit": before["audit"] + 1, "erasures": 3}
    assert (again.id, again.subject, again.time, nobody.counts) == (forgotten.id, digest("p1"), 5.25, {})
    assert (again.counts["resumes"], again.counts["sessions"]) == (2, 1)


@pytest.mark.parametrize("erase", [False, True])
def test_what_is_erased_is_in_no_file_any_more(tmp_path, erase):
    store = Store.open(tmp_path / "metier.db")
    tenant = store.add_tenant("north").id
    fill(store, tenant, "p1", "xylophone")
    with store.write(tenant) as rows:
        rows.people.save([Person(f"p{i}", "xylophone " * 2000) for i in range(10, 30)])
    if erase:
        for person in ["p1", *(f"p{i}" for i in range(10, 30))]:
            assert store.erase(tenant, person, "root")[1]
    files = [path for path in tmp_path.iterdir() if b"xylophone" in path.read_bytes()]  # while the database is open
    assert bool(files) != erase


def test_a_log_that_somebody_reads_is_cleared_later(tmp_path, monkeypatch):
    store = Store.open(tmp_path / "metier.db")
    tenant = store.add_tenant("north").id
    with store.write(tenant) as rows:
        rows.accounts.add("ann", Hashed("h"), "seeker", "p1")
    with store.read(tenant) as rows:
        rows.people.page()
        with store.database.engine.connect() as connection:  # the next one out of the pool does not wait for 30 s
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        assert not store.erase(tenant, "p1", "root")[1]
    assert store.database.scrub()

"""Profiles: versions, who may be found, and attributes that models read."""

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa

from metier.errors import UsageError
from metier.store.events import Event
from metier.store.people import Person

ANN = Person(
    "p1",
    "nurse, 10 years\x0c é",
    "Riga",
    None,
    "LV",
    "1001",
    "no nights",
    True,
    {"degree": "BSc", "years": 10.5, "langs": ["lv"]},
)


def test_what_is_read_is_what_was_saved(store, tenant, clock):
    with store.write(tenant) as rows:
        rows.people.save([ANN])
    with store.read(tenant) as rows:
        set_here = {"made": clock.now, "updated": clock.now, "discoverable_since": clock.now}
        assert rows.people.get("p1") == replace(ANN, version=1, sequence=1, **set_here)
        assert rows.people.get("p2") is None


def test_nobody_is_found_by_recruiters_unasked(store, tenant):
    with store.write(tenant) as rows:
        rows.people.save([Person("p2"), ANN, Person("p3", discoverable=True)])
        assert list(rows.people.discoverable(9)) == ["p3", "p1"]
        assert [one.id for one in rows.people.page().items] == ["p1", "p2", "p3"]
        assert list(rows.people.discoverable_since()) == ["p1", "p3"]


def test_who_did_something_last_is_found_first(store, tenant):
    with store.write(tenant) as rows:
        rows.people.save([Person(f"p{number}", discoverable=True) for number in range(4)])
        before = rows.people.discoverable(9)
        rows.events.add([Event("e", "viewed", "p1", "j1", 0.0), Event("f", "viewed", "somebody else", "j1", 0.0)])
        resume = rows.resumes.add("p0", b"")
        rows.resumes.done(resume.id, kind="txt", how="text layer", text="", hidden=[], candidate={})
    with store.read(tenant) as rows:
        found = rows.people.discoverable(9)
        assert list(found) == ["p0", "p1", "p3", "p2"]
        assert {person for person in found if found[person] != before[person]} == {"p0", "p1"}
        assert list(rows.people.discoverable(2)) == ["p0", "p1"], "whoever is left out did less lately"


def test_a_resume_counts_from_when_it_was_read_until_it_is_deleted(store, tenant):
    """Whoever compares stamps, having read somebody between any two of these, reads them again after the second."""
    read = {"kind": "txt", "how": "text layer", "text": "nurse", "hidden": [], "candidate": {}}
    stamps, drawn = [], []

    def step(work):
        with store.write(tenant) as rows:
            done = work(rows)
        with store.read(tenant) as rows:
            stamps.append(rows.people.discoverable(9)["p1"])
            drawn.append(rows.drawn())
        return done

    step(lambda rows: rows.people.save([Person("p1", discoverable=True)]))
    resume = step(lambda rows: rows.resumes.add("p1", b"nurse"))
    step(lambda rows: rows.resumes.done(resume.id, **read))
    step(lambda rows: rows.events.add([Event("e", "viewed", "p1", "j1", 0.0)]))
    step(lambda rows: rows.resumes.delete(resume.id))
    assert stamps == [1, 1, 3, 4, 5]
    assert drawn == [1, 2, 3, 4, 5]


def test_who_may_be_found_is_read_off_an_index_in_its_order(store, tenant):
    asked = []
    listening = store.database.engine, "before_cursor_execute", lambda *call: asked.append(call[2:4])
    with store.write(tenant) as rows:
        rows.people.save([Person(f"p{number}", discoverable=True) for number in range(9)])
        sa.event.listen(*listening)
        rows.people.discoverable(9)
        sa.event.remove(*listening)
        ((statement, values),) = asked
        explain = "EXPLAIN QUERY PLAN"
        if store.database.engine.dialect.name == "postgresql":
            explain = "EXPLAIN"
            rows.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows.connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        plan = [str(line[-1]) for line in rows.connection.exec_driver_sql(f"{explain} {statement}", values)]
    assert any(re.search(r"(COVERING INDEX|Only Scan \w+ using) people_discoverable", line) for line in plan), plan
    assert not any(re.search("ORDER BY|Sort", line) for line in plan), plan


def test_what_came_last_about_somebody_is_found_in_an_older_database(store, tenant):
    with store.write(tenant) as rows:
        rows.people.save([Person(f"p{number}", discoverable=True) for number in range(4)])
        rows.events.add([Event("e", "viewed", "p1", "j1", 0.0), Event("f", "viewed", "p1", "j2", 0.0)])
        rows.resumes.add("p0", b"")
    with store.write(store.add_tenant("another").id) as rows:
        rows.events.add([Event(f"g{number}", "viewed", "p2", "j1", 0.0) for number in range(20)])
    store.database.downgrade("0006")
    store.database.upgrade()
    with store.read(tenant) as rows:
        assert rows.people.discoverable(9) == {"p0": 7, "p1": 6, "p3": 4, "p2": 3}


def test_since_when_somebody_may_be_found(store, tenant, clock):
    """From the change that allowed it, through other changes, until one that ends it."""
    found = []
    for text, discoverable in (("", False), ("", True), ("new", True), ("new", False), ("new", True)):
        clock.now += 10
        with store.write(tenant) as rows:
            rows.people.save([Person("p1", text, discoverable=discoverable)])
            found.append(rows.people.discoverable_since().get("p1"))
    start = clock.now - 50
    assert found == [None, start + 20, start + 20, None, start + 50]


def test_since_when_somebody_may_be_found_of_a_database_that_did_not_note_it(store, tenant, clock):
    """Since their last change for certain."""
    for text in ("old", "new"):
        clock.now += 10
        with store.write(tenant) as rows:
            rows.people.save([Person("p1", text, discoverable=True), Person("p2", text)])
    store.database.downgrade("0005")
    store.database.upgrade()
    with store.read(tenant) as rows:
        assert rows.people.discoverable_since() == {"p1": clock.now}


def test_a_change_counts_up_and_keeps_when_it_was_made(store, tenant, clock):
    with store.write(tenant) as rows:
        rows.people.save([ANN])
    made, clock.now = clock.now, clock.now + 5
    with store.write(tenant) as rows:
        rows.people.save([replace(ANN, text="new"), Person("p2")])
        changed = rows.people.get("p1")
    assert (changed.text, changed.version, changed.made, changed.updated) == ("new", 2, made, clock.now)


def test_the_last_of_one_call_counts(store, tenant):
    with store.write(tenant) as rows:
        rows.people.save([ANN, replace(ANN, text="later")])
        assert (rows.people.get("p1").text, rows.people.get("p1").version) == ("later", 1)


def test_no_state_has_the_number_of_another_even_after_an_erasure(store, tenant):
    numbers = []
    for _ in range(2):
        with store.write(tenant) as rows:
            for text in ("first", "second"):
                rows.people.save([replace(ANN, text=text)])
                numbers.append(rows.people.get("p1").sequence)
            rows.erasure.erase("p1")
    assert len(set(numbers)) == 4


@pytest.mark.parametrize("name", ["id", "text", "window", "title"])
def test_an_attribute_has_no_fixed_name(store, tenant, name):
    with store.write(tenant) as rows, pytest.raises(UsageError, match=f"attributes named {name}"):
        rows.people.save([Person("p1", attributes={name: "x"})])


def test_many_are_found_by_id(store, tenant):
    ids = [f"p{i}" for i in range(1201)]
    with store.write(tenant) as rows:
        rows.people.save([Person(id) for id in ids])
        assert sorted(rows.people.among([*ids, "nobody"])) == sorted(ids)

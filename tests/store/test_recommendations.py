"""Stored answers: served again until anything they rest on has changed, and never stored too late."""

import pytest

from metier.store.events import Event
from metier.store.jobs import Job
from metier.store.people import Person

VOID_ONE = {
    "an event": lambda rows: rows.events.add([Event("e", "viewed", "p1", "j", 1.0)]),
    "a profile": lambda rows: rows.people.save([Person("p1", "new")]),
    "a résumé": lambda rows: rows.resumes.done(
        rows.resumes.of_person("p1").items[0].id, kind="pdf", how="OCR", text="", hidden=[], candidate={}
    ),
    "an erasure": lambda rows: rows.erasure.erase("p1"),
}
VOID_ALL = {
    "a job": lambda rows: rows.jobs.save([Job("j", "", "")]),
    "a withdrawal": lambda rows: rows.jobs.withdraw("j"),
    "a model": lambda rows: rows.models.promote(rows.models.add("m2@0", "m2").version, "a"),
}


def put(store, tenant, person, body=b"{}", stamp=None):
    with store.write(tenant) as rows:
        return rows.recommendations.put(person, "f", "m@1", body, stamp or rows.recommendations.stamp(person))


def get(store, tenant, person="p1", filters="f"):
    with store.read(tenant) as rows:
        return rows.recommendations.get(person, filters)


@pytest.fixture
def served(store, tenant):
    """Two people with a stored answer, one of whom waits for a résumé to be read."""
    with store.write(tenant) as rows:
        rows.resumes.add("p1", b"file")
    for person in ("p1", "p2"):
        assert put(store, tenant, person)


def test_an_answer_is_served_as_it_was(store, tenant, clock):
    assert get(store, tenant) is None
    assert put(store, tenant, "p1", b'{"a":1}')
    stored = get(store, tenant)
    assert (stored.model, stored.made, stored.body) == ("m@1", clock.now, b'{"a":1}')
    assert get(store, tenant, filters="g") is None
    assert put(store, tenant, "p1", b"2")
    assert get(store, tenant).body == b"2"


@pytest.mark.parametrize("name", VOID_ONE)
def test_a_change_voids_the_answers_of_its_person(store, tenant, served, name):
    with store.write(tenant) as rows:
        VOID_ONE[name](rows)
    assert get(store, tenant, "p1") is None
    assert get(store, tenant, "p2")


@pytest.mark.parametrize("name", VOID_ALL)
def test_a_change_of_jobs_or_model_voids_all_answers(store, tenant, other, served, name):
    assert put(store, other, "p1")
    with store.write(tenant) as rows:
        VOID_ALL[name](rows)
    assert get(store, tenant, "p1") is None
    assert get(store, tenant, "p2") is None
    assert get(store, other, "p1")
    with store.write(tenant) as rows:
        assert rows.recommendations.purge() == 2
        assert rows.recommendations.purge() == 0
    assert put(store, tenant, "p1")
    assert get(store, tenant, "p1")


@pytest.mark.parametrize("name", VOID_ONE | VOID_ALL)
def test_an_answer_that_is_out_of_date_when_it_comes_is_not_stored(store, tenant, served, name):
    with store.read(tenant) as rows:
        stamp = rows.recommendations.stamp("p1")
    with store.write(tenant) as rows:
        (VOID_ONE | VOID_ALL)[name](rows)
        assert not rows.recommendations.put("p1", "f", "m@1", b"old", stamp), "in the same transaction"
    assert not put(store, tenant, "p1", b"old", stamp)
    assert get(store, tenant, "p1") is None


def test_what_a_change_voids_comes_back_when_the_change_does_not_happen(store, tenant, served, broken_off):
    broken_off(VOID_ONE["an event"])
    broken_off(VOID_ALL["a job"])
    assert get(store, tenant, "p1")


def test_exposures_add_up(store, tenant, other):
    with store.write(tenant) as rows:
        rows.exposures.add({"j1": 2, "j2": 1}, day=100)
        rows.exposures.add({"j1": 3}, day=100)
        rows.exposures.add({"j1": 5}, day=101)
        rows.exposures.add({}, day=101)
    with store.write(other) as rows:
        rows.exposures.add({"j1": 70}, day=101)
    with store.write(tenant) as rows:
        assert rows.exposures.since(100) == {"j1": 10, "j2": 1}
        assert rows.exposures.since(101) == {"j1": 5}
        assert rows.exposures.since(102) == {}
        assert rows.exposures.forget(101) == 2
        assert rows.exposures.since(0) == {"j1": 5}

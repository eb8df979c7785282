"""Events: once for each source id, in the order received, late or not."""

import pytest

from metier.store.events import Event

KINDS = ["applied", "viewed", "saved", "dismissed"]
BACK = [("applied", "unapplied"), ("saved", "unsaved"), ("dismissed", "undismissed")]


def event(source: str, person: str = "p1", job: str = "j1", kind="applied", time: float = 1.5) -> Event:
    return Event(source, kind, person, job, time)


def add(store, tenant, *events):
    with store.write(tenant) as rows:
        return rows.events.add(events)


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_kept_with_both_of_its_times(store, tenant, clock, kind):
    assert add(store, tenant, event("e1", kind=kind)).accepted == 1
    with store.read(tenant) as rows:
        assert rows.events.of_person("p1") == [Event("e1", kind, "p1", "j1", 1.5, clock.now, 1)]


@pytest.mark.parametrize(("kind", "back"), BACK)
def test_what_was_taken_back_is_kept_and_no_longer_counts(store, tenant, kind, back):
    others = [one for one in KINDS if one != kind]
    add(store, tenant, *(event(one, kind=one) for one in KINDS), event("other job", job="j2", kind=kind))
    add(store, tenant, event("another's", person="p2", kind=kind), event("twice", kind=kind, time=2.0))
    add(store, tenant, event("back", kind=back, time=3.0))
    with store.read(tenant) as rows:
        assert [one.source for one in rows.events.of_person("p1")] == [*others, "other job"]
        assert [one.source for one in rows.events.of_person("p2")] == ["another's"]
        assert len(rows.events.page("p1").items) == len(KINDS) + 3
    add(store, tenant, event("before", kind=kind, time=2.5), event("again", kind=kind, time=3.0))
    with store.read(tenant) as rows:
        assert [one.source for one in rows.events.of_person("p1") if one.kind == kind] == ["other job", "again"]


def test_a_source_id_counts_once(store, tenant):
    add(store, tenant, event("e1"))
    recorded = add(store, tenant, event("e2"), event("e1", job="j2"), event("e2", job="j3"), event("e3"))
    assert (recorded.accepted, recorded.duplicates, recorded.last) == (2, ("e1", "e2"), 3)
    with store.read(tenant) as rows:
        assert [(one.source, one.job) for one in rows.events.since().items] == [
            ("e1", "j1"),
            ("e2", "j1"),
            ("e3", "j1"),
        ]
    again = add(store, tenant, event("e1"))
    assert (again.accepted, again.duplicates, again.last) == (0, ("e1",), 0)


def test_two_tenants_may_use_the_same_source_id(store, tenant, other):
    assert add(store, tenant, event("e1")).accepted == 1
    assert add(store, other, event("e1")).accepted == 1


def test_late_events_come_later_in_the_sequence_but_earlier_in_time(store, tenant):
    add(store, tenant, event("e1", time=5.0, job="j5"))
    add(store, tenant, event("e2", time=2.0, job="j2"))
    with store.read(tenant) as rows:
        assert [one.job for one in rows.events.of_person("p1")] == ["j2", "j5"]
        assert [one.job for one in rows.events.since(0).items] == ["j5", "j2"]
        assert [one.job for one in rows.events.since(1).items] == ["j2"]
        assert rows.events.since(2).items == ()
        assert [one.job for one in rows.events.page("p1").items] == ["j2", "j5"], "last received first"


def test_many_events_in_one_call(store, tenant):
    new = [event(f"e{i}", person=f"p{i % 700}") for i in range(2000)]
    assert add(store, tenant, *new, *new).accepted == 2000
    with store.read(tenant) as rows:
        found = rows.events.of_people([*(f"p{i}" for i in range(700)), "nobody"])
        assert sum(map(len, found.values())) == 2000
        assert found["nobody"] == []
        first = rows.events.since(limit=1000)
        assert [one.sequence for one in first.items] == list(range(1, 1001))
        assert [one.sequence for one in rows.events.since(int(first.next)).items] == list(range(1001, 2001))


def test_nothing_is_nothing(store, tenant):
    assert add(store, tenant).accepted == 0

"""Paging by key, numbers in the order of their commits, and transactions that keep their promise."""

import threading

import pytest
import sqlalchemy as sa

from metier.errors import MetierError, UnknownIdError, UsageError
from metier.store import Database, Store
from metier.store.events import Event
from metier.store.people import Person
from metier.store.schema import tenants


def event(source: str, person: str = "p1", job: str = "j1", kind="applied", time: float = 1.0) -> Event:
    return Event(source, kind, person, job, time)


def all_of(page, **options):
    found, after = [], None
    while True:
        some = page(after, **options)
        found += some.items
        after = some.next
        if after is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 1000])
def test_pages_hold_each_row_once_and_in_order(store, tenant, limit):
    with store.write(tenant) as rows:
        rows.people.save([Person(f"p{i}") for i in (3, 1, 4, 0, 2)])
    with store.read(tenant) as rows:
        assert [one.id for one in all_of(rows.people.page, limit=limit)] == ["p0", "p1", "p2", "p3", "p4"]


def test_a_row_that_comes_meanwhile_shifts_no_page(store, tenant):
    with store.write(tenant) as rows:
        rows.people.save([Person(f"p{i}") for i in range(4)])
        first = rows.people.page(limit=2)
        rows.people.save([Person("a")])
        assert [one.id for one in rows.people.page(first.next, limit=2).items] == ["p2", "p3"]


@pytest.mark.parametrize("cursor", ["x", "", "-1", "1.5", "²", "9" * 19, "1; DROP TABLE events"])
def test_a_cursor_that_is_none_is_refused(store, tenant, cursor):
    with store.read(tenant) as rows, pytest.raises(UsageError, match="no such cursor"):
        rows.events.page("p1", cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_size(store, tenant, limit):
    with store.read(tenant) as rows, pytest.raises(UsageError, match="1 to 1000"):
        rows.people.page(limit=limit)


def test_what_fails_half_way_was_never_there(store, tenant, broken_off):
    broken_off(lambda rows: rows.people.save([Person("p1")]))
    broken_off(lambda rows: rows.audit.append("a", "person.made", "p1"))
    with store.read(tenant) as rows:
        assert rows.people.get("p1") is None
        assert rows.audit.verify().rows == 0


def test_a_transaction_that_reads_cannot_write(store, tenant):
    with pytest.raises(MetierError, match=r"may not be written|refuses"), store.read(tenant) as rows:
        rows.connection.execute(sa.update(tenants).values(name="changed"))


def test_a_transaction_that_reads_sees_one_state(store, tenant):
    with store.read(tenant) as rows:
        assert rows.people.get("p1") is None
        with store.write(tenant) as writing:
            writing.people.save([Person("p1")])
        assert rows.people.get("p1") is None
    with store.read(tenant) as rows:
        assert rows.people.get("p1") is not None


def test_nobody_writes_for_a_tenant_that_is_not_there(store):
    with pytest.raises(UnknownIdError, match="no such tenant"), store.write("nowhere"):
        pass


def test_numbers_are_committed_in_the_order_in_which_they_were_drawn(database_url, tenant, store):
    """Or else who asks for what came after a number would miss what was drawn before and committed later."""
    second = Store(Database.open(database_url))
    drawn, done = threading.Event(), []

    def late() -> None:
        drawn.wait()
        with second.write(tenant) as rows:
            done.append(rows.events.add([event("late")]).last)

    thread = threading.Thread(target=late)
    with store.write(tenant) as rows:
        thread.start()
        early = rows.events.add([event("early")]).last
        drawn.set()
        thread.join(0.3)
        assert done == [], "the second writer waits for its turn"
    thread.join()
    second.close()
    assert done == [early + 1]
    with store.read(tenant) as rows:
        assert [(one.source, one.sequence) for one in rows.events.since().items] == [("early", 1), ("late", 2)]

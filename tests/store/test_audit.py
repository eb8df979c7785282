"""The audit chain: rows can be added; any other change is refused, and found where it was forced."""

import hashlib
import json

import pytest
import sqlalchemy as sa

from metier.errors import MetierError, UsageError
from metier.store.audit import ORIGIN, Entry
from metier.store.schema import audit, tenants

DROP = {
    "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", "DROP TRIGGER audit_no_replace"],
    "postgresql": ["ALTER TABLE audit DISABLE TRIGGER USER"],
}


@pytest.fixture
def chain(store, tenant, other):
    """Five rows of one tenant, with two of another between them."""
    for number in range(1, 6):
        with store.write(tenant) as rows:
            rows.audit.append("ann", "person.viewed", f"p{number}", score=0.1 * number, parts=["é", None])
        if number % 2:
            with store.write(other) as rows:
                rows.audit.append("bob", "person.viewed", "p1")
    return tenant


def verdict(store, tenant):
    with store.read(tenant) as rows:
        return rows.audit.verify()


def force(store, *statements):
    """What somebody with all rights on the database can do."""
    with store.database.write() as connection:
        for drop in DROP[connection.dialect.name]:
            connection.exec_driver_sql(drop)
        for statement in statements:
            connection.execute(statement)


def of(tenant, number):
    return (audit.c.tenant == tenant) & (audit.c.number == number)


def test_a_chain_that_nobody_touched_is_whole(store, chain, other):
    with store.read(chain) as rows:
        page = rows.audit.page().items
    found = verdict(store, chain)
    assert (found.rows, found.broken, found.hash) == (5, None, page[0].hash)
    assert verdict(store, other).broken is None
    assert [one.number for one in page] == [5, 4, 3, 2, 1]
    with store.read(chain) as rows:
        assert [one.number for one in rows.audit.page(object="p3").items] == [3]


def test_an_empty_chain_is_whole(store, tenant):
    found = verdict(store, tenant)
    assert (found.rows, found.broken, found.hash) == (0, None, ORIGIN)


def test_anybody_can_compute_the_hash(store, chain):
    with store.read(chain) as rows:
        second, first = rows.audit.page().items[-2:]
    told = {name: getattr(second, name) for name in ("number", "time", "actor", "action", "object", "details")}
    text = json.dumps(told | {"tenant": chain}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert second.hash == hashlib.sha256((first.hash + text).encode()).hexdigest()
    assert json.loads(second.details) == {"score": 0.2, "parts": ["é", None]}


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "REPLACE", "TRUNCATE audit"])
def test_the_database_refuses_any_other_change(store, chain, change):
    sqlite = store.database.engine.dialect.name == "sqlite"
    if change == "REPLACE":
        if not sqlite:
            pytest.skip("PostgreSQL has no INSERT OR REPLACE")
        change = "INSERT OR REPLACE INTO audit SELECT * FROM audit"
    if change == "TRUNCATE audit" and sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(MetierError, match="refuses"), store.database.write() as connection:
        connection.exec_driver_sql(change)
    assert verdict(store, chain).rows == 5


def test_a_changed_row_is_named(store, chain, other):
    force(store)
    columns = {"time": 1.0} | dict.fromkeys(("actor", "action", "object", "details", "previous", "hash"), "{}")
    for number in (1, 3, 5):
        for column, forged in columns.items():
            with store.database.write() as connection:
                [true] = connection.execute(sa.select(audit.c[column]).where(of(chain, number))).one()
                connection.execute(sa.update(audit).where(of(chain, number)).values({column: forged}))
            assert verdict(store, chain).broken == number, column
            assert verdict(store, other).broken is None
            with store.database.write() as connection:
                connection.execute(sa.update(audit).where(of(chain, number)).values({column: true}))
            assert verdict(store, chain).broken is None


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_removed_row_is_named(store, chain, number):
    force(store, sa.delete(audit).where(of(chain, number)))
    assert verdict(store, chain).broken == number


def test_a_row_that_was_put_in_is_named(store, chain):
    with store.read(chain) as rows:
        last = rows.audit.page().items[0]
    forged = vars(last) | {"tenant": chain, "number": 6, "previous": last.hash}
    force(store, sa.insert(audit).values(forged))
    assert verdict(store, chain).broken == 6


def test_a_chain_forged_from_some_row_on_is_found_by_its_last_hash(store, chain):
    """The forger makes a valid chain of four rows but does not think of the tenant's row."""
    force(store, sa.delete(audit).where(audit.c.tenant == chain, audit.c.number > 4))
    assert verdict(store, chain).broken == 5
    with store.read(chain) as rows:
        four = rows.audit.page().items[0]
    with store.database.write() as connection:
        connection.execute(sa.update(tenants).where(tenants.c.id == chain).values(audited=4, audit_hash=four.hash))
    assert verdict(store, chain).hash == four.hash, "who rewrites all is found by a hash that was noted elsewhere"


def test_many_rows_are_one_chain(store, tenant):
    with store.write(tenant) as rows:
        rows.audit.append_many([Entry("ann", "recommendations.served", f"p{i}", time=float(i)) for i in range(2500)])
        rows.audit.append_many([])
        assert rows.audit.verify().rows == 2500, "in the transaction that writes them, too"
    found = verdict(store, tenant)
    assert (found.rows, found.broken) == (2500, None)


def test_work_that_failed_leaves_no_row(store, chain, broken_off):
    broken_off(lambda rows: rows.audit.append("ann", "person.viewed", "p9"))
    assert verdict(store, chain).rows == 5
    with store.write(chain) as rows:
        rows.audit.append("ann", "person.viewed", "p9")
    assert verdict(store, chain).rows == 6


@pytest.mark.parametrize(
    "entry",
    [
        Entry("a", "person.viewed", "x" * 201),
        Entry("x" * 201, "person.viewed"),
        Entry("a", "person.viewed", "p", {"text": "x" * 201}),
        Entry("a", "person.viewed", "p", {"deep": [{"x" * 201: 1}]}),
        Entry("a", "Person viewed"),
        Entry("a", ""),
    ],
)
def test_prose_does_not_belong_in_the_chain(store, tenant, entry):
    with store.write(tenant) as rows, pytest.raises(UsageError, match=r"in an audit row|no action"):
        rows.audit.append_many([entry])
    assert verdict(store, tenant).rows == 0

"""Bulk calls: the counts add up and every line set aside has its reason."""

from metier.store.imports import Refusal


def test_counts_add_up(store, tenant, clock):
    with store.write(tenant) as rows:
        made = rows.imports.start("events")
        assert (made.state, made.ended) == ("running", None)
        rows.imports.count(made.id, 10, 2, [Refusal(3, "time: not a number"), Refusal(7, "kind: unknown")])
    with store.write(tenant) as rows:
        rows.imports.count(made.id, 5, 0, [Refusal(20, "person: missing")])
        rows.imports.count(made.id, 1, 0, [])
        rows.imports.end(made.id, "done")
    with store.read(tenant) as rows:
        done = rows.imports.get(made.id)
        first = rows.imports.refusals(made.id, limit=2)
        rest = rows.imports.refusals(made.id, first.next)
    assert (done.accepted, done.duplicates, done.refused, done.state, done.ended) == (16, 2, 3, "done", clock.now)
    assert first.items + rest.items == (
        Refusal(3, "time: not a number"),
        Refusal(7, "kind: unknown"),
        Refusal(20, "person: missing"),
    )
    assert rest.next is None


def test_newest_first(store, tenant):
    with store.write(tenant) as rows:
        made = [rows.imports.start(kind) for kind in ("events", "jobs", "people")]
        assert [one.id for one in rows.imports.page().items] == [one.id for one in reversed(made)]
        assert rows.imports.get("nowhere") is None

"""Writers killed at random moments: what was acknowledged is there, and nothing is half there."""

import multiprocessing
import random
import time
from contextlib import suppress

import pytest
import sqlalchemy as sa

from metier.store import Database, Store
from metier.store.audit import Entry
from metier.store.events import Event
from metier.store.schema import audit, events


def write_for_ever(url, tenant, life, acknowledge):
    """Batches of events, each with one audit row a event; a batch is acknowledged once it is committed."""
    store = Store.open(url)
    acknowledge.send(None)
    draw = random.Random(life)
    for batch in range(1_000_000):
        size = draw.randint(1, 20)
        ids = [f"{life}-{batch}-{i}-{size}" for i in range(size)]
        with store.write(tenant) as rows:
            rows.events.add(
                [Event(id, "applied", f"p{i % 3}", "j" * draw.randint(1, 3000), 1.0) for i, id in enumerate(ids)]
            )
            rows.audit.append_many([Entry("writer", "event.recorded", id) for id in ids])
        acknowledge.send(ids)


def live_and_die(context, url, tenant, life, draw):
    """One process, killed at a random moment of its writing: what it acknowledged."""
    hears, says = context.Pipe(duplex=False)
    writer = context.Process(target=write_for_ever, args=(url, tenant, life, says))
    writer.start()
    says.close()
    assert hears.poll(60)
    hears.recv()
    time.sleep(draw.uniform(0, 0.15))
    writer.kill()
    writer.join()
    acknowledged = []
    with suppress(EOFError, OSError):  # the last word may be cut off
        while True:
            acknowledged += hears.recv()
    hears.close()
    return acknowledged


def campaign(url, kills):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["metier.store.store"])
    first = Store.open(url)
    tenant = first.add_tenant("north").id
    first.close()
    draw, acknowledged = random.Random(0), []
    for life in range(kills):
        acknowledged += live_and_die(context, url, tenant, life, draw)
    return tenant, acknowledged


def check(url, tenant, acknowledged):
    store = Store(Database.open(url))
    with store.read(tenant) as rows:
        kept = [row["source"] for row in rows.rows(rows.select(events, events.c.source).order_by(events.c.sequence))]
        told = [row["object"] for row in rows.rows(rows.select(audit, audit.c.object).order_by(audit.c.number))]
        verdict = rows.audit.verify()
        last = rows.rows(rows.select(events, sa.func.max(events.c.sequence).label("last")))[0]["last"]
        if rows.connection.dialect.name == "sqlite":
            assert rows.connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    store.close()
    assert acknowledged, "the writers came to write"
    assert set(acknowledged) <= set(kept), "no acknowledged event is lost"
    assert kept == told, "an event and its audit row are one"
    batches = {}
    for source in kept:
        life, batch, _, size = source.split("-")
        batches.setdefault((life, batch, int(size)), []).append(source)
    assert all(len(rows) == size for (_, _, size), rows in batches.items()), "no batch is torn"
    assert (verdict.broken, verdict.rows, last) == (None, len(kept), len(kept))


def test_writers_may_be_killed(database_url):
    check(database_url, *campaign(database_url, 5))


@pytest.mark.slow
def test_writers_may_be_killed_200_times(database_url):
    check(database_url, *campaign(database_url, 200))

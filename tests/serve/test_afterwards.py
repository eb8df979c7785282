"""What waits to be written is written, whatever waits beside it."""

import asyncio
import json
import time

import pytest
from structlog.testing import capture_logs

from metier.serve.afterwards import Afterwards
from metier.serve.metrics import Metrics
from metier.store.audit import Entry
from metier.store.store import Store

POISON = {
    "too long": Entry("key", "job.read", "x" * 201),
    "no such action": Entry("key", "Not An Action", "canary"),
    "no Unicode": Entry("key", "job.read", "\ud800"),
    "NUL": Entry("key", "job.read", "a\x00"),
    "no JSON": Entry("key", "job.read", "canary", {"score": {1, 2}}),
    "not finite": Entry("key", "job.read", "canary", {"score": float("nan")}),
}


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path / "store.sqlite")
    yield store
    store.close()


@pytest.fixture
def tenants(store):
    return [store.add_tenant(name).id for name in ("first", "second")]


def written(store, tenant):
    with store.read(tenant) as rows:
        assert rows.audit.verify().broken is None
        return [row.object for row in rows.audit.page().items][::-1]


@pytest.mark.parametrize("poison", POISON)
def test_row_that_can_never_be_written_is_dropped_and_the_rest_is_written(store, tenants, poison):
    metrics = Metrics()
    afterwards = Afterwards(store, 60, metrics)
    for number in range(7):
        afterwards.audit(tenants[0], POISON[poison] if number == 3 else Entry("key", "job.read", str(number)))
    afterwards.audit(tenants[1], Entry("key", "job.read", "other"))
    with capture_logs() as lines:
        afterwards.flush()
    assert written(store, tenants[0]) == ["0", "1", "2", "4", "5", "6"]
    assert written(store, tenants[1]) == ["other"]
    assert b"metier_audit_dropped_total 1.0" in metrics.text()
    assert b"metier_audit_waiting 0.0" in metrics.text()
    (line,) = lines
    assert (line["event"], line["tenant"]) == ("row of audit dropped", tenants[0])
    assert "canary" not in str(line)


def test_an_answer_counts_as_often_as_it_was_shown(store, tenants, monkeypatch):
    afterwards, clock = Afterwards(store, 60, Metrics()), [86_400.0 * 10]
    monkeypatch.setattr(store, "clock", lambda: clock[0])
    answer, other = (json.dumps({"items": [{"job": job} for job in jobs]}).encode() for jobs in ("ab", "b"))
    for tenant, one in [(0, answer), (0, answer), (0, other), (1, other)]:
        afterwards.shown(tenants[tenant], one)
    clock[0] += 86_400
    afterwards.shown(tenants[0], answer)
    for _ in range(2):  # nothing is counted again
        afterwards.flush()
    for tenant, days in ((tenants[0], {10: {"a": 3, "b": 4}, 11: {"a": 1, "b": 1}}), (tenants[1], {10: {"b": 1}})):
        with store.read(tenant) as rows:
            assert {day: rows.exposures.since(day) for day in days} == days


@pytest.mark.parametrize("stored", [False, True])
def test_an_answer_that_the_audit_refuses_was_shown_to_nobody(make_world, monkeypatch, stored):
    async def story():
        async with make_world() as world, world.client("full") as client:
            path, afterwards = "/api/v1/people/p1/recommendations", world.service.afterwards
            if stored:
                assert (await client.get(path)).status_code == 200
                afterwards.flush()
            monkeypatch.setattr("metier.serve.afterwards.MOST", 0)
            served, counted = world.service.metrics.text(), []
            monkeypatch.setattr(afterwards, "shown", lambda *given: counted.append(given))
            assert (await client.get(path)).status_code == 503
            assert not counted
            count = [line for line in served.splitlines() if b"served" in line]
            assert [line for line in world.service.metrics.text().splitlines() if b"served" in line] == count

    asyncio.run(story())


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_work_that_fails_is_lost_and_loses_no_row_of_audit(store, tenants, error):
    afterwards = Afterwards(store, 60, Metrics())

    def fail(_):
        raise error("canary")

    for tenant in tenants:
        afterwards.audit(tenant, Entry("key", "job.read", "kept"))
    afterwards.do(tenants[0], fail)
    with capture_logs() as lines:
        if error is RuntimeError:
            with pytest.raises(RuntimeError):
                afterwards.flush()
        afterwards.flush()
    assert [written(store, tenant) for tenant in tenants] == [["kept"], ["kept"]]
    assert [line["error"] for line in lines] == [error.__name__]
    assert "canary" not in str(lines)


def test_showings_come_less_often_unless_all_is_asked_for(store, tenants):
    afterwards = Afterwards(store, 60, Metrics())
    for _ in range(2):
        afterwards.shown(tenants[0], b'{"items": [{"job": "nurse"}, {"job": "cook"}]}')

    def counted():
        with store.read(tenants[0]) as rows:
            return rows.exposures.since(0)

    afterwards.flush(showings=False)
    assert counted() == {}
    afterwards.flush()
    assert counted() == {"nurse": 2, "cook": 2}
    afterwards.flush()
    assert counted() == {"nurse": 2, "cook": 2}


def test_thread_writes_showings_after_their_time(store, tenants, monkeypatch):
    monkeypatch.setattr("metier.serve.afterwards.SHOWN_SECONDS", 0.3)
    afterwards = Afterwards(store, 0.01, Metrics())
    began = time.monotonic()
    afterwards.start()
    afterwards.shown(tenants[0], b'{"items": [{"job": "nurse"}]}')
    while afterwards._shown and time.monotonic() < began + 20:
        time.sleep(0.01)
    assert time.monotonic() - began >= 0.3
    afterwards.close()
    with store.read(tenants[0]) as rows:
        assert rows.exposures.since(0) == {"nurse": 1}


def test_thread_outlives_every_error(store, tenants):
    afterwards = Afterwards(store, 0.01, Metrics())

    def fail(_):
        raise RuntimeError

    afterwards.start()
    with capture_logs():
        afterwards.do(tenants[0], fail)
        until = time.monotonic() + 20
        while afterwards._work[tenants[0]] and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.1)
        assert afterwards.alive()
        afterwards.audit(tenants[0], Entry("key", "job.read", "later"))
        while afterwards._waiting and time.monotonic() < until:
            time.sleep(0.02)
    assert written(store, tenants[0]) == ["later"]
    afterwards.close()
    assert not afterwards.alive()


def test_follower_outlives_every_error_and_a_dead_thread_is_told(make_world, monkeypatch):
    async def story():
        async with make_world(follow_seconds=0.05) as world, world.client() as client:
            called = []

            def fail():
                called.append(1)
                raise RuntimeError

            monkeypatch.setattr(world.service.models, "follow", fail)
            with capture_logs():
                until = time.monotonic() + 20
                while len(called) < 3 and time.monotonic() < until:
                    await asyncio.sleep(0.05)
            assert len(called) >= 3
            assert (await client.get("/health/ready")).status_code == 200
            world.service.afterwards._stop.set()
            world.service.afterwards._thread.join()
            assert (await client.get("/health/ready")).status_code == 503

    asyncio.run(story())

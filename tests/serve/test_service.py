"""When it is for a board, and what is held while a model works."""

import asyncio
import time
from contextlib import contextmanager
from threading import local

import pytest
from anyio import CapacityLimiter

from metier.live import LiveModel
from metier.serve.service import DAY
from metier.store.events import Event
from metier.store.jobs import Job
from metier.store.people import Person


def test_a_board_where_jobs_are_dated_of_late_lives_in_the_present(make_world):
    async def story():
        async with make_world(moment="auto") as world, world.client("full") as client:
            service, learned = world.service, world.service.models.held(world.tenant).newest
            clock = [learned + 364 * DAY]
            service.store.clock = lambda: clock[0]

            async def moment():
                assert (await client.get("/api/v1/people/p1/recommendations")).status_code == 200
                return service.moment(world.tenant)

            assert await moment() == clock[0]
            clock[0] = learned + 366 * DAY
            assert await moment() == learned, "nothing was learned for a year"
            with service.store.write(world.tenant) as rows:
                rows.events.add([Event("e", "viewed", "p1", "j1", clock[0])])
                rows.jobs.withdraw("j2")
                rows.jobs.save([Job("undated", "Nurse", "")])
            assert await moment() == learned, "visitors of an old board leave it as it is"
            with service.store.write(world.tenant) as rows:
                rows.jobs.save([Job("new", "Nurse", "", start=clock[0] - 3), Job("old", "Nurse", "", start=0.0)])
            assert await moment() == clock[0]
            clock[0] += 364 * DAY
            assert await moment() == clock[0]
            clock[0] += 2 * DAY
            assert await moment() == learned

    asyncio.run(story())


def test_a_posting_that_is_corrected_or_dated_ahead_dates_no_board(make_world):
    async def story():
        async with make_world(moment="auto") as world, world.client("full") as client:
            service, learned = world.service, world.service.models.held(world.tenant).newest
            now = learned + 400 * DAY
            service.store.clock = lambda: now

            async def moment(*jobs, withdraw=()):
                with service.store.write(world.tenant) as rows:
                    rows.jobs.save(jobs)
                    for job in withdraw:
                        rows.jobs.withdraw(job)
                assert (await client.get("/api/v1/people/p1/recommendations")).status_code == 200
                return service.moment(world.tenant)

            assert await moment(Job("ahead", "Nurse", "", start=now + 1000 * DAY)) == learned
            assert await moment(Job("today", "Nurse", "", start=now - 1)) == now
            assert await moment(withdraw=["today"]) == learned
            assert await moment(Job("today", "Nurse", "", start=now - 1)) == now
            assert await moment(Job("today", "Nurse", "", start=0.0)) == learned

    asyncio.run(story())


@pytest.mark.parametrize("setting", ["clock", "data"])
def test_the_moment_may_be_set(make_world, setting):
    async def story():
        async with make_world(moment=setting) as world:
            service, learned = world.service, world.service.models.held(world.tenant).newest
            for clock in (learned + DAY, learned + 1000 * DAY):
                service.store.clock = lambda clock=clock: clock
                assert service.moment(world.tenant) == (clock if setting == "clock" else learned)

    asyncio.run(story())


def test_no_connection_is_held_while_a_model_works(make_world, monkeypatch):
    held, seen = local(), []

    def watched(name):
        call = getattr(LiveModel, name)

        def run(self, *given, **more):
            seen.append((name, getattr(held, "count", 0)))
            return call(self, *given, **more)

        monkeypatch.setattr(LiveModel, name, run)

    async def story():
        async with make_world() as world, world.client("full") as client:
            read = world.service.store.read

            @contextmanager
            def reading(tenant):
                with read(tenant) as rows:
                    held.count = getattr(held, "count", 0) + 1
                    try:
                        yield rows
                    finally:
                        held.count -= 1

            monkeypatch.setattr(world.service.store, "read", reading)
            for name in ("jobs", "pool", "people", "similar", "reasons", "raises"):
                watched(name)
            with world.store.write(world.tenant) as rows:
                rows.people.save([Person("ann", "I am a nurse", discoverable=True)])
            for path in ("people/ann/recommendations", "people/p1/reasons?job=j1", "people/p1/raises?job=j1"):
                assert (await client.get(f"/api/v1/{path}")).status_code == 200
            for path in ("jobs/j1/candidates", "jobs/j1/similar"):
                assert (await client.get(f"/api/v1/{path}")).status_code == 200
            assert (await client.post("/api/v1/recommendations", json={"profile": {}})).status_code == 200

    asyncio.run(story())
    assert {name for name, _ in seen} == {"jobs", "pool", "people", "similar", "reasons", "raises"}
    assert {count for _, count in seen} == {0}


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_descriptions_are_scored_at_once_than_there_are_places(make_world, monkeypatch, most):
    working, seen, jobs = [], [], LiveModel.jobs

    def slow(self, *given, **how):
        working.append(1)
        seen.append(len(working))
        time.sleep(0.05)
        working.pop()
        return jobs(self, *given, **how)

    async def story():
        async with make_world() as world, world.client("full") as client:
            world.service.scoring = CapacityLimiter(most)
            monkeypatch.setattr(LiveModel, "jobs", slow)
            asked = [client.post("/api/v1/recommendations", json={"profile": {}}) for _ in range(6)]
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}

    asyncio.run(story())
    assert (len(seen), max(seen)) == (6, most)

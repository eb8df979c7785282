"""Everybody who may be found is compared: at once where there is time, and soon where there is not."""

import asyncio
import json
from threading import Event

from metier.serve import candidates
from metier.store.people import People, Person
from metier.store.store import Store

NURSE, WELDER = "I am a nurse. I care for patients.", "I am a welder. I weld pipes."
POSTING = {"@id": "ward", "title": "Nurse", "description": "<p>A nurse who cares for patients</p>"}
PATH = "/api/v1/jobs/ward/candidates"


async def posted(world, client, people):
    assert (await client.post("/api/v1/jobs", json=POSTING)).status_code == 201
    for id, text in people.items():  # one after the other: the last did something last
        with world.store.write(world.tenant) as rows:
            rows.people.save([Person(id, text, discoverable=True)])


async def best(client, k=1):
    answer = await client.get(PATH, params={"k": k})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def scores(client):
    answer = await client.get(PATH, params={"k": 9})
    return {one["id"]: one["score"] for one in answer.json()["items"]}


def compared(world):
    world.service.afterwards.flush()
    with world.store.read(world.tenant) as rows:
        found = [json.loads(one.details) for one in rows.audit.page().items if one.action == "candidates.served"]
    return found[0]["compared"]


def test_who_is_left_for_want_of_time_is_compared_soon(make_world, monkeypatch):
    monkeypatch.setattr(candidates, "CHUNK", 2)

    async def story():
        people = {"a": NURSE} | dict.fromkeys("bcdefg", WELDER)
        async with make_world(candidate_seconds=1e-9, follow_seconds=3600) as world, world.client("full") as client:
            await posted(world, client, people)
            assert set(await best(client, 9)) == {"f", "g"}, "who did something last"
            assert compared(world) == [2, 7]
            world.service.candidates.follow(60)
            assert (await best(client))[0] == "a"
            assert compared(world) == [7, 7]
            assert not world.service.candidates._behind

    asyncio.run(story())


def test_the_service_itself_reads_who_is_left(make_world, monkeypatch):
    monkeypatch.setattr(candidates, "CHUNK", 1)

    async def story():
        async with make_world(candidate_seconds=1e-9, follow_seconds=0.05) as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE} | dict.fromkeys("bcdef", WELDER))
            await best(client)
            for _ in range(200):
                await asyncio.sleep(0.05)
                if not world.service.candidates._behind:
                    break
            assert world.service.candidates._held[world.tenant].pool.ids == tuple("fedcba")

    asyncio.run(story())


def test_most_are_those_who_did_something_last(make_world):
    async def story():
        async with make_world(candidates=2) as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE, "b": WELDER, "c": WELDER})
            assert set(await best(client, 9)) == {"b", "c"}
            event = {"kind": "viewed", "person": "a", "job": "j1"}
            assert (await client.post("/api/v1/events", json=event)).status_code == 201
            assert await best(client, 9) == ["a", "c"]

    asyncio.run(story())


def test_each_is_read_once_and_again_when_something_changed(make_world, monkeypatch):
    async def story():
        async with make_world(follow_seconds=3600) as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE, "b": WELDER, "c": NURSE, "d": NURSE})
            read, asked = [], candidates.askers

            def reading(rows, model, people):
                read.append(sorted(people))
                return asked(rows, model, people)

            monkeypatch.setattr(candidates, "askers", reading)
            assert set(await best(client, 3)) == {"a", "c", "d"}
            await best(client)
            assert read == [["a", "b", "c", "d"]]
            with world.store.write(world.tenant) as rows:
                rows.people.save([Person("a", NURSE), Person("b", NURSE, discoverable=True)])
            before = await scores(client)
            assert before.keys() == {"b", "c", "d"}
            for kind, person in (("dismissed", "c"), ("applied", "d")):
                event = {"kind": kind, "person": person, "job": "ward"}
                assert (await client.post("/api/v1/events", json=event)).status_code == 201
            after = await scores(client)
            assert after.keys() == {"b", "d"}, "who applied stays, who does not want it is left out"
            assert after["b"] == before["b"]
            assert abs(after["d"] - before["d"]) > 0.01, "what was applied to counts"
            assert read[1:] == [["b"], ["c", "d"]]
            assert (await client.delete("/api/v1/people/b")).status_code == 200
            world.service.candidates.follow(1)
            assert world.service.candidates._held[world.tenant].pool.ids == ("d", "c"), "nothing is kept of the erased"
            assert await best(client, 9) == ["d"]
            await client.post("/api/v1/models/promote", json={"bundle": "second"})
            await best(client)
            assert read[3:] == [["c", "d"]], "another bundle reads them anew"

    asyncio.run(story())


def kept(world, tenant=None):
    """Ids of whom the process keeps."""
    pool = world.service.candidates._held[tenant or world.tenant].pool
    return set(pool.ids) if pool else set()


def read_as(text):
    return {"kind": "txt", "how": "text layer", "text": text, "hidden": [], "candidate": {}}


def test_a_resume_counts_once_it_was_read_and_no_longer_when_it_is_deleted(make_world):
    """Though whoever asked in between has read the person already."""

    async def story():
        async with make_world(follow_seconds=3600) as world, world.client("full") as client:
            await posted(world, client, {"a": "", "b": "I am a teacher. I teach mathematics."})
            with world.store.write(world.tenant) as rows:
                resume = rows.resumes.add("a", b"").id
            before = await scores(client)
            with world.store.write(world.tenant) as rows:
                rows.resumes.done(resume, **read_as(NURSE))
            assert (await scores(client))["a"] > before["a"]
            event = {"kind": "viewed", "person": "a", "job": "j1"}
            assert (await client.post("/api/v1/events", json=event)).status_code == 201
            await scores(client)
            with world.store.write(world.tenant) as rows:
                rows.resumes.delete(resume)
            assert await scores(client) == before

    asyncio.run(story())


def test_who_withdraws_while_others_are_read_is_neither_named_nor_kept(make_world, monkeypatch):
    async def story():
        async with make_world(follow_seconds=3600) as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE, "b": NURSE, "c": NURSE, "d": WELDER})
            asked = candidates.askers

            def reading(rows, model, people):
                found = asked(rows, model, people)
                with world.store.write(world.tenant) as others:
                    others.people.save([Person("a", NURSE), Person("c", WELDER, discoverable=True)])
                world.store.erase(world.tenant, "b", "somebody")
                return found

            monkeypatch.setattr(candidates, "askers", reading)
            assert await best(client, 9) == ["d"]
            assert kept(world) == {"d"}
            monkeypatch.setattr(candidates, "askers", asked)
            world.service.candidates.follow(60)
            assert kept(world) == {"c", "d"}, "who changed meanwhile is read again"

    asyncio.run(story())


def test_whom_another_process_erased_or_withdrew_is_forgotten_unasked(make_world):
    async def story():
        async with make_world(follow_seconds=0.05) as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE, "b": NURSE, "c": NURSE, "d": NURSE})
            await best(client)
            other = Store.open(world.service.settings.where)
            other.erase(world.tenant, "a", "somebody")
            with other.write(world.tenant) as rows:
                rows.people.save([Person("b", NURSE)])
                resume = rows.resumes.add("c", b"").id
                rows.resumes.done(resume, **read_as(WELDER))
            other.close()
            for _ in range(200):
                await asyncio.sleep(0.05)
                if kept(world) == {"d"}:
                    break
            assert kept(world) == {"d"}
            assert set(await best(client, 9)) == {"c", "d"}

    asyncio.run(story())


def test_who_may_be_found_is_asked_only_after_something_was_written(make_world, monkeypatch):
    async def story():
        async with make_world(follow_seconds=3600) as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE, "b": WELDER})
            asked, discoverable = [], People.discoverable
            monkeypatch.setattr(People, "discoverable", lambda self, most: asked.append(1) or discoverable(self, most))
            await best(client)
            for _ in range(3):
                assert await best(client) == ["a"]
                world.service.candidates.follow(1)
            assert len(asked) == 1
            event = {"kind": "viewed", "person": "a", "job": "j1"}
            assert (await client.post("/api/v1/events", json=event)).status_code == 201
            await best(client)
            assert len(asked) == 2

    asyncio.run(story())


def test_one_tenant_s_failure_holds_up_no_other(make_world, monkeypatch):
    async def story():
        async with make_world(follow_seconds=3600) as world, world.client("full") as client:
            async with world.client("other") as neighbour:
                await posted(world, client, {"a": NURSE})
                assert (await neighbour.post("/api/v1/jobs", json=POSTING)).status_code == 201
                with world.store.write(world.other) as rows:
                    rows.people.save([Person("n", NURSE, discoverable=True)])
                for one in (client, neighbour):
                    await best(one)
            world.store.erase(world.tenant, "a", "somebody")
            world.store.erase(world.other, "n", "somebody")
            discoverable = People.discoverable

            def failing(self, most):
                if self._scope.tenant == world.tenant:
                    raise RuntimeError("broken")
                return discoverable(self, most)

            monkeypatch.setattr(People, "discoverable", failing)
            world.service.candidates.follow(1)
            assert (kept(world), kept(world, world.other)) == ({"a"}, set())

    asyncio.run(story())


def test_reading_people_holds_up_no_promotion(make_world):
    async def story():
        async with make_world(follow_seconds=0.01) as world:
            service, read, looked = world.service, Event(), []
            service.candidates.follow = lambda seconds: read.wait(20)
            service.models.follow = lambda: looked.append(1)
            for _ in range(500):
                await asyncio.sleep(0.01)
                if len(looked) > 3:
                    break
            read.set()
            assert len(looked) > 3

    asyncio.run(story())


def test_nobody_fits_a_job_that_is_withdrawn_or_over(make_world):
    async def story():
        async with make_world(moment="clock") as world, world.client("full") as client:
            await posted(world, client, {"a": NURSE})
            assert await best(client) == ["a"]
            over = POSTING | {"validThrough": "2020-01-01T00:00:00Z"}
            assert (await client.put("/api/v1/jobs/ward", json=over)).status_code == 200
            assert await best(client) == []
            assert (await client.get("/api/v1/jobs/ward/similar")).status_code == 200
            assert (await client.delete("/api/v1/jobs/ward")).status_code == 204
            for path in (PATH, "/api/v1/jobs/ward/similar"):
                assert (await client.get(path)).status_code == 404

    asyncio.run(story())

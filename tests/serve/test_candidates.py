"""Everybody who may be found is compared: at once where there is time, and soon where there is not."""

import asyncio
import json

from metier.serve import candidates
from metier.store.people import Person

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
        async with make_world() as world, world.client("full") as client:
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
            assert set(await best(client, 9)) == {"b", "c", "d"}
            for kind, person in (("dismissed", "c"), ("applied", "d")):
                event = {"kind": kind, "person": person, "job": "ward"}
                assert (await client.post("/api/v1/events", json=event)).status_code == 201
            assert await best(client, 9) == ["d", "b"], "who applied comes first, who does not want it is left out"
            assert read[1:] == [["b"], ["c", "d"]]
            assert (await client.delete("/api/v1/people/b")).status_code == 200
            world.service.candidates.follow(1)
            assert world.service.candidates._held[world.tenant].pool.ids == ("d", "c"), "nothing is kept of the erased"
            assert await best(client, 9) == ["d"]
            await client.post("/api/v1/models/promote", json={"bundle": "second"})
            await best(client)
            assert read[3:] == [["c", "d"]], "another bundle reads them anew"

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

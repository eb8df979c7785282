"""Models change while people ask: no request fails, and no answer mixes two models."""

import asyncio

import pytest

ANYBODY = {"profile": {"text": "I am a nurse", "state": "OH"}, "asked": {"k": 10}}


@pytest.mark.parametrize("swaps", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_swaps_and_roll_backs_under_load(make_world, swaps):
    async def story():
        async with make_world() as world, world.client("full") as client:
            answers, codes, over = [], [], asyncio.Event()

            async def promote(bundle):
                answer = await client.post("/api/v1/models/promote", json={"bundle": bundle})
                assert answer.status_code == 200, answer.text

            async def ask(one):
                answer = await client.post("/api/v1/recommendations", json=one)
                codes.append(answer.status_code)
                return answer.json()

            expected = {}
            for bundle in ("first", "second"):
                await promote(bundle)
                answer = await ask(ANYBODY)
                expected[answer["version"]] = answer["items"]
            assert len(expected) == 2
            assert len({str(items) for items in expected.values()}) == 2, "the two models must differ for this test"

            async def keep_asking():
                while not over.is_set():
                    answers.append(await ask(ANYBODY))

            askers = [asyncio.create_task(keep_asking()) for _ in range(4)]
            for swap in range(swaps):
                if swap % 5 == 4:
                    answer = await client.post("/api/v1/models/rollback")
                    assert answer.status_code == 200, answer.text
                live = (await client.get("/api/v1/models")).json()["items"]
                (now,) = [one["bundle"] for one in live if one["state"] == "live"]
                await promote({"first": "second", "second": "first"}[now])
            over.set()
            await asyncio.gather(*askers)
            assert set(codes) == {200}
            assert {answer["version"] for answer in answers} == set(expected)
            assert all(answer["items"] == expected[answer["version"]] for answer in answers)

    asyncio.run(story())


def test_bundle_that_is_damaged_is_refused_and_the_live_one_goes_on(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            before = (await client.post("/api/v1/recommendations", json=ANYBODY)).json()
            damaged = world.service.settings.home / "models" / "second" / "config.json"
            damaged.write_text(damaged.read_text() + " ")
            answer = await client.post("/api/v1/models/promote", json={"bundle": "second"})
            assert answer.status_code == 422
            assert "altered" in answer.json()["detail"]
            assert (await client.post("/api/v1/recommendations", json=ANYBODY)).json() == before

    asyncio.run(story())


def test_another_process_notices_a_promotion(make_world):
    from metier.serve.models import Models

    async def story():
        async with make_world() as world:
            other = Models(world.service.settings.home / "models", world.store)
            other.promote(world.tenant, "second", "system")
            assert world.service.models.held(world.tenant).version.startswith("first@")
            async with world.client("full") as client:
                assert (await client.get("/api/v1/people/p1/recommendations")).json()["version"].startswith("first@")
                world.service.afterwards.flush()
                world.service.models.follow()
                assert (await client.get("/api/v1/people/p1/recommendations")).json()["version"].startswith("second@")

    asyncio.run(story())

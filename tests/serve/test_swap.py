"""Models that are promoted, rolled back, damaged, missing, or changed by another process."""

import asyncio
import shutil
import threading

import pytest
from structlog.testing import capture_logs

from metier.live import LiveModel
from metier.serve.models import Models

ANYBODY = {"profile": {"text": "I am a nurse", "state": "OH"}, "asked": {"k": 10}}
THREADS = 40
"""That AnyIO keeps for all requests together."""


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


def retrained(home, old="first", new="second"):
    """Put another bundle in the place of one, as training under its name does."""
    shutil.rmtree(home / "models" / old)
    shutil.copytree(home / "models" / new, home / "models" / old)


def test_bundle_trained_again_under_its_name_is_not_served_before_it_is_promoted(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            home, loads = world.service.settings.home, []

            def load(folder):
                loads.append(folder.name)
                return LiveModel.load(folder)

            newcomer = Models(home / "models", world.store, load)
            kept = world.service.models.held(world.tenant)
            retrained(home)
            with capture_logs() as lines:
                for _ in range(3):
                    newcomer.follow()
                    world.service.models.follow()
            assert loads == ["first", "other"], "each is tried once"
            assert newcomer.held(world.tenant) is None
            assert newcomer.held(world.other) is not None
            assert newcomer.loaded() == (1, 1, 0)
            assert world.service.models.held(world.tenant) is kept, "the old model goes on"
            assert [(one["event"], one["tenant"]) for one in lines] == [("live model not loaded", world.tenant)]
            answer = await client.post("/api/v1/models/promote", json={"bundle": "first"})
            assert answer.status_code == 200, answer.text
            newcomer.follow()
            assert newcomer.held(world.tenant).version == world.service.models.held(world.tenant).version
            assert newcomer.loaded() == (2, 0, 0)

    asyncio.run(story())


def test_worker_keeps_its_model_when_the_promoted_bundle_is_gone(make_world):
    async def story():
        async with make_world() as world:
            home = world.service.settings.home
            other = Models(home / "models", world.store)
            other.promote(world.tenant, "second", "system")
            (home / "models" / "second").rename(home / "aside")
            assert world.service.models.loaded() == (2, 0, 1)
            world.service.models.follow()
            assert world.service.models.held(world.tenant).version.startswith("first@")
            assert world.service.models.loaded() == (2, 0, 1), "it says that it stays behind"
            (home / "aside").rename(home / "models" / "second")
            world.service.models.follow()
            assert world.service.models.held(world.tenant).version.startswith("second@")
            assert world.service.models.loaded() == (2, 0, 0)

    asyncio.run(story())


@pytest.mark.parametrize("cure", ["promote", "rollback"])
@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_damaged_bundle_of_one_tenant_does_not_keep_the_others_from_starting(make_world, harm, cure):
    async def story():
        async with make_world() as world, world.client("full") as client:
            answer = await client.post("/api/v1/models/promote", json={"bundle": "second"})
            assert answer.status_code == 200, answer.text
            home = world.service.settings.home
        if harm == "missing":
            shutil.rmtree(home / "models" / "second")
        else:
            (home / "models" / "second" / "jobs.parquet").write_bytes(b"x")
        async with make_world() as world, world.client("full") as client, world.client("other") as neighbour:
            assert (await neighbour.post("/api/v1/recommendations", json=ANYBODY)).status_code == 200
            assert (await client.post("/api/v1/recommendations", json=ANYBODY)).status_code == 503
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()) == (200, {"status": "ok", "models": 1, "missing": 1, "behind": 0})
            body = {"json": {"bundle": "first"}} if cure == "promote" else {}
            answer = await client.post(f"/api/v1/models/{cure}", **body)
            assert answer.status_code == 200, answer.text
            assert (await client.post("/api/v1/recommendations", json=ANYBODY)).status_code == 200
            assert (await client.get("/health/ready")).json() == {
                "status": "ok",
                "models": 2,
                "missing": 0,
                "behind": 0,
            }

    asyncio.run(story())


def test_process_that_loaded_no_model_is_not_ready(make_world):
    async def story():
        async with make_world() as world:
            home = world.service.settings.home
        (home / "models").rename(home / "aside")
        async with make_world(follow_seconds=0.05) as world, world.client() as client:
            answer = await client.get("/health/ready")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            (home / "aside").rename(home / "models")
            for _ in range(100):
                answer = await client.get("/health/ready")
                if answer.status_code == 200 and not answer.json()["missing"]:
                    break
                await asyncio.sleep(0.1)
            assert answer.json() == {"status": "ok", "models": 2, "missing": 0, "behind": 0}

    asyncio.run(story())


@pytest.mark.parametrize("by", ["API", "page"])
def test_promotion_does_not_wait_behind_those_who_ask(make_world, monkeypatch, by):
    """More questions that take their time than the service has threads: models change meanwhile."""
    jobs, asked, over = LiveModel.jobs, [], threading.Event()

    def slowly(model, who, *arguments, **named):
        if who.text not in ("work", "check"):  # which a model is asked before it is live
            asked.append(who)
            assert over.wait(60)
        return jobs(model, who, *arguments, **named)

    async def changed(client, what, **values):
        if by == "API":
            answer = await client.post(f"/api/v1/models/{what}", json=values)
        else:
            answer = await client.post(f"/models/{what}", data={**values, "csrf": client.headers["X-CSRF-Token"]})
        assert answer.status_code == (200 if by == "API" else 303), answer.text

    async def story():
        async with make_world(key_cache_seconds=0) as world, world.client("full") as client:
            operator = await world.signed_in("operator")
            monkeypatch.setattr(LiveModel, "jobs", slowly)
            paths = [f"/api/v1/people/p{number % 20}/recommendations?salary_min={number}" for number in range(100)]
            slow = [asyncio.create_task(client.get(path)) for path in paths]
            try:
                async with asyncio.timeout(30):
                    while len(asked) < THREADS:
                        await asyncio.sleep(0.01)
                    for what, values, live in (("promote", {"bundle": "second"}, "second"), ("rollback", {}, "first")):
                        await changed(operator, what, **values)
                        assert world.service.models.held(world.tenant).version.startswith(f"{live}@")
                assert len(asked) == THREADS, "no thread was free"
            finally:
                over.set()
                answers = await asyncio.gather(*slow)
            assert {answer.status_code for answer in answers} == {200}

    asyncio.run(story())

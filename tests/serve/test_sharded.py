"""A process that asks shards answers as one that searches all jobs itself; a silent shard is an honest error."""

import asyncio
import os
import subprocess
import sys
import time

import httpx2
import pytest
from open_loop import QUESTIONS, Askers
from real_server import Server, free_port

from metier.errors import ConfigError
from metier.serve.settings import Settings, read_settings
from metier.serve.shard import create_shard

SECRET = "between the shards and us"


class Shard:
    """`metier serve --shard` over the bundles of a home."""

    def __init__(self, home, which):
        self.home, self.which, self.port = home, which, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-c", "from metier.cli.app import main; main()", "serve", "--shard", self.which]
        command += ["--home", str(self.home), "--port", str(self.port)]
        with (self.home / f"log-{self.port}").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | {"METIER_SERVE_SHARD_SECRET": SECRET}, stdout=log, stderr=log
            )

    def wait(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                return httpx2.get(f"{self.url}/health/live").raise_for_status()
            except httpx2.TransportError:
                assert self.process.poll() is None, (self.home / f"log-{self.port}").read_text()
                time.sleep(0.05)
        raise AssertionError("the shard does not listen")


async def answers_of(server):
    askers = Askers(server.port, server.key)
    return [await askers.ask(question) for question in range(len(QUESTIONS))]


def test_shards_answer_as_the_whole(town_bundles, tmp_path):
    (tmp_path / "models").symlink_to(town_bundles)
    shards = [Shard(tmp_path, f"{number}/2") for number in (1, 2)]
    whole = Server(tmp_path)
    front = whole.beside(tmp_path / "front")
    front.home.mkdir()
    (front.home / "models").symlink_to(town_bundles)
    addresses = ",".join(one.url for one in shards)
    front.settings = {"METIER_SERVE_SHARDS": addresses, "METIER_SERVE_SHARD_SECRET": SECRET}
    for one in shards:
        one.start()
    try:
        for one in shards:
            one.wait()
        with whole.running():
            with httpx2.Client(base_url=f"{whole.url}/api/v1", headers=whole.headers) as by:
                for number in range(20):
                    job = {"title": f"Nurse {number % 3}", "description": "Nights"}
                    assert by.put(f"/jobs/new-{number}", json=job).status_code in (200, 201)
            expected = asyncio.run(answers_of(whole))
            with httpx2.Client(base_url=f"{whole.url}/api/v1", headers=whole.headers) as by:
                by.put("/jobs/passing", json={"title": "Passing"})
                by.delete("/jobs/passing")  # what was stored does not hold any longer
        with front.running():
            found = asyncio.run(answers_of(front))
            assert {one.status for one in found} == {200}
            assert [one.body for one in found] == [one.body for one in expected]
            promote(front, "second")
            asked = {"profile": {"text": "nurse"}, "asked": {"k": 1}}
            with httpx2.Client(base_url=f"{front.url}/api/v1", headers=front.headers, timeout=60) as client:
                assert client.post("/recommendations", json=asked).status_code == 200
                shards[1].process.kill()
                shards[1].process.wait()
                answer = client.post("/recommendations", json=asked)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
                assert "shard 2 of 2 does not answer" in answer.json()["detail"]
                assert str(shards[1].port) not in answer.text
                shards[1].start()
                shards[1].wait()
                codes = []
                while not codes or (codes[-1] == 503 and len(codes) < 300):
                    codes.append(client.post("/recommendations", json=asked).status_code)
                    time.sleep(0.1)
                assert codes[-1] == 200, "it loads what it is asked about"
    finally:
        for one in shards:
            one.process.kill()
            one.process.wait()


def promote(server, bundle):
    answer = httpx2.post(
        f"{server.url}/api/v1/models/promote", json={"bundle": bundle}, headers=server.headers, timeout=60
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("path", "secret", "status"),
    [
        ("/shards/1/2/first@000000000000", "wrong", 401),
        ("/shards/1/2/first@000000000000", "", 401),
        ("/shards/2/2/first@000000000000", SECRET, 404),
        ("/shards/1/3/first@000000000000", SECRET, 404),
        ("/shards/1/2/..%2Ffirst@000000000000", SECRET, 404),
        ("/shards/1/2/.first@000000000000", SECRET, 404),
        ("/shards/1/2/first@000000000000", SECRET, 422),  # another bundle of this name
        ("/shards/1/2/nothing@000000000000", SECRET, 422),
    ],
)
def test_what_a_shard_does_not_answer(town_bundles, tmp_path, path, secret, status):
    (tmp_path / "models").symlink_to(town_bundles)
    app = create_shard(Settings(home=tmp_path, shard="1/2", shard_secret=SECRET))

    async def story():
        transport = httpx2.ASGITransport(app=app)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://shard", headers=headers) as client:
            answer = await client.get(path)
            while answer.status_code == 503:  # it is being loaded
                await asyncio.sleep(0.05)
                answer = await client.get(path)
            assert answer.status_code == status
            assert (await client.post(path, content=b"x")).status_code in (status, 503)

    asyncio.run(story())


@pytest.mark.parametrize(
    "given",
    [
        {"shard": "3/2", "shard_secret": SECRET},
        {"shard": "0/2", "shard_secret": SECRET},
        {"shard": "1/2"},
        {"shards": "http://a", "shard_secret": "short"},
        {"shard": "1/2", "shards": "http://a", "shard_secret": SECRET},
    ],
)
def test_settings_that_are_none(given):
    with pytest.raises(ConfigError, match="shard"):
        read_settings(**given)

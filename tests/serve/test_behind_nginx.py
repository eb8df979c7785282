"""Two processes over PostgreSQL behind nginx: they answer as one does, and one may be killed while people ask."""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np
import pytest
from open_loop import QUESTIONS, Asked, Askers
from real_server import Server, free_port

REPOSITORY = Path(__file__).parents[2]
MAIN = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}
worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
http {{
    log_format tries '$upstream_addr|$upstream_status|$status|$request_method';
    access_log {folder}/access.log tries;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/metier.conf;
}}
"""
MIX = [one for one in QUESTIONS if not (one[2] and one[2]["asked"].get("reasons"))]
"""Stored and live answers. Reasons take as long as ten of these: two cores for both processes and those who ask would
not do them 200 times a second."""
NOTICED = 10.0
"""Seconds in which the other process follows a promotion: it looks every two, and a busy machine loads slowly."""


class Proxy:
    """nginx with deploy/nginx.conf, whose addresses are those of two servers here and which needs no certificate."""

    def __init__(self, program, folder, servers):
        self.program, self.folder, self.port = program, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = (REPOSITORY / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.port};")
        text = re.sub(r"\n *ssl_certificate.*;", "", text)
        for number, server in zip((11, 12), servers, strict=True):
            text = text.replace(f"192.0.2.{number}:8000", f"127.0.0.1:{server.port}")
        (folder / "metier.conf").write_text(text)
        user = "user root;" if os.getuid() == 0 else ""  # else its workers may not write to the test's folder
        (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user))

    def __enter__(self):
        self.process = subprocess.Popen([self.program, "-p", self.folder, "-c", self.folder / "main.conf"])
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                httpx2.get(f"{self.url}/health/live")
                return self
            except httpx2.TransportError:
                assert self.process.poll() is None, (self.folder / "error.log").read_text()
                time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def tries(self):
        """(addresses asked, one after the other; status; method) of each request so far."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [(line.split("|")[0].split(", "), int(line.split("|")[2]), line.split("|")[3]) for line in lines]


@pytest.fixture
def servers(town_bundles, tmp_path, database_url):
    """Two, each with a home of its own, in which only the folder of bundles is shared."""
    shutil.copytree(town_bundles, tmp_path / "shared")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "models").symlink_to(tmp_path / "shared")
    one = Server(tmp_path / "a", database_url)
    return one, one.beside(tmp_path / "b")


def client(server):
    return httpx2.Client(base_url=f"{server.url}/api/v1", headers=server.headers, timeout=60)


async def answers_of(server):
    """What one process says to each question, asked one by one."""
    askers = Askers(server.port, server.key, MIX)
    found = [await askers.ask(question) for question in range(len(MIX))]
    assert {one.status for one in found} == {200}
    return [one.body for one in found]


def passing(server, headers):
    """Post a job and withdraw it again: nothing that was stored holds any longer, and nothing else has changed."""
    with httpx2.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60) as by:
        assert by.put("/jobs/passing", json={"title": "Passing"}).status_code in (200, 201)
        assert by.delete("/jobs/passing").status_code in (200, 204)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("rate", "kills"), [(50, 1), pytest.param(200, 10, marks=pytest.mark.slow)])
def test_one_of_two_is_killed_under_load(servers, tmp_path, require_program, rate, kills):
    (tmp_path / "nginx").mkdir()
    running = [one.start() for one in servers]
    try:
        with Proxy(require_program("nginx"), tmp_path / "nginx", servers) as proxy:
            asyncio.run(campaign(servers, running, proxy, rate, kills))
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(60)


async def campaign(servers, running, proxy, rate, kills):
    first, second = servers
    with client(first) as by:
        for number in range(30):
            site = {"address": {"addressRegion": "OH", "addressCountry": "US"}}
            job = {"title": f"Nurse {number % 3}", "description": f"Nights {number % 3}", "jobLocation": site}
            assert by.put(f"/jobs/new-{number}", json=job).status_code in (200, 201)
    own = await answers_of(second)
    assert b"new-" in b"".join(own), "what was posted to one is offered by the other"
    passing(proxy, first.headers)
    assert await answers_of(first) == own, "each works it out for itself, and they agree"

    answers, deaths, written = await under_load(servers, running, proxy, rate, kills)

    def at_death(one):
        return any(one.began <= death <= one.ended for death in deaths)

    in_flight = [one for one in answers if at_death(one)]
    failed = [one for one in answers if one.status != 200]
    assert [one for one in failed if one not in in_flight] == []
    assert [one for one in answers if one.status == 200 and one.body != own[one.question]] == []
    lost = [one for one in written if one.status != 201]
    assert [one for one in lost if not at_death(one)] == []
    with client(first) as by:
        kept = {one["id"] for one in by.get("/people", params={"limit": 1000}).json()["items"]}
        assert {one.body for one in written if one.status == 201} <= kept
    tries = proxy.tries()
    served = Counter(addresses[-1] for addresses, status, _ in tries if status == 200)
    again = sum(len(addresses) > 1 for addresses, *_ in tries)
    assert len(served) == 2
    for server in servers:  # restarted, it agrees still
        passing(first, first.headers)
        assert await answers_of(server) == own

    followed = promoted(first, second)
    seconds = answers[-1].due - answers[0].due
    middle, slow, slowest = 1000 * np.quantile([one.ended - one.due for one in answers], [0.5, 0.99, 1.0])
    print(
        f"\n{kills} kills; {len(answers)} questions in {seconds:.0f} s, {len(answers) / seconds:.0f}/s offered; "
        f"{len(in_flight)} in flight at a kill, {again} asked again, {len(failed)} failed; "
        f"{len(written)} people written, {len(lost)} of them told 502; "
        f"answered in p50 {middle:.0f} ms, p99 {slow:.0f} ms, longest {slowest:.0f} ms; "
        f"answers of each process {sorted(served.values())}; a promotion followed after {followed:.1f} s"
    )
    assert len(answers) / seconds > 0.99 * rate
    assert followed < NOTICED


async def under_load(servers, running, proxy, rate, kills):
    """Answers through nginx while processes are killed and started again, one at a time; and when they were killed."""
    over, deaths = asyncio.Event(), []
    answers = asyncio.create_task(Askers(proxy.port, servers[0].key, MIX).offer(rate, over))
    written = asyncio.create_task(write(servers[0], proxy, over))
    try:
        await asyncio.sleep(2)
        for number in range(kills):
            one = 1 - number % 2
            deaths.append(time.perf_counter())
            running[one].kill()
            running[one].wait()
            await asyncio.sleep(2)
            running[one] = await asyncio.to_thread(servers[one].start)
            await asyncio.sleep(5)  # nginx tries a process again after two seconds
    finally:
        over.set()
    return await answers, deaths, await written


async def write(server, proxy, over):
    """Five people a second, one after the other, each in a request of their own."""
    found = []
    async with httpx2.AsyncClient(base_url=f"{proxy.url}/api/v1", headers=server.headers, timeout=60) as by:
        while not over.is_set():
            began, who = time.perf_counter(), f"written-{len(found)}"
            answer = await by.post("/people", json={"id": who, "text": "nurse"})
            found.append(Asked(0, began, began, time.perf_counter(), answer.status_code, who))
            await asyncio.sleep(0.2)
    return found


def promoted(first, second):
    """Promote a model on one; the seconds until the other answers by it."""
    with client(first) as by, client(second) as other:
        asked = {"profile": {"text": "nurse"}, "asked": {"k": 1}}
        live = other.post("/recommendations", json=asked).json()["version"].partition("@")[0]
        answer = by.post("/models/promote", json={"bundle": "second" if live == "first" else "first"})
        assert answer.status_code == 200, answer.text
        began, wanted = time.perf_counter(), answer.json()["version"]
        while time.perf_counter() - began < 60:
            if other.post("/recommendations", json=asked).json()["version"] == wanted:
                return time.perf_counter() - began
            time.sleep(0.05)
    raise AssertionError("the other process does not follow")

"""Models change while people ask: no request fails, and every answer is one model's own that was live meanwhile."""

import asyncio
import json
import time
from collections import deque
from itertools import count
from typing import NamedTuple

import httpx2
import numpy as np
import pytest

SAYS = [
    {"text": f"I am a {trade} who likes {taste}", "state": state}
    for trade in ("nurse", "welder", "teacher", "driver")
    for taste in ("nights", "travel", "short ways")
    for state in ("OH", "TX")
]
QUESTIONS = [
    *(("POST", "/recommendations", {"profile": one, "asked": {"k": 10}}) for one in SAYS),
    *(("POST", "/recommendations", {"profile": one, "asked": {"k": 2, "reasons": True}}) for one in SAYS[::8]),
    *(("GET", f"/people/p{person}/recommendations", None) for person in range(20)),  # stored, until a swap voids it
    *(("GET", f"/jobs/j{job}/similar", None) for job in range(6)),
]


OTHER = {"first": "second", "second": "first"}


class Asked(NamedTuple):
    """A question, when it was to be asked, was asked and was answered (seconds), and what came back."""

    question: int
    due: float
    began: float
    ended: float
    status: int
    body: bytes


class Change(NamedTuple):
    """A model that was made live: when that was asked for and when it was answered."""

    version: str
    began: float
    ended: float


class Askers:
    """Questions over plain keep-alive connections, as many as there are questions at once."""

    def __init__(self, server):
        self.port, self.idle, self.requests = server.port, deque(), []
        for method, path, body in QUESTIONS:
            sent = json.dumps(body).encode() if body else b""
            head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: metier\r\nAuthorization: Bearer {server.key}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
            self.requests.append(head.encode() + sent)

    async def ask(self, question, due=0.0):
        began = time.perf_counter()
        try:
            free = self.idle.popleft() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = free
            writer.write(self.requests[question])
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0]))
        except (OSError, EOFError) as error:
            return Asked(question, due, began, time.perf_counter(), 0, repr(error).encode())
        self.idle.append(free)
        return Asked(question, due, began, time.perf_counter(), int(head.split(b" ")[1]), body)

    async def offer(self, rate, over):
        """Ask `rate` times a second whatever becomes of the answers (an open loop), until it is over."""
        tasks, start = [], time.perf_counter()
        for number in count():
            due = start + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            if over.is_set():
                return await asyncio.gather(*tasks)
            tasks.append(asyncio.create_task(self.ask(number % len(QUESTIONS), due)))
        raise AssertionError


async def change(client, path, body=None):
    began = time.perf_counter()
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return Change(answer.json()["version"], began, time.perf_counter())


async def story(server, rate, promotions, roll_backs, pause):
    """The models' own answers, asked one by one; then the changes, and what was answered meanwhile.

    pause : seconds between changes. Each change voids what was stored, so for a while all is answered afresh: at 200
        questions a second this test and the service, on two cores, catch up in a second or two.
    """
    askers, own = Askers(server), {}
    async with httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers=server.headers, timeout=60) as client:
        for bundle in ("first", "second"):
            live = await change(client, "/models/promote", {"bundle": bundle})
            own[live.version] = [(await askers.ask(question)).body for question in range(len(QUESTIONS))]
        changes, bundle, over = [live], "second", asyncio.Event()
        answers = asyncio.create_task(askers.offer(rate, over))
        try:
            await asyncio.sleep(0.5)
            for number in range(1, promotions + 1):
                bundle = OTHER[bundle]
                changes.append(await change(client, "/models/promote", {"bundle": bundle}))
                await asyncio.sleep(pause)
                if number * roll_backs // promotions > (number - 1) * roll_backs // promotions:
                    bundle = OTHER[bundle]
                    changes.append(await change(client, "/models/rollback"))
                    await asyncio.sleep(pause)
        finally:
            over.set()
            answers = await answers
    return own, changes, answers


@pytest.mark.parametrize(
    ("rate", "promotions", "roll_backs", "pause"),
    [(50, 4, 2, 0.2), pytest.param(200, 50, 10, 3.0, marks=pytest.mark.slow)],
)
def test_swaps_and_roll_backs_under_load(server, rate, promotions, roll_backs, pause):
    with server.running():
        own, changes, answers = asyncio.run(story(server, rate, promotions, roll_backs, pause))
    assert len(changes) == 1 + promotions + roll_backs
    assert len(own) == 2
    mine, others = own.values()
    differ = sum(one != other for one, other in zip(mine, others, strict=True))
    assert differ > len(QUESTIONS) / 2, "the models must differ for this test"
    assert [one for one in answers if one.status != 200] == []
    ends = [one.ended for one in changes[1:]] + [float("inf")]
    seen = set()
    for one in answers:
        version = json.loads(one.body)["version"]
        seen.add(version)
        assert one.body == own[version][one.question], "an answer that is no model's own"
        lives = [(at.began, end) for at, end in zip(changes, ends, strict=True) if at.version == version]
        assert any(began <= one.ended and one.began <= end for began, end in lives), "a model that was not live then"
    assert seen == own.keys()
    seconds = answers[-1].due - answers[0].due
    late = 1000 * np.quantile([one.began - one.due for one in answers], 0.99)
    middle, slow, slowest = 1000 * np.quantile([one.ended - one.due for one in answers], [0.5, 0.99, 1.0])
    print(
        f"\n{promotions} promotions, {roll_backs} roll-backs; {len(answers)} questions in {seconds:.0f} s, "
        f"{len(answers) / seconds:.0f}/s offered, {late:.0f} ms late at p99; "
        f"answered in p50 {middle:.0f} ms, p99 {slow:.0f} ms, longest {slowest:.0f} ms"
    )
    assert len(answers) / seconds > 0.99 * rate

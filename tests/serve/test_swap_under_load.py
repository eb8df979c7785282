"""Models change while people ask: no request fails, and every answer is one model's own that was live meanwhile."""

import asyncio
import json
import time
from typing import NamedTuple

import httpx2
import numpy as np
import pytest
from open_loop import QUESTIONS, Askers

OTHER = {"first": "second", "second": "first"}


class Change(NamedTuple):
    """A model that was made live: when that was asked for and when it was answered."""

    version: str
    began: float
    ended: float


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
    askers, own = Askers(server.port, server.key), {}
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

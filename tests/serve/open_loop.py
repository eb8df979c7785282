"""Questions asked at a fixed rate, whatever becomes of the answers."""

import asyncio
import json
import time
from collections import deque
from itertools import count
from typing import NamedTuple

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


class Asked(NamedTuple):
    """A question, when it was to be asked, was asked and was answered (seconds), and what came back."""

    question: int
    due: float
    began: float
    ended: float
    status: int
    body: bytes


class Askers:
    """Questions over plain keep-alive connections, as many as there are questions at once."""

    def __init__(self, port, key, questions=QUESTIONS):
        self.port, self.idle, self.requests = port, deque(), []
        for method, path, body in questions:
            sent = json.dumps(body).encode() if body else b""
            head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: metier\r\nAuthorization: Bearer {key}\r\n"
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
        if b"connection: close" in head:  # a proxy ends each after so many requests
            writer.close()
        else:
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
            tasks.append(asyncio.create_task(self.ask(number % len(self.requests), due)))
        raise AssertionError

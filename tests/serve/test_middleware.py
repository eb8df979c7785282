"""The surroundings of a request, around an application of three lines."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import structlog

from metier.serve.buckets import Buckets
from metier.serve.metrics import Metrics
from metier.serve.middleware import HEADERS, Surroundings
from metier.serve.problems import as_problem

GENEROUS = Buckets(per_minute=1e6)


async def echo(scope, receive, send):
    """Answers with the number of bytes it read."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def broken(scope, receive, send):
    raise ValueError("the text of a résumé")


def ask(app, *, headers=(), chunks=(b"",), strangers=GENEROUS, client=("192.0.2.1", 1)):
    """Status, headers and body of one request."""
    sent, waiting = [], list(chunks)

    async def receive():
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "headers": list(headers), "client": client}
    surrounded = Surroundings(app, largest=lambda _: 10, strangers=strangers, metrics=Metrics(), answer=as_problem)
    asyncio.run(surrounded(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:])


def test_headers_and_id_are_on_every_answer():
    status, headers, body = ask(echo, chunks=(b"12345",))
    assert (status, body) == (200, b"5")
    assert all(headers[name] == value for name, value in HEADERS)
    assert len(headers[b"x-request-id"]) == 32


@pytest.mark.parametrize(("given", "kept"), [(b"abc-1", True), (b"a\nb", False), (b"x" * 65, False), (b"", False)])
def test_id_of_the_caller_is_kept_when_it_is_harmless(given, kept):
    _, headers, _ = ask(echo, headers=[(b"x-request-id", given)])
    assert (headers[b"x-request-id"] == given) is kept


@pytest.mark.parametrize(
    ("headers", "chunks"),
    [
        ([(b"content-length", b"11")], (b"",)),
        ([(b"content-length", b"-1")], (b"",)),
        ([(b"content-length", b"1e3")], ()),
    ],
)
def test_announced_length_over_the_limit_is_refused_before_a_byte_is_read(headers, chunks):
    status, got, body = ask(broken, headers=headers, chunks=chunks)
    assert status == 413
    assert got[b"content-type"] == b"application/problem+json"
    assert json.loads(body)["instance"] == got[b"x-request-id"].decode()


def test_emptied_bucket_says_when_to_come_back():
    strangers = Buckets(per_minute=60, burst=2, clock=lambda: 0.0)
    assert [ask(echo, strangers=strangers)[0] for _ in range(3)] == [200, 200, 429]
    status, headers, _ = ask(echo, strangers=strangers)
    assert (status, headers[b"retry-after"]) == (429, b"1")
    assert ask(echo, strangers=strangers, client=("192.0.2.2", 1))[0] == 200


@pytest.mark.parametrize("name", [b"authorization", b"cookie"])
def test_credentials_of_nobody_are_counted_as_a_stranger(name):
    strangers = Buckets(per_minute=60, burst=2, clock=lambda: 0.0)
    answers = [ask(echo, strangers=strangers, headers=[(name, b"x")]) for _ in range(3)]
    assert [one[0] for one in answers] == [200, 200, 429]
    assert answers[2][1][b"retry-after"] == b"1"
    assert set(json.loads(answers[2][2])) == {"type", "title", "status", "detail", "instance", "errors"}

    async def known(scope, receive, send):
        scope["state"]["actor"] = SimpleNamespace(tenant="t", id="a")
        await echo(scope, receive, send)

    assert ask(known, strangers=strangers, headers=[(name, b"x")])[0] == 200


def test_a_bucket_gives_each_token_once_to_many_threads():
    class Slow(dict):
        def pop(self, *which):
            found = super().pop(*which)
            time.sleep(0.002)
            return found

    buckets = Buckets(per_minute=60, burst=5, clock=lambda: 0.0, _full=Slow())
    with ThreadPoolExecutor(20) as threads:
        waits = list(threads.map(lambda _: buckets.wait("a"), range(40)))
    assert waits.count(0.0) == 5


def test_unforeseen_error_is_a_problem_and_its_words_are_nowhere(capsys):
    with structlog.testing.capture_logs() as lines:
        status, headers, body = ask(broken)
    assert status == 500
    assert set(json.loads(body)) == {"type", "title", "status", "detail", "instance", "errors"}
    assert lines[-1]["error"] == "ValueError"
    assert lines[-1]["request"] == headers[b"x-request-id"].decode()
    assert "résumé" not in json.dumps(lines, ensure_ascii=False) + body.decode()

"""An OpenAI-compatible endpoint on loopback that fails as it is told to: for tests of clients, and to try settings.

    with MockEndpoint(Faults(rate_limited=0.3, broken=0.15)) as endpoint:
        model = OpenAIModel(LanguageModelConfig(base_url=endpoint.url, model="mock"))

`python -m metier.testing.endpoint` runs it as a process of its own, until its standard input ends. Which request fails
how depends on the seed, the question and how often it was asked, not on the order in which threads arrive.
"""

import argparse
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from metier.testing.language_models import example

Request = Mapping[str, Any]
Answerer = Callable[[Request, Mapping[str, Any]], Any]
"""What to answer to a request's JSON body, given the schema it asks for: a value to send as JSON, or text as it is."""

GARBAGE = (
    '{"half": ',
    "I am sorry, I can not do that.",
    '{"a": 1, "a": 2}',
    '{"score": NaN}',
    "[]",
    "",
)


@dataclass(frozen=True)
class Faults:
    """The share of requests that end in each fault; the rest is answered."""

    rate_limited: float = 0.0
    """429 with Retry-After."""
    broken: float = 0.0
    """500."""
    hanging: float = 0.0
    """No answer for `hang` seconds, then a closed connection."""
    garbage: float = 0.0
    """An answer that is not what the schema asks for, or no completion at all."""
    cut: float = 0.0
    """The connection ends in the middle of the answer."""
    retry_after: float = 0.05
    """Seconds that a 429 asks to wait."""
    hang: float = 1.0
    """Seconds that a hanging request hangs."""

    SHARES = ("rate_limited", "broken", "hanging", "garbage", "cut")

    def draw(self, chance: float) -> str:
        """The fault of a request whose draw in [0, 1) is `chance`; "answered" for none."""
        for fault in self.SHARES:
            chance -= getattr(self, fault)
            if chance < 0:
                return fault
        return "answered"


@dataclass(frozen=True)
class Seen:
    """A request as the endpoint saw it."""

    id: str
    """Its header X-Client-Request-Id."""
    question: str
    """A hash of the first user turn: requests of one completion share it."""
    time: float
    """Seconds on the machine's monotonic clock, at arrival."""
    outcome: str
    """A fault, "answered", "unsupported" or "unauthorized"."""
    input_tokens: int
    """What the endpoint would charge, a hanging or cut answer included."""
    output_tokens: int


class MockEndpoint:
    """`/v1/chat/completions` on 127.0.0.1; a context manager. `calls` lists what it saw, also into the file `log`."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        answer: Answerer | None = None,
        supports: tuple[str, ...] = ("json_schema", "json_object"),
        seed: int = 0,
        api_key: str | None = None,
        log: Path | None = None,
        port: int = 0,
    ) -> None:
        """An endpoint that is not yet started.

        Parameters
        ----------
        answer : default: the smallest value that fits the schema.
        supports : the `response_format` types it knows; others get a 400.
        api_key : the key it demands; None: any or none.
        port : 0 for a free one.
        """
        self.faults, self.supports, self.seed, self.api_key = faults or Faults(), supports, seed, api_key
        self.answer: Answerer = answer or (lambda request, schema: example(schema))
        self.calls: list[Seen] = []
        self.closing = threading.Event()
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()
        self._log = log.open("a", encoding="utf-8") if log else None
        self._server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"endpoint": self}))

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        if self._log:
            self._log.close()

    def draw(self, question: str) -> tuple[str, float]:
        """The fate of the next request with this question, and a second draw in [0, 1) for its details."""
        with self._lock:
            times = self._asked[question] = self._asked.get(question, -1) + 1
        digest = hashlib.sha256(f"{self.seed} {question} {times}".encode()).digest()
        first, second = (int.from_bytes(digest[i : i + 8]) / 2**64 for i in (0, 8))
        return self.faults.draw(first), second

    def record(self, seen: Seen) -> None:
        """Keep what was seen, before the answer goes out."""
        with self._lock:
            self.calls.append(seen)
            if self._log:
                self._log.write(json.dumps(asdict(seen)) + "\n")
                self._log.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what this endpoint is for."""


class _Handler(BaseHTTPRequestHandler):
    endpoint: MockEndpoint
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_POST(self) -> None:
        arrival = time.monotonic()
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = next((turn["content"] for turn in request["messages"] if turn["role"] == "user"), "")
        question = hashlib.sha256(user.encode()).hexdigest()[:16]
        form = (request.get("response_format") or {}).get("type")
        key = self.endpoint.api_key
        if key is not None and self.headers["Authorization"] != f"Bearer {key}":
            outcome, detail = "unauthorized", 0.0
        elif form is not None and form not in self.endpoint.supports:
            outcome, detail = "unsupported", 0.0
        else:
            outcome, detail = self.endpoint.draw(question)
        text = self._text(request, outcome, detail) if outcome in ("answered", "garbage", "hanging", "cut") else None
        read = sum(len(turn["content"]) for turn in request["messages"]) // 4 if text is not None else 0
        written = min(len(text) // 4, request.get("max_tokens", 10**6)) if text is not None else 0
        asked_by = self.headers["X-Client-Request-Id"] or ""
        self.endpoint.record(Seen(asked_by, question, arrival, outcome, read, written))
        self._respond(outcome, text or "", {"prompt_tokens": read, "completion_tokens": written})

    def _text(self, request: Request, outcome: str, detail: float) -> str:
        if outcome == "garbage":
            return GARBAGE[int(detail * len(GARBAGE))]
        value = self.endpoint.answer(request, _schema(request))
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def _respond(self, outcome: str, text: str, usage: dict[str, int]) -> None:
        turns = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]
        body = json.dumps({"object": "chat.completion", "model": "mock", "choices": turns, "usage": usage}).encode()
        match outcome:
            case "rate_limited":
                self._send(
                    429, b'{"error": {"message": "busy"}}', {"Retry-After": f"{self.endpoint.faults.retry_after}"}
                )
            case "broken":
                self._send(500, b'{"error": {"message": "broken"}}')
            case "unauthorized":
                given = json.dumps({"error": {"message": f"wrong key {self.headers['Authorization']}"}})
                self._send(401, given.encode())  # careless, as some endpoints are: it repeats the key
            case "unsupported":
                self._send(400, b'{"error": {"message": "response_format is not supported"}}')
            case "hanging":
                self.endpoint.closing.wait(self.endpoint.faults.hang)
                self.close_connection = True
            case "garbage" if not text:
                self._send(200, b"<html>not a completion</html>", {"Content-Type": "text/html"})
            case _:
                self._send(200, body, cut=outcome == "cut")

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body[: len(body) // 2] if cut else body)
        except OSError:  # the client did not wait
            cut = True
        self.close_connection = self.close_connection or cut


def _schema(request: Request) -> Mapping[str, Any]:
    """The schema a request asks for: enforced, or a line of its instructions."""
    form = request.get("response_format") or {}
    if form.get("type") == "json_schema":
        return dict(form["json_schema"]["schema"])
    lines = [line for turn in request["messages"] for line in turn["content"].splitlines()]
    return next((dict(json.loads(line)) for line in reversed(lines) if line.startswith('{"')), {"type": "object"})


def _main() -> None:
    """Print the base URL, then serve until the standard input ends."""
    import sys

    parser = argparse.ArgumentParser(description="A mock OpenAI-compatible endpoint; ends when its input ends.")
    for field in fields(Faults):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="file to append a JSON line a request to")
    given = vars(parser.parse_args())
    others = {name: given.pop(name) for name in ("port", "seed", "log")}
    with MockEndpoint(Faults(**given), **others) as endpoint:
        print(endpoint.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main()

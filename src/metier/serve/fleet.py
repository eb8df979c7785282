"""The shards of a catalogue over HTTP, all asked at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2

from metier.errors import BundleError, ShardError
from metier.live.shards import Shards

SECONDS = 10.0
"""In which a shard answers a question, or is taken for silent."""
LOADING = 600.0
"""Seconds that a shard may take to load a bundle."""
AT_ONCE = 64
"""Questions under way to all shards together."""


def fleet(addresses: list[str], secret: str) -> Shards:
    """The processes at these addresses (`http://10.0.0.5:8000`), shard 1 first."""
    count, headers = len(addresses), {"Authorization": f"Bearer {secret}"}
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=20)
    client = httpx2.Client(headers=headers, limits=limits, timeout=httpx2.Timeout(SECONDS, connect=1.0))

    def send(number: int, method: str, version: str, body: bytes = b"") -> httpx2.Response:
        url, which = (
            f"{addresses[number].rstrip('/')}/shards/{number + 1}/{count}/{version}",
            f"{number + 1} of {count}",
        )
        try:
            try:
                answer = client.request(method, url, content=body)
            except (httpx2.RemoteProtocolError, httpx2.ReadError):  # it had closed the connection that was kept
                answer = client.request(method, url, content=body)
        except httpx2.TransportError as error:
            raise ShardError(f"shard {which} does not answer ({type(error).__name__}); repeat the request") from None
        if answer.status_code in (200, 204, 503):
            return answer
        if answer.status_code == 422:
            raise BundleError(f"shard {which}: {answer.text}")
        why = {401: "has another shard_secret", 404: "is another one, or one of another number"}
        raise ShardError(
            f"shard {which} {why.get(answer.status_code, f'answers {answer.status_code}')}; its log says more"
        )

    def ask(number: int, version: str, sent: bytes) -> bytes:
        answer = send(number, "POST", version, sent)
        if answer.status_code == 503:
            raise ShardError(f"shard {number + 1} of {count} is loading {version}; repeat the request")
        return answer.content

    def hold(number: int, version: str) -> None:
        until = time.monotonic() + LOADING
        while send(number, "GET", version).status_code == 503:
            if time.monotonic() > until:
                raise ShardError(f"shard {number + 1} of {count} has not loaded {version} in {LOADING:.0f} s")
            time.sleep(0.2)

    return Shards(count, ask, hold, ThreadPoolExecutor(AT_ONCE, thread_name_prefix="shards"))

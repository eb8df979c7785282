"""Who a token belongs to, remembered for seconds: a key is asked for with every request."""

import time
from collections.abc import Awaitable, Callable

from metier.serve.policy import Actor

MOST = 10_000


class ActorCache:
    """Digest of a key or a session -> its actor, or that there is none; emptied when either is revoked here."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._known: dict[str, tuple[float, Actor | None]] = {}

    async def get(self, digest: str, look_up: Callable[[], Awaitable[Actor | None]]) -> Actor | None:
        """Who it is; nobody's tokens are remembered too, so that guessing again costs the store nothing."""
        known = self._known
        until, actor = known.get(digest, (0.0, None))
        if until > self._clock():
            return actor
        actor = await look_up()
        if len(known) >= MOST:
            known.clear()
        known[digest] = (self._clock() + self._seconds, actor)  # into the old dictionary, if it was emptied meanwhile
        return actor

    def clear(self) -> None:
        """Forget everybody, those too who are being looked up."""
        self._known = {}

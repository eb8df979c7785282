"""When the next request may go: waits between attempts, the endpoint's own wishes, a limit on requests a minute."""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock

LONGEST_BACKOFF = 60.0
"""Seconds that an exponential wait grows to."""

_chance = secrets.SystemRandom()


def backoff(attempt: int, base: float) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1): base, twice that, ..., less up to half by chance.

    The chance keeps workers that failed together from coming back together (exponential back-off with equal jitter:
    M. Brooker, AWS Architecture Blog, 2015).
    """
    return min(LONGEST_BACKOFF, base * 2.0 ** (attempt - 1)) * _chance.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a `Retry-After` header asks for, None without one that can be read (RFC 9110, 10.2.3).

    A date counts from the endpoint's own clock where a `Date` header tells it.

    >>> retry_after({"retry-after": "3"})
    3.0
    >>> retry_after({"retry-after": "Mon, 01 Jan 2024 00:00:30 GMT", "date": "Mon, 01 Jan 2024 00:00:10 GMT"})
    20.0
    """
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        until = _moment(asked)
        now = _moment(headers.get("date", "")) or datetime.now(UTC)
        return None if until is None else max(0.0, (until - now).total_seconds())
    return seconds if 0 <= seconds < float("inf") else None


class Pace:
    """Spaces requests evenly, and holds all of them back when the endpoint asks for time. Safe between threads."""

    def __init__(self, requests_per_minute: float | None) -> None:
        self._interval = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next = 0.0  # on the monotonic clock, like the next
        self._held = 0.0
        self._lock = Lock()

    def hold(self, seconds: float) -> None:
        """No request goes in the next `seconds`."""
        with self._lock:
            self._held = max(self._held, time.monotonic() + seconds)

    def wait(self, patience: float) -> bool:
        """Return when this request may go: True. False, at once, when it is held for longer than `patience` seconds.

        Looks again after each sleep: another `hold` may have come in between.
        """
        deadline = time.monotonic() + patience
        while True:
            with self._lock:
                now = time.monotonic()
                if self._held > max(now, deadline):
                    return False
                ready = max(self._next, self._held)
                if now >= ready:
                    self._next = now + self._interval
                    return True
            time.sleep(ready - now)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

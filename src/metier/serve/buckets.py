"""Token buckets: how often somebody may ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from threading import Lock

MOST = 100_000
"""Buckets kept; whoever is forgotten begins with a full one."""


@dataclass
class Buckets:
    """A bucket for each name; a request takes one token, `per_minute` of them flow back. Safe to use from many threads.

    >>> buckets = Buckets(per_minute=60, burst=2, clock=iter([0.0, 0.0, 0.0, 1.0]).__next__)
    >>> [buckets.wait("a") for _ in range(4)]
    [0.0, 0.0, 1.0, 0.0]
    """

    per_minute: float
    burst: float = 0.0
    """Tokens of a full bucket; 0: a quarter of `per_minute`, at least one."""
    clock: Callable[[], float] = time.monotonic
    _full: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.burst = self.burst or max(1.0, self.per_minute / 4)

    def wait(self, name: str) -> float:
        """Take a token: 0.0, or the seconds until there is one, and none is taken."""
        with self._lock:
            now, rate = self.clock(), self.per_minute / 60
            tokens, since = self._full.pop(name, (self.burst, now))
            tokens = min(self.burst, tokens + (now - since) * rate)
            allowed = tokens >= 1
            self._full[name] = (tokens - allowed, now)  # last: the dictionary is in the order of use
            if len(self._full) > MOST:
                self._full.pop(next(iter(self._full)))
        return 0.0 if allowed else (1 - tokens) / rate


def neighbourhood(address: str) -> str:
    """The address, or the /64 of an IPv6 address, which one household or server has to itself.

    >>> neighbourhood("2001:db8::1"), neighbourhood("192.0.2.7")
    ('2001:db8:0:0', '192.0.2.7')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return ":".join(f"{int(part, 16):x}" for part in parsed.exploded.split(":")[:4])

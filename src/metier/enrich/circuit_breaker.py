"""A circuit breaker that all workers share: an endpoint that is down gets one request a pause, not one a worker.

closed     requests pass; a success clears the count of failures
open       `failures` failures in a row: every worker waits for `pause` seconds
half-open  one request goes as a probe, the others wait for its end: a success closes, a failure opens again

After `GIVE_UP` failed probes in a row nobody waits any more: calls fail at once, but for one probe a pause.
Pattern: M. Nygard, Release It! (2018), chapter 5.
"""

import time
from threading import Condition
from typing import Literal

GIVE_UP = 3

Admission = Literal["pass", "probe", "refused"]


class CircuitBreaker:
    """`admit` before a request, `report` after it, from any thread."""

    def __init__(self, failures: int, pause: float) -> None:
        self._limit, self._pause = failures, pause
        self._failures = 0
        self._failed_probes = 0
        self._reopens: float | None = None  # when a probe may go; None while closed
        self._probing = False
        self._changed = Condition()

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """What the breaker does with requests now."""
        with self._changed:
            return "closed" if self._reopens is None else "half-open" if self._probing else "open"

    def admit(self, patience: float) -> Admission:
        """Wait until a request may go; "refused": the endpoint is down, or `patience` seconds were not enough."""
        deadline = time.monotonic() + patience
        with self._changed:
            while self._reopens is not None:
                now = time.monotonic()
                if now >= self._reopens and not self._probing:
                    self._probing = True
                    return "probe"
                if self._failed_probes >= GIVE_UP or now >= deadline:
                    return "refused"
                until = deadline if self._probing else min(deadline, self._reopens)
                self._changed.wait(until - now)
            return "pass"

    def report(self, admission: Admission, healthy: bool) -> None:
        """The end of an admitted request; `healthy`: the endpoint answered, be it to say that it is busy."""
        with self._changed:
            if healthy:
                self._failures = self._failed_probes = 0
                self._reopens, self._probing = None, False
            elif admission == "probe":
                self._failed_probes += 1
                self._reopens, self._probing = time.monotonic() + self._pause, False
            else:
                self._failures += 1
                if self._reopens is None and self._failures >= self._limit:
                    self._reopens = time.monotonic() + self._pause
            self._changed.notify_all()

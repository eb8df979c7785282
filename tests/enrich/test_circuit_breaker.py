"""An endpoint that is down gets one request a pause."""

import time
from concurrent.futures import ThreadPoolExecutor

from metier.enrich.circuit_breaker import GIVE_UP, CircuitBreaker

PAUSE = 0.05


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker(failures=3, pause=PAUSE)
    for _ in range(3):
        breaker.report(breaker.admit(0), healthy=False)
    assert breaker.state == "open"
    return breaker


def test_a_success_in_between_keeps_it_closed():
    breaker = CircuitBreaker(failures=3, pause=PAUSE)
    for healthy in [False, False, True, False, False]:
        breaker.report(breaker.admit(0), healthy)
    assert breaker.state == "closed"


def test_open_it_lets_nobody_through_before_the_pause():
    breaker, began = opened(), time.monotonic()
    assert breaker.admit(0) == "refused"
    assert breaker.admit(5) == "probe"
    assert time.monotonic() - began >= PAUSE * 0.9


def test_all_workers_wait_for_one_probe_and_go_when_it_succeeds():
    breaker = opened()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(breaker.admit, 5.0) for _ in range(8)]
        time.sleep(PAUSE * 2)
        assert [each.result() for each in waiting if each.done()] == ["probe"]
        assert breaker.state == "half-open"
        breaker.report("probe", healthy=True)
        assert sorted(each.result(5) for each in waiting) == ["pass"] * 7 + ["probe"]
    assert breaker.state == "closed"


def test_a_failed_probe_opens_it_again():
    breaker = opened()
    breaker.report(breaker.admit(5), healthy=False)
    assert breaker.state == "open"
    assert breaker.admit(0) == "refused"
    assert breaker.admit(5) == "probe"


def test_a_request_from_before_does_not_count_as_the_probe():
    breaker = opened()
    assert breaker.admit(5) == "probe"
    breaker.report("pass", healthy=False)
    assert breaker.state == "half-open"


def test_after_some_failed_probes_nobody_waits_any_more():
    breaker = opened()
    for _ in range(GIVE_UP):
        breaker.report(breaker.admit(5), healthy=False)
    began = time.monotonic()
    assert breaker.admit(60) == "refused"
    assert time.monotonic() - began < PAUSE
    time.sleep(PAUSE)
    breaker.report(breaker.admit(0), healthy=True)
    assert breaker.state == "closed"

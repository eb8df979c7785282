"""When requests go: back-off, Retry-After, and the limit on requests a minute."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from metier.enrich.pace import LONGEST_BACKOFF, Pace, backoff, retry_after


def test_waits_double_with_some_chance_up_to_a_bound():
    for attempt in range(1, 12):
        waits = [backoff(attempt, 0.5) for _ in range(50)]
        longest = min(LONGEST_BACKOFF, 0.5 * 2 ** (attempt - 1))
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 40


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("0.25", 0.25), ("-1", None), ("nan", None), ("inf", None), ("soon", None), ("", None)],
)
def test_retry_after_in_seconds(header, seconds):
    assert retry_after({"retry-after": header}) == seconds


def test_retry_after_as_a_date():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < retry_after({"retry-after": date}) <= 91
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert retry_after({"retry-after": past}) == 0
    wrong_clock = {"retry-after": "Mon, 01 Jan 2001 00:00:30 GMT", "date": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert retry_after(wrong_clock) == 30
    assert retry_after({}) is None


def test_requests_are_spaced():
    pace, began = Pace(requests_per_minute=3000), time.monotonic()
    assert all(pace.wait(0) for _ in range(6))
    assert 0.1 <= time.monotonic() - began < 1


def test_a_hold_stops_everyone_and_also_those_who_wait_already():
    pace, went = Pace(requests_per_minute=600), []
    assert pace.wait(0)
    worker = threading.Thread(target=lambda: went.append((pace.wait(5), time.monotonic())))
    worker.start()
    began = time.monotonic()
    pace.hold(0.3)
    worker.join()
    assert went[0][0]
    assert went[0][1] - began >= 0.29


def test_a_hold_longer_than_the_patience_is_told_at_once():
    pace, began = Pace(None), time.monotonic()
    pace.hold(60)
    assert not pace.wait(10)
    assert time.monotonic() - began < 1

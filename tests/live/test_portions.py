"""What a model answers depends on which jobs are offered, and not on the portions in which it heard of them."""

from dataclasses import replace

import numpy as np
import pytest

from metier.data.posting import Posting
from metier.live import Asker, Filter, Wishes

NURSE = "Registered nurse in intensive care, twelve hour nights, trauma and cardiac patients, friendly team. " * 3


def feeds(model, rng):
    """Forty changes: postings of few words, reposts among them, jobs of the bundle under other words and facts."""
    known = [model.live.posting(job) for job in model.data.items.ids[:6]]
    for step in range(40):
        kind, number = rng.integers(4), int(rng.integers(6))
        if kind == 0:
            words = f"{NURSE} {'night ' * int(rng.integers(8))}{rng.integers(3)}"
            yield Posting(f"n{number}", "Nurse", words, city="Dayton", start=float(rng.integers(2)), employer="Ward")
        elif kind == 1:
            yield Posting(f"t{9 - number}", "Nurse", NURSE, city="Dayton", employer=f"Ward {rng.integers(2)}")
        elif kind == 2:
            yield replace(known[number], text=f"Keeper of lighthouse {rng.integers(2)}, {step}")
        else:
            yield replace(known[number], salary_max=float(rng.integers(3)))


@pytest.mark.parametrize(("name", "seed"), [("profile", 0), ("profile", 1), ("ranker", 2)])
def test_portions_do_not_show(trained, name, seed):
    rng, model = np.random.default_rng(seed), trained[name]
    live, last, gone = model.live, {}, set()
    for one in feeds(model, rng):
        last.pop(one.id, None)
        last[one.id] = one
        gone.discard(one.id)
        out = [str(job) for job in rng.choice(list(last), 2)] if rng.random() < 0.3 else []
        gone |= set(out)
        live = live.with_jobs([one, *(last[str(job)] for job in rng.choice(list(last), 1) if job not in gone)], out)
    fresh = model.live.with_jobs(list(last.values()), gone)
    assert len(gone) > 1
    assert len(live._board.posted) > 5
    user = int(np.argmax(np.diff(model.data.matrix.indptr)))
    applied = tuple((job, float(place)) for place, job in enumerate(last))
    askers = [
        Asker(text=NURSE),
        Asker(text=NURSE, applied=applied[::3]),
        Asker(text="keeper", applied=applied),
        Asker(text=NURSE, wishes=Wishes.parse("lighthouse, no night"), hidden=frozenset(list(last)[:2])),
        model.live.asker(model.data.users.ids[user]),
    ]
    for asker in askers:
        for filter in (Filter(), Filter(words=("nurse",)), Filter(city="Dayton")):
            mine, theirs = (one.jobs(asker, filter, 300, now=model.now) for one in (live, fresh))
            assert mine == theirs
    jobs = [one.job for one in theirs.suggestions][:3]
    assert live.reasons(asker, jobs) == fresh.reasons(asker, jobs)
    pool = live.pool({str(at): one for at, one in enumerate(askers)})
    for job in [one.job for one in mine.suggestions][:5]:
        assert live.people(job, pool, 5, now=model.now) == fresh.people(job, pool, 5, now=model.now)
        assert live.similar(job, 50, now=model.now) == fresh.similar(job, 50, now=model.now)

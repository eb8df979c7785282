"""A catalogue searched in parts answers as one that is searched whole, to the last bit."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from metier.bundle import load_profile
from metier.data.posting import Posting
from metier.errors import ShardError
from metier.live import Asker, Filter, LiveModel, Wishes
from metier.live.scan import Question, Scan, Sites
from metier.live.shards import Shards, answer_bytes, divided, question_bytes, read_question

NURSE = "Registered nurse in intensive care, twelve hour nights, trauma and cardiac patients."


def in_process(folder, count, *, dead=None):
    """Shards that are objects here; `dead` does not answer."""
    part = load_profile(folder)
    sites = Sites.of(part)
    scans = [Scan(part, sites, rows) for rows in divided(sites.group, count)]

    def ask(number, version, sent):
        if number == dead:
            raise ShardError(f"shard {number + 1} of {count} does not answer")
        question, k, allowed = read_question(sent)
        return answer_bytes(*scans[number].best(question, k, allowed))

    return Shards(count, ask, lambda number, version: None, ThreadPoolExecutor(4))


@pytest.mark.parametrize(("name", "count"), [("profile", 1), ("profile", 2), ("profile", 7), ("ranker", 3)])
def test_answers_are_those_of_the_whole(trained, name, count):
    model = trained[name]
    whole, parts = model.live, LiveModel.load(model.folder, in_process(model.folder, count))
    known = [whole.posting(job) for job in model.data.items.ids[:3]]
    copies = [replace(one, id=f"copy-{one.id}", employer="Another") for one in known]
    later = [*copies, Posting("new", "Nurse", NURSE, city="Dayton"), replace(known[1], text="A lighthouse.")]
    whole, parts = (one.with_jobs(later, [known[2].id]) for one in (whole, parts))
    users = np.argsort(-np.diff(model.data.matrix.indptr))[[0, 40]]
    askers = [
        Asker(),
        Asker(text=NURSE, state="OH", country="US"),
        Asker(text=NURSE, wishes=Wishes.parse("nights, not sales")),
        Asker(text=NURSE, applied=((known[0].id, 1.0), ("new", 2.0)), hidden=frozenset([known[1].id])),
        *(whole.asker(model.data.users.ids[user]) for user in users),
    ]
    for asker in askers:
        for filter in (Filter(), Filter(country="US", words=("nurse",))):
            for order in ("likely", "closest"):
                asked = {"now": model.now, "order": order}
                mine = whole.jobs(asker, filter, 25, **asked)
                assert parts.jobs(asker, filter, 25, **asked) == mine
        jobs = [one.job for one in whole.jobs(asker, Filter(), 3, now=model.now).suggestions]
        assert parts.reasons(asker, jobs) == whole.reasons(asker, jobs)
    pools = [one.pool(dict(zip("abcdef", askers, strict=True))) for one in (whole, parts)]
    for job in jobs:
        assert parts.similar(job, 30, now=model.now) == whole.similar(job, 30, now=model.now)
        both = [one.people(job, pool, 5, now=model.now) for one, pool in zip((whole, parts), pools, strict=True)]
        assert both[0] == both[1]


def test_equal_scores_stand_in_the_order_of_the_whole(profile):
    """Nothing said and every job as good as the others: only the seeded order decides."""
    part = load_profile(profile.folder)
    sites = Sites.of(part)
    size = len(sites.group)
    nothing = Question(np.zeros(288, np.float32), np.zeros(9_999, np.float32), np.zeros(3), 0.0, np.zeros(2), None)
    shards = in_process(profile.folder, 4).of("", sites.group)
    for allowed in (np.ones(size, np.bool_), np.arange(size) % 3 == 0, np.zeros(size, np.bool_)):
        items, scores = shards.best(nothing, 20, allowed)
        expected, _ = Scan(part, sites).best(nothing, 20, allowed)
        assert (items.tolist(), set(scores.tolist())) == (expected.tolist(), {0.0} if len(items) else set())
        assert len(items) == min(20, allowed.sum())


def test_whole_places_in_parts_of_about_the_same_size(profile):
    group = Sites.of(load_profile(profile.folder)).group
    parts = divided(group, 4)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(group)))
    assert max(map(len, parts)) - min(map(len, parts)) <= np.bincount(group).max()
    assert sum(len(set(group[rows])) for rows in parts) == len(set(group)), "no place is in two"
    assert [len(rows) for rows in divided(np.zeros(3, np.int32), 2)] == [3, 0]


def test_silent_shard_is_an_error_and_no_poorer_list(profile):
    live = LiveModel.load(profile.folder, in_process(profile.folder, 3))
    live._matcher._scan = replace(live._matcher._scan, shards=in_process(profile.folder, 3, dead=1))
    with pytest.raises(ShardError, match="shard 2 of 3"):
        live.jobs(Asker(text=NURSE), Filter(), 5, now=profile.now)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"x" * 100,
        question_bytes(
            Question(np.zeros(2, np.float32), np.zeros(2, np.float32), np.zeros(3), 0.0, np.zeros(2), None),
            5,
            np.ones(9, bool),
        )[:-3],
    ],
)
def test_what_is_no_question(sent):
    with pytest.raises(ValueError, match="no question"):
        read_question(sent)

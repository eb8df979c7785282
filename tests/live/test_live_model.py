"""Who is new is ranked by the profile over all jobs, who has a past by the ranker; what may not be shown never is."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from metier.bundle import save
from metier.data import CSR, Query
from metier.errors import BundleError, UnknownIdError
from metier.features.assemble import assemble
from metier.features.distance import km, positions, spellings
from metier.live import Asker, Filter, LiveModel, Pool, Posting, Wishes
from metier.live.model import SAMPLE
from metier.live.order import CROWDED, merged
from metier.models.base import recommend

NURSE = "Registered nurse\nI look after patients on a ward, keep records and know triage, wound care and medication."
ANY = Filter()


def names(answer):
    return [one.job for one in answer.suggestions]


def everything(answer):
    """With what is folded."""
    return {job for one in answer.suggestions for job in (one.job, *one.folded)}


def somewhere(model):
    """City, state and country of a job."""
    posting = model.live.posting(model.data.items.ids[5])
    return {"city": posting.city, "state": posting.state, "country": posting.country}


def by_hand(model, asker):
    """(I,) scores of the profile by its own `score`."""
    inner = model.model if model.bundle.name == "profile" else model.model.sources_["profile"]
    place = {name: getattr(asker, name) for name in ("city", "state", "country")}
    return inner.score(model.bundle.newcomer(asker.text, **place))[0]


@pytest.mark.parametrize("name", ["profile", "ranker"])
def test_closest_goes_by_the_words_alone_under_the_same_conditions(trained, name):
    """Whoever asks, from wherever and with whatever past: what is said orders, what may not be shown is not."""
    model = trained[name]
    live, jobs = model.live, model.data.items
    applied = tuple((job, model.now) for job in jobs.ids[10:13])
    asker = Asker(text=NURSE, **somewhere(model), applied=applied)
    twins = everything(live.jobs(Asker(text=NURSE), ANY, 700, now=model.now))
    answer = live.jobs(asker, ANY, 700, now=model.now, order="closest")
    assert answer.order == "closest"
    inner = model.model if name == "profile" else model.model.sources_["profile"]
    w, own = inner.weights(heard=False), live._matcher.said([NURSE])[0]
    topics, meaning, like = np.split(own, [inner.topic_.shape[1], len(own) - inner.topic_.shape[1]])
    expected = inner.topic_ @ (w.own[1] * topics + w.near * like) + inner.meaning_ @ (w.own[0] * meaning)
    for one in answer.suggestions:
        assert one.score == pytest.approx(expected[jobs.number(one.job)], abs=2e-5)
    scores = [one.score for one in answer.suggestions]
    assert scores == sorted(scores, reverse=True)
    assert not {job for job, _ in applied} & everything(answer)
    likely = live.jobs(asker, ANY, 700, now=model.now)
    assert everything(likely) <= everything(answer) < twins
    assert likely.order == "likely"
    assert names(likely) != names(answer)
    state = Filter(state=asker.state)
    some = names(live.jobs(asker, state, 700, now=model.now, order="closest"))
    assert some == [job for job in names(answer) if live.posting(job).state == asker.state]
    wishful = replace(asker, wishes=Wishes(unwanted=("nurse",)))
    last = names(live.jobs(wishful, ANY, 700, now=model.now, order="closest"))
    assert set(last) == set(names(answer))
    assert last != names(answer)
    fresh = Posting("fresh", "Registered nurse", NURSE)
    assert names(live.with_jobs([fresh]).jobs(asker, ANY, 1, now=model.now, order="closest")) == ["fresh"]


def test_who_says_nothing_gets_the_likely_order(ranker):
    person = next(row for row, count in enumerate(np.diff(ranker.data.matrix.indptr)) if count > 1)
    known = replace(ranker.live.asker(ranker.data.users.ids[person]), text="")
    for silent in (Asker(), Asker(text=" ", **somewhere(ranker)), known):
        answer = ranker.live.jobs(silent, ANY, 20, now=ranker.now, order="closest")
        assert answer == ranker.live.jobs(silent, ANY, 20, now=ranker.now)
        assert answer.order == "likely"


@pytest.mark.parametrize("name", ["profile", "ranker"])
def test_reasons_of_an_order_are_measured_by_what_ordered(trained, name):
    live, now = trained[name].live, trained[name].now
    applied = tuple((job, now) for job in trained[name].data.items.ids[10:12])
    asker = Asker(text=NURSE, **somewhere(trained[name]), applied=applied)
    found = live.jobs(asker, ANY, 5, now=now, order="closest").suggestions
    for one, reasons in zip(found, live.reasons(asker, [one.job for one in found], order="closest"), strict=True):
        assert reasons.score == pytest.approx(one.score, abs=1e-4)
        assert {ground.kind for ground in reasons.grounds} <= {"line", "skill"}
        assert reasons.grounds
        assert reasons.shares == {"text": 1.0, "past": 0.0, "place": 0.0, "popularity": 0.0, "time": 0.0}


def test_a_place_is_understood_as_people_write_it(profile):
    """Without the country, in small letters, the state written out, by its city alone where only one is called so."""
    live, here = profile.live, somewhere(profile)
    cities = {}
    for key in live._matcher._fields["city"]:
        cities.setdefault(key.split("|")[0], set()).add(key)
    whole = Asker(text=NURSE, **here)
    expected = live.jobs(whole, ANY, 30, now=profile.now)
    alone = len(cities[here["city"]]) == 1
    written = max(spellings(here["state"]), key=len)
    assert len(written) > 2
    said = [replace(whole, country=None), replace(whole, city=here["city"].upper(), state=here["state"].lower())]
    said += [replace(whole, state=written.title()), replace(whole, state=written, country=None)]
    for one in [*said, replace(whole, state=None, country=None)][: 5 if alone else 4]:
        assert live.is_placed(one)
        assert live.jobs(one, ANY, 30, now=profile.now) == expected
    state = replace(whole, city="Nowhere at all", country=None)
    assert live.jobs(state, ANY, 30, now=profile.now) == live.jobs(
        replace(state, country=here["country"]), ANY, 30, now=profile.now
    )
    unknown = Asker(text=NURSE, city="Nowhere at all")
    assert not live.is_placed(unknown)
    assert live.jobs(unknown, ANY, 30, now=profile.now) == live.jobs(Asker(text=NURSE), ANY, 30, now=profile.now)


@pytest.mark.parametrize("name", ["profile", "ranker"])
@pytest.mark.parametrize("placed", [True, False])
def test_a_newcomer_gets_the_best_of_the_profile_over_all_jobs(trained, name, placed):
    model = trained[name]
    asker = Asker(text=NURSE, **(somewhere(model) if placed else {}))
    answer = model.live.jobs(asker, ANY, 30, now=model.now)
    scores, jobs = by_hand(model, asker), model.data.items
    for one in answer.suggestions:
        assert one.score == pytest.approx(scores[jobs.number(one.job)], abs=2e-5)
    open_ = model.bundle.live_jobs(1)
    worst = min(one.score for one in answer.suggestions)
    better = {jobs.ids[row] for row in open_ if scores[row] > worst + 1e-4}
    assert better <= everything(answer)
    assert [one.score for one in answer.suggestions] == sorted((one.score for one in answer.suggestions), reverse=True)


def test_who_has_a_past_gets_what_the_bundle_recommends(ranker):
    users = [u for u in range(60) if ranker.data.matrix.indptr[u + 1] > ranker.data.matrix.indptr[u]][:12]
    assert len(users) == 12
    for user in users:
        person = ranker.data.users.ids[user]
        expected = ranker.bundle.recommend(ranker.data.query(np.array([user])), 40).items[0]
        expected = [ranker.data.items.ids[row] for row in expected if row >= 0]
        asker = ranker.live.asker(person)
        answer = ranker.live.jobs(asker, ANY, 20, now=ranker.now)
        front = [job for job in expected if job in set(names(answer))]
        assert front == names(answer)
        assert len(front) == 20
        hidden = set(expected[: len(front)]) - everything(answer)
        assert hidden == set(), "only reposts may be missing"


def test_a_past_of_a_stranger_counts_like_that_of_a_known_person(profile):
    user = int(np.argmax(np.diff(profile.data.matrix.indptr)))
    person = profile.data.users.ids[user]
    known = profile.live.asker(person)
    query = profile.data.query(np.array([user]))
    applied = tuple(
        (profile.data.items.ids[i], float(t)) for i, t in zip(query.times.indices, query.times.data, strict=True)
    )
    stranger = replace(known, person=None, applied=applied)
    answers = [profile.live.jobs(one, ANY, 15, now=profile.now) for one in (known, stranger)]
    assert answers[0] == answers[1]
    scores = profile.model.score(query)[0]
    for one in answers[0].suggestions:
        assert one.score == pytest.approx(scores[profile.data.items.number(one.job)], abs=1e-3)
    assert not everything(answers[0]) & {job for job, _ in applied}


def test_what_may_not_be_shown_never_is(profile):
    asker = Asker(text=NURSE)
    first = names(profile.live.jobs(asker, ANY, 8, now=profile.now))
    applied, hidden, withdrawn = first[0], first[1], first[2]
    past = Posting("past", "Registered nurse", NURSE, end=profile.now - 1)
    future = Posting("future", "Registered nurse", NURSE, start=profile.now + 1)
    live = profile.live.with_jobs([past, future], [withdrawn, "never heard of"])
    found = everything(
        live.jobs(
            replace(asker, applied=((applied, profile.now),), hidden=frozenset({hidden})), ANY, 700, now=profile.now
        )
    )
    assert not found & {applied, hidden, withdrawn, "past", "future"}
    assert "future" in everything(live.jobs(asker, ANY, 700, now=profile.now + 2))
    assert live.posting(withdrawn) is None
    assert live.posting("past") == past
    assert withdrawn in names(profile.live.jobs(asker, ANY, 8, now=profile.now)), "the older snapshot is as it was"
    posting = profile.live.posting(first[3])
    assert first[3] not in everything(profile.live.jobs(asker, ANY, 700, now=posting.end + 1))


def test_what_is_open_depends_on_the_moment_alone(profile):
    board = profile.live.with_jobs(
        [Posting("a", start=10.0, end=20.0), Posting("b", end=15.0), Posting("c", start=15.0)]
    )._board
    moments = [5.0, 10.0, 15.0, 15.000001, 20.0, 20.1, profile.now, 12.0, 10.0, 5.0]
    for now in moments:
        start, end = board.attributes.start, board.attributes.end
        np.testing.assert_array_equal(board.open(now), ~(start > now) & ~(end < now))
    board.open(12.0)[:] = False
    assert board.open(12.0)[-2]


def test_a_new_posting_is_found_at_once_and_scored_like_an_old_one(profile):
    row = 11
    old = profile.live.posting(profile.data.items.ids[row])
    twin = replace(old, id="new", employer="Another One")
    live = profile.live.with_jobs([twin])
    asker = Asker(text=old.words, city=old.city, state=old.state, country=old.country)
    scores = {one.job: one.score for one in live.jobs(asker, Filter(state=old.state), 700, now=profile.now).suggestions}
    weights = profile.model.weights(heard=False)
    fresh = np.log(profile.model.config.prior), np.log(max((profile.now - old.start) / 86400, 1 / 24))
    expected = scores[old.id] + weights.appeal @ (np.array(fresh) - profile.model.appeal_[row])
    assert scores["new"] == pytest.approx(expected, abs=1e-3)


def test_a_change_takes_the_old_ones_place(profile):
    job = names(profile.live.jobs(Asker(text=NURSE), ANY, 1, now=profile.now))[0]
    old = profile.live.posting(job)
    changed = replace(old, title="Lighthouse keeper", text="You keep the lighthouse of the harbour.")
    live = profile.live.with_jobs([replace(changed, title="Never seen")]).with_jobs([changed])
    assert live.posting(job) == changed
    answer = live.jobs(Asker(text="lighthouse keeper in the harbour"), ANY, 700, now=profile.now)
    assert names(answer).count(job) == 1
    assert live.with_jobs([], [job]).posting(job) is None
    assert live.with_jobs([], [job]).with_jobs([changed]).posting(job) == changed


@pytest.mark.parametrize("name", ["profile", "ranker"])
def test_reposts_are_one_suggestion_and_the_newest_is_shown(trained, name):
    model = trained[name]
    text = f"{NURSE} We offer a friendly team, a salary above average, a bicycle and thirty days off each year. " * 2
    first = Posting(
        "r1", "Registered Nurse", text, employer="Ward & Co", city="Dayton", state="OH", start=model.now - 9
    )
    second = replace(first, id="r2", title="registered nurse", text=text.replace("thirty", "30"), start=model.now - 5)
    third = replace(first, id="r3", employer="WARD & CO.", start=model.now - 7)
    elsewhere, other = replace(first, id="r4", city="Akron"), replace(first, id="r5", employer="Somebody Else")
    live = model.live.with_jobs([first, second]).with_jobs([third, elsewhere, other])
    asker = Asker(text=text, city="Dayton", state="OH")
    found = {one.job: set(one.folded) for one in live.jobs(asker, ANY, 50, now=model.now).suggestions}
    assert found["r2"] == {"r1", "r3"}
    assert not {"r1", "r3"} & set(found)
    assert {"r4", "r5"} <= set(found)
    gone = {
        one.job: set(one.folded) for one in live.with_jobs([], ["r2"]).jobs(asker, ANY, 50, now=model.now).suggestions
    }
    assert gone["r3"] == {"r1"}
    applied = replace(asker, applied=(("r1", model.now),))
    assert not everything(live.jobs(applied, ANY, 700, now=model.now)) & {"r1", "r2", "r3"}


def holds(filter, posting, home):
    """The conditions of a filter, spelled out."""
    same = all(
        (getattr(posting, name) or "").lower() == value.lower()
        for name in ("city", "state", "country", "employer")
        if (value := getattr(filter, name)) is not None
    )
    salary = max((one for one in (posting.salary_min, posting.salary_max) if one is not None), default=-1)
    there = (positions_of(posting), positions_of(home))
    return (
        same
        and (filter.within_km is None or bool(km(*there) <= filter.within_km))
        and (filter.remote is None or posting.remote is filter.remote)
        and (filter.salary_min is None or salary >= filter.salary_min)
        and (filter.level_min is None or (posting.level is not None and posting.level >= filter.level_min))
        and (filter.level_max is None or (posting.level is not None and posting.level <= filter.level_max))
        and (filter.posted_after is None or (posting.start is not None and posting.start >= filter.posted_after))
        and all(f" {word.lower()} " in f" {' '.join(posting.words.lower().split())} " for word in filter.words)
    )


def positions_of(one):
    from metier.features.distance import columns

    keys = [f"city={one.city}|{one.state}"] if one.city else []
    return positions(CSR(np.ones((1, len(keys)), np.float32)), columns(keys))[0] if keys else np.zeros(3, np.float32)


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "OH"}, {"city": "dayton"}, {"country": "us", "employer": "ward & co"}, {"remote": True},
        {"remote": False}, {"salary_min": 50_000}, {"level_min": 2}, {"level_max": 1, "level_min": 1},
        {"words": ["night"]}, {"words": ["night", "shift"]}, {"words": ["c++"]}, {"within_km": 80},
        {"posted_after": 2e9},        {"employer": "nobody"},
    ],
)  # fmt: skip
def test_filters_are_what_they_say(profile, wanted):
    base = Posting("f", "Nurse", "Work by night and shift in C++", city="Dayton", state="OH", country="US")
    posted = [
        base,
        replace(base, id="g", employer="Ward & Co", remote=True, salary_min=40_000, salary_max=60_000, level=2),
        replace(base, id="h", text="nightly", city="Cincinnati", remote=False, salary_min=55_000, level=1),
        replace(base, id="i", text="At night", city=None, state=None, country=None, level=0, salary_max=45_000),
        replace(base, id="j", text="Later", start=3e9 - 1),
    ]
    live = profile.live.with_jobs(posted)
    filter, asker = Filter(**wanted), Asker(text="nurse", city="Dayton", state="OH", country="US")
    now = profile.now if "posted_after" not in wanted else 3e9
    found = everything(live.jobs(asker, filter, 1000, now=now))
    all_ = everything(live.jobs(asker, ANY, 1000, now=now))
    assert found == {job for job in all_ if holds(filter, live.posting(job), asker)}
    assert found or "nobody" in wanted.values()


@pytest.mark.parametrize("state", ["tx", "TX", " texas", "Texas"])
def test_a_state_of_the_us_is_found_by_its_letters_and_by_its_name(profile, state):
    base = Posting("short", "Nurse", "Work by night", city="Dallas", state="TX", country="US")
    posted = [base, replace(base, id="long", text="By day", state="Texas"), replace(base, id="other", state="Tabasco")]
    live = profile.live.with_jobs(posted)
    found = everything(live.jobs(Asker(text="nurse"), Filter(state=state), 1000, now=profile.now))
    assert {"short", "long"} <= found
    assert {live.posting(job).state for job in found} == {"TX", "Texas"}


def test_a_filter_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="extra"):
        Filter(colour="red")


def test_wishes_order_and_hide_nothing(profile):
    asker = Asker(text=NURSE)
    posted = Posting("w1", "Nurse", f"{NURSE} Travel needed."), Posting("w2", "Nurse", f"{NURSE} Night shifts.")
    live = profile.live.with_jobs(posted)
    plain = live.jobs(asker, ANY, 700, now=profile.now)
    wishful = live.jobs(replace(asker, wishes=Wishes.parse("no travel; night shifts")), ANY, 700, now=profile.now)
    assert everything(plain) == everything(wishful)
    base = {one.job: one.score for one in plain.suggestions}
    bad = [bool(Wishes(unwanted=("travel",)).found_in(live.posting(one.job).words)) for one in wishful.suggestions]
    assert True in bad
    assert bad == sorted(bad)
    held = {job for job in base if Wishes(wanted=("night shifts",)).found_in(live.posting(job).words)}
    assert "w2" in held
    for one in wishful.suggestions:
        assert one.score == pytest.approx(base[one.job] + (one.job in held), abs=1e-4)
    half = live.jobs(replace(asker, wishes=Wishes.parse("night shifts; unicorns")), ANY, 700, now=profile.now)
    for one in half.suggestions:
        assert one.score == pytest.approx(base[one.job] + (one.job in held) / 2, abs=1e-4)
    few = live.jobs(replace(asker, wishes=Wishes.parse("no travel; night shifts")), ANY, 5, now=profile.now)
    assert names(few) == names(wishful)[:5]


def test_a_crowded_job_falls_behind_equals_only(profile):
    asker = Asker(text=NURSE)
    nurse = Posting("a", "Registered nurse", NURSE, employer="Ward", city="Dayton")
    posted = nurse, replace(nurse, id="b", city="Akron"), Posting("c", "Welder", employer="Ward")
    live = profile.live.with_jobs(posted)
    ward = Filter(employer="Ward")
    first, equal, last = plain = live.jobs(asker, ward, 20, now=profile.now).suggestions
    assert {first.job, equal.job} == {"a", "b"}
    assert first.score - CROWDED / 2 < equal.score
    assert last.score < first.score - 2 * CROWDED
    shown = {first.job: 11, equal.job: 10}
    capped = live.jobs(asker, ward, 20, now=profile.now, shown=shown, cap=10).suggestions
    assert [one.job for one in capped] == [equal.job, first.job, last.job]
    assert capped[1].score == pytest.approx(first.score - CROWDED, abs=1e-4)
    assert live.jobs(asker, ward, 20, now=profile.now, shown=shown).suggestions == plain


def test_later_jobs_enter_the_rankers_list_at_the_profiles_place():
    ranked = np.array([7, 5, 9], np.int32), np.array([3, 2, 1], np.float32)
    profile = np.array([0.9, 0.5, 0.1], np.float32)
    later, scores = np.array([20, 21, 22], np.int32), np.array([0.6, 2.0, 0.0], np.float32)
    rows, values = merged(ranked, profile, later, scores, 5)
    assert rows.tolist() == [21, 7, 20, 5, 9]
    assert values.tolist() == [3, 3, 3, 2, 1]
    assert merged((np.empty(0, np.int32), np.empty(0, np.float32)), profile[:0], later, scores, 2)[0].tolist() == [
        21,
        20,
    ]


def test_a_new_posting_reaches_people_with_a_past(ranker):
    user = int(np.argmax(np.diff(ranker.data.matrix.indptr)))
    asker = ranker.live.asker(ranker.data.users.ids[user])
    fresh = Posting("fresh", asker.text.split("\n")[0][:80], asker.text, None, asker.city, asker.state, asker.country)
    before = ranker.live.jobs(asker, ANY, 700, now=ranker.now)
    after = ranker.live.with_jobs([fresh]).jobs(asker, ANY, 701, now=ranker.now)
    assert [job for job in names(after) if job != "fresh"] == names(before)
    case = ranker.live._case(asker)
    rows = np.array([ranker.data.items.number(job) for job in names(before)])
    later = ranker.live.with_jobs([fresh])
    question = later._question(case)
    scores = later._matcher.score(question, later._matcher.encoded(rows))
    mine = later._matcher.score(question, later._later)[0]
    assert names(after).index("fresh") == min(int((scores > mine).sum()), len(before.suggestions))


def test_the_right_people_for_a_posting(profile):
    job = Posting("p", "Registered nurse", NURSE, city="Dayton", state="OH", country="US")
    live = profile.live.with_jobs([job])
    askers = {
        "welder": Asker(text="Welder. I weld pipes and frames."),
        "nurse": Asker(text=NURSE, city="Dayton", state="OH", country="US"),
        "far": Asker(text=NURSE, city="Seattle", state="WA", country="US"),
        "silent": Asker(),
    }
    found = live.people("p", live.pool(askers), 3, now=profile.now)
    assert found[0][0] == "nurse"
    assert len(found) == 3
    with pytest.raises(UnknownIdError, match="no job 'q'; cure"):
        live.people("q", live.pool(askers), 3, now=profile.now)


def test_a_pool_scores_each_person_as_they_are_scored_alone(profile):
    live, ids = profile.live, profile.data.users.ids[:40]
    askers = {person: live.asker(person) for person in ids} | {"nowhere": Asker(text=NURSE)}
    first, rest = ({person: askers[person] for person in some} for some in (ids[:9], [*ids[9:], "nowhere"]))
    whole, joined = live.pool(askers), Pool.join([live.pool(first), live.pool(rest)])
    assert set(whole.homes.any(axis=1)) == {True, False}
    row = int(profile.bundle.live_jobs(1)[4])
    for encoded in (live._encoded([row]), live._encoded([row, 3, 5])):
        expected = [live._matcher.score(live._question(live._case(one)), encoded) for one in askers.values()]
        np.testing.assert_allclose(whole.scores(encoded), expected, atol=1e-4)
    found = live.people(profile.data.items.ids[row], whole, 41, now=profile.now)
    assert len(found) > 30
    same = live.people(profile.data.items.ids[row], joined, 41, now=profile.now)
    assert [person for person, _ in same] == [person for person, _ in found]
    sample = np.random.default_rng(0).choice(len(profile.data.items), SAMPLE, replace=False)
    for person, score in found:
        if person == "nowhere":
            continue
        scores = profile.model.score(profile.data.query(np.array([ids.index(person)])))[0].astype(np.float64)
        assert score == pytest.approx(scores[row] - np.log(np.exp(scores[sample]).mean()), abs=2e-3)
    few = whole.take(np.array([2, 5], np.int32))
    assert [person for person, _ in found if person in few.ids] == [
        person for person, _ in live.people(profile.data.items.ids[row], few, 9, now=profile.now)
    ]


def test_nobody_is_named_for_a_job_that_they_would_not_be_shown(profile):
    text = f"{NURSE} We offer a friendly team, a salary above average, a bicycle and thirty days off each year. " * 2
    first = Posting("r1", "Registered Nurse", text, employer="Ward & Co", city="Dayton", state="OH")
    others = {
        "repost": replace(first, title="registered nurse"),
        "ended": replace(first, employer="Past", end=profile.now - 1),
        "to come": replace(first, employer="Future", start=profile.now + 1),
        "withdrawn": replace(first, employer="Gone"),
        "open": replace(first, employer="Open"),
    }
    live = profile.live.with_jobs([first, *(replace(one, id=id) for id, one in others.items())], ["withdrawn"])
    free = Asker(text=text, city="Dayton", state="OH")
    askers = {
        "applied": replace(free, applied=(("r1", profile.now),)),
        "dismissed": replace(free, hidden=frozenset({"repost"})),
        "free": free,
    }

    def named(job):
        return [person for person, _ in live.people(job, live.pool(askers), 9, now=profile.now)]

    def shown(asker):
        return everything(live.jobs(asker, ANY, 800, now=profile.now))

    for job in ("r1", "repost", "ended", "to come", "open"):
        may_see = {person for person, asker in askers.items() if job in shown(replace(asker, applied=()))}
        assert set(named(job)) == may_see, job
    assert set(named("open")) == set(askers)
    assert named("r1") == ["applied", "free"], "an application speaks for itself"
    for call in (named, lambda job: live.similar(job, 9, now=profile.now)):
        with pytest.raises(UnknownIdError):
            call("withdrawn")
    alike = {job for job, _ in live.similar("r1", 800, now=profile.now)}
    assert "open" in alike
    assert not alike & {"r1", "repost", "ended", "to come", "withdrawn"}


def test_the_same_feed_every_night_keeps_its_size(profile):
    old = profile.live.posting(profile.data.items.ids[7])
    text = f"{NURSE} We offer a friendly team, a salary above average, a bicycle and thirty days off each year. " * 2
    feed = [Posting(f"f{number}", f"Nurse {number}", f"{NURSE} {number}", city="Dayton") for number in range(6)]
    feed += [Posting(f"g{number}", "Nurse", text, employer="Ward", start=number) for number in range(3)]
    feed += [replace(old, title="Lighthouse keeper"), profile.live.posting(profile.data.items.ids[8])]
    live = first = profile.live.with_jobs(feed, ["f5"])
    assert len(first._board.posted) == len(feed) - 1, "the bundle's own posting said nothing new"
    for _ in range(20):
        live = live.with_jobs(feed, ["f5"])
        assert live._later.vectors is first._later.vectors
        assert len(live._board.posted) == len(first._board.posted)
    for night in range(20):
        feed = [replace(one, text=f"{one.text} {night}") for one in feed]
        live = live.with_jobs(feed)
        assert len(live._board.posted) == len(live._later.vectors) <= 2 * len(feed) + 1
        assert len(live._board.attributes.start) == len(live._board.gone) == len(live._board.reposts.keys)
    live, fresh = live.with_jobs([], ["f5", "g2"]), profile.live.with_jobs(feed, ["f5", "g2"])
    assert live.posting("f5") is None
    for asker in (Asker(text=NURSE), Asker(text=text, applied=(("f5", 1.0), (old.id, 2.0)))):
        for filter in (ANY, Filter(words=("19",)), Filter(city="Dayton")):
            found, expected = (one.jobs(asker, filter, 800, now=profile.now).suggestions for one in (live, fresh))
            assert [(one.job, set(one.folded)) for one in found] == [(one.job, set(one.folded)) for one in expected]
            assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-5)
    folded = {one.job: one.folded for one in live.jobs(Asker(text=text), ANY, 800, now=profile.now).suggestions}
    assert folded["g1"] == ("g0",)
    again = live.with_jobs([feed[5]])
    assert again.posting("f5") == feed[5], "posted again as it was, it is open again"
    assert again._later.vectors is live._later.vectors


@pytest.mark.parametrize("name", ["profile", "ranker"])
def test_other_facts_of_the_same_words_leave_a_job_where_it_is(trained, name):
    model = trained[name]
    user = int(np.argmax(np.diff(model.data.matrix.indptr)))
    asker = model.live.asker(model.data.users.ids[user])
    before = model.live.jobs(asker, ANY, 700, now=model.now)
    feed = [replace(model.live.posting(job), end=model.now + 9e6, salary_max=9e7, level=3) for job in names(before)]
    live = model.live.with_jobs(feed)
    assert len(live._board.posted) == 0
    assert live.jobs(asker, ANY, 700, now=model.now) == before, "each is scored by what scored it"
    assert live.posting(feed[0].id) == feed[0]
    pay = Filter(salary_min=8e7, level_min=3)
    assert everything(live.jobs(asker, pay, 700, now=model.now + 8e6)) >= {one.id for one in feed}
    ended = live.with_jobs([replace(feed[0], end=model.now - 1), replace(feed[1], employer="Ward & Co", remote=True)])
    assert feed[0].id not in everything(ended.jobs(asker, ANY, 700, now=model.now))
    assert names(ended.jobs(asker, Filter(employer="ward & co", remote=True), 9, now=model.now)) == [feed[1].id]
    assert ended.with_jobs([feed[1]], [feed[0].id]).posting(feed[0].id) is None
    other = live.with_jobs([replace(feed[0], text="You keep the lighthouse.")])
    assert len(other._board.posted) == 1
    back = other.with_jobs([feed[0]])
    assert back.posting(feed[0].id) == feed[0]
    assert back.jobs(asker, ANY, 700, now=model.now) == before, "of the old words again, it has its old row again"


def test_another_employer_is_another_job(profile):
    job, other = (profile.live.posting(profile.data.items.ids[row]) for row in (7, 8))
    twin = replace(job, id="twin", employer="Ward & Co")
    live = profile.live.with_jobs([twin])
    before = live._board.reposts
    moved = live.with_jobs([replace(job, employer="Ward & Co"), replace(other, employer="Somebody Else")])
    later = live._board.row("twin")
    assert later not in live._board.twins([7])
    assert later in moved._board.twins([7])
    assert later not in moved._board.twins([8])
    again = moved.with_jobs([job, other])
    np.testing.assert_array_equal(again._board.reposts.cluster, before.cluster)
    np.testing.assert_array_equal(again._board.reposts.keys, before.keys)


def test_the_newest_posting_that_is_dated_before_a_moment(profile):
    known = profile.live.posting(profile.data.items.ids[7])
    assert profile.live.posted_by(9e9) is None, "what the bundle alone holds was posted to nobody"
    live = profile.live.with_jobs([Posting("a", start=5.0), Posting("b", start=8.0), Posting("c"), known])
    assert [live.posted_by(at) for at in (4.9, 5.0, 8.5, 9e9)] == [None, 5.0, 8.0, known.start]
    assert live.with_jobs([Posting("b", start=2.0)], [known.id]).posted_by(9e9) == 5.0


def test_many_later_postings_are_scored_as_few_are(profile, monkeypatch):
    posted = [Posting(f"n{number}", f"Nurse {number}", f"{NURSE} {number}", city="Dayton") for number in range(50)]
    live, taken = profile.live.with_jobs(posted), []
    take = type(live._later).take
    monkeypatch.setattr(type(live._later), "take", lambda self, rows: taken.append(len(rows)) or take(self, rows))
    every = {one.job: one.score for one in live.jobs(Asker(text=NURSE), ANY, 800, now=profile.now).suggestions}
    assert max(taken, default=0) == 0, "nothing is copied"
    few = live.jobs(Asker(text=NURSE), Filter(words=("nurse 7",)), 800, now=profile.now).suggestions
    assert 1 in taken
    assert {one.job for one in few} == {"n7"}
    assert few[0].score == pytest.approx(every["n7"], abs=1e-5)


def test_words_are_looked_for_once_in_later_postings(profile):
    live = profile.live.with_jobs([Posting("a", "Nurse", "by NIGHT"), Posting("b", "Nurse", "nightly"), Posting("c")])
    masks = [live._board._later_mentions("night") for _ in range(2)]
    assert masks[0] is masks[1]
    assert masks[0].tolist() == [True, False, False]
    assert live.with_jobs([Posting("d", "Night")])._board._later_mentions("night").tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_somebody_is_known_without_reading_their_text(profile, monkeypatch):
    monkeypatch.setattr("metier.live.known.person_text", None)
    assert profile.live.knows(profile.data.users.ids[3])
    assert not profile.live.knows("nobody")
    assert profile.live.newest == profile.now


def test_similar(profile):
    job = profile.data.items.ids[3]
    posting = profile.live.posting(job)
    live = profile.live.with_jobs([replace(posting, id="like", employer="Other"), Posting("zz", "Zzz", "xyzzy")])
    found = live.similar(job, 10, now=profile.now)
    assert found[0][0] == "like"
    assert found[0][1] == pytest.approx(1, abs=1e-5)
    assert job not in dict(found)


def test_threads_get_the_same_answers(profile):
    askers = [Asker(text=text) for text in profile.data.user_texts[:24]]
    expected = [profile.live.jobs(one, ANY, 10, now=profile.now) for one in askers]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda one: profile.live.jobs(one, ANY, 10, now=profile.now), askers)) == expected


def test_the_version_names_the_bytes(profile, tmp_path):
    import hashlib

    digest = hashlib.sha256((profile.folder / "manifest.json").read_bytes()).hexdigest()
    assert profile.live.version == f"profile@{digest[:12]}"
    with pytest.raises(BundleError, match="no bundle; cure"):
        LiveModel.load(tmp_path / "nothing")
    copy = shutil.copytree(profile.folder, tmp_path / "copy")
    with (copy / "jobs.parquet").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match=r"jobs.parquet was altered"):
        LiveModel.load(copy)


def test_a_person_keeps_their_text_when_another_bundle_takes_the_place(town, profile, tmp_path):
    folder = tmp_path / "board"
    shutil.copytree(profile.folder, folder)
    live, ids = LiveModel.load(folder), profile.data.users.ids
    others = replace(town, people=town.people.reverse())
    save(folder, profile.model, others, assemble(others, "newest"), {})
    rows = range(0, len(ids), 10)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda row: live.asker(ids[row]).text, rows))
    assert told == [profile.data.user_texts[row] for row in rows]


def test_a_newcomer_without_words_or_place_still_gets_an_answer(profile):
    answer = profile.live.jobs(Asker(), ANY, 5, now=profile.now)
    assert len(answer.suggestions) == 5
    query = Query(np.full(1, -1, np.int32), CSR((1, len(profile.data.items)), dtype=np.float32), None, [""])
    best = recommend(profile.model, query, 1, candidates=profile.bundle.live_jobs(1)).items[0, 0]
    assert answer.suggestions[0].score == pytest.approx(float(profile.model.score(query)[0, best]), abs=1e-4)

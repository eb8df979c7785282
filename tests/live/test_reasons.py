"""What is named as a reason is what the score rests on: leave it out, and the score falls."""

from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from metier.bundle import save
from metier.features.assemble import assemble
from metier.live import Asker, Filter, LiveModel, Posting, Wishes
from metier.live.model import SAMPLE
from metier.live.reasons import LEAST
from metier.models.registry import create


def without(asker, ground):
    """The person without a piece of evidence, made from its spans alone."""
    own = sorted((span for span in ground.spans if span.of == "asker"), key=lambda span: -span.start)
    if ground.kind == "application":
        gone = {span.job for span in ground.spans}
        return replace(asker, applied=tuple(one for one in asker.applied if one[0] not in gone))
    if ground.kind == "place":
        return replace(asker, **{span.field: None for span in own})
    if ground.kind == "wish":
        rest = tuple(one for one in asker.wishes.wanted if one != ground.name)
        return replace(asker, wishes=Wishes(wanted=rest, unwanted=asker.wishes.unwanted))
    text = asker.text
    for span in own:
        text = text[: span.start] + text[span.end :]
    return replace(asker, text=text)


def score(model, asker, job):
    found = model.live.jobs(asker, Filter(), 2000, now=model.now).suggestions
    return {key: one.score for one in found for key in (one.job,)}.get(job)


def some_askers(model, count):
    """People of the bundle as strangers who say all that the bundle knows."""
    for user in range(count):
        known = model.live.asker(model.data.users.ids[user])
        query = model.data.query(np.array([user]))
        pairs = zip(query.times.indices.tolist(), query.times.data.tolist(), strict=True)
        applied = tuple((model.data.items.ids[item], time) for item, time in pairs)
        yield replace(known, person=None, applied=applied)


def test_deleting_the_first_named_evidence_lowers_the_score(profile):
    """Through `jobs`, the public way, over people with and without a past."""
    fallen, asked = 0, 0
    for asker in some_askers(profile, 40):
        for one in profile.live.jobs(asker, Filter(), 3, now=profile.now).suggestions:
            (reasons,) = profile.live.reasons(asker, [one.job])
            assert reasons.score == pytest.approx(one.score, abs=1e-3)
            if not reasons.grounds:
                continue
            less = score(profile, without(asker, reasons.grounds[0]), one.job)
            asked += 1
            fallen += less is None or less < one.score
    assert asked > 80
    assert fallen / asked >= 0.9, f"{fallen} of {asked}"
    print(f"deletion lowers the score in {fallen} of {asked}")


def test_the_rankers_evidence_is_measured_by_the_ranker(ranker):
    asked, grounds = 0, 0
    for user in range(40):
        asker = ranker.live.asker(ranker.data.users.ids[user])
        row = ranker.data.matrix[[user]].indices
        if len(row) < 2:
            continue
        for one in ranker.live.jobs(asker, Filter(), 2, now=ranker.now).suggestions:
            (reasons,) = ranker.live.reasons(asker, [one.job])
            assert reasons.score == pytest.approx(one.score, abs=1e-4)
            assert {"profile", "co-application", "activity"} <= set(reasons.shares)
            grounds += len(reasons.grounds)
            assert all(ground.weight > 0 and ground.spans for ground in reasons.grounds)
            assert sum(reasons.shares.values()) == pytest.approx(1)
            asked += 1
        if asked > 10:
            break
    assert asked > 10
    assert grounds > asked


def test_of_whom_the_profile_ordered_the_profile_tells_the_reasons(ranker):
    """`people` orders by the profile also those with a past, whom the ranker would judge otherwise."""
    live, differing = ranker.live, 0
    for user in np.flatnonzero(np.diff(ranker.data.matrix.indptr) >= 2)[:5].tolist():
        person = ranker.data.users.ids[user]
        asker = live.asker(person)
        pool = live.pool({person: asker})
        for job in [one.job for one in live.jobs(asker, Filter(), 2, now=ranker.now).suggestions]:
            ((_, score),) = live.people(job, pool, 1, now=ranker.now)
            (reasons,) = live.reasons(asker, [job], by_profile=True)
            assert reasons.score == pytest.approx(score + float(pool.usual[0]), abs=1e-3)
            assert set(reasons.shares) == {"text", "past", "place", "popularity", "time"}
            differing += live.reasons(asker, [job])[0].score != pytest.approx(reasons.score, abs=1e-3)
    assert differing > 5


def test_a_place_that_somebody_of_the_bundle_no_longer_names_is_forgotten(ranker):
    """And so the ranker names places as reasons."""
    users, kinds = np.flatnonzero(np.diff(ranker.data.matrix.indptr) > 1)[:12], set()
    for user in users:
        asker = ranker.live.asker(ranker.data.users.ids[user])
        nowhere = replace(asker, city=None, state=None, country=None, zip=None)
        known, forgotten = (
            ranker.live._ranked._query([ranker.live._candid(ranker.live._case(one))]).features
            for one in (asker, nowhere)
        )
        expected = ranker.data.user_features.matrix[[user]]
        np.testing.assert_array_equal(known.toarray(), expected.toarray())
        expected = expected.toarray()
        expected[:, ranker.live._ranked._of_place] = 0
        np.testing.assert_array_equal(forgotten.toarray(), expected)
        jobs = [one.job for one in ranker.live.jobs(asker, Filter(), 40, now=ranker.now).suggestions]
        kinds |= {ground.kind for one in ranker.live.reasons(asker, jobs) for ground in one.grounds}
    assert "place" in kinds


@pytest.fixture(scope="module")
def learned(town, tmp_path_factory):
    """A ranker with a source that learns a vector for each person, and one that compares people."""
    assembled, folder = assemble(town, "newest"), tmp_path_factory.mktemp("models") / "fm"
    sources, few = ["profile", "fm", "user-knn"], {"fm": {"epochs": 2}, "profile": {"topics": 32}}
    model = create("ranker", {"sources": sources, "cuts": 1, "rounds": 10, "source_settings": few})
    model.fit(assembled.dataset, rng=np.random.default_rng(0))
    save(folder, model, town, assembled, {"dataset": "town"})
    return SimpleNamespace(live=LiveModel.load(folder), data=assembled.dataset)


def test_what_is_left_out_is_not_remembered_by_a_vector_that_learned_from_it(learned, monkeypatch):
    user = int(np.flatnonzero(np.diff(learned.data.matrix.indptr) > 2)[0])
    case = learned.live._case(learned.live.asker(learned.data.users.ids[user]))
    less = replace(case, past=case.past[1:], times=case.times[1:])
    ranked, rows = learned.live._ranked, np.arange(len(learned.data.items), dtype=np.int32)
    fm, knn = (ranked._loaded.model.sources_[name] for name in ("fm", "user-knn"))
    asked = {"fm": [], "user-knn": []}
    for name, model, call in (("fm", fm, "query_vectors"), ("user-knn", knn, "score_sparse")):
        before = getattr(model, call)

        def watched(query, name=name, before=before):
            asked[name].append(query.users.tolist())
            return before(query)

        monkeypatch.setattr(model, call, watched, raising=False)

    def scores():
        return learned.live._measure(case, ranked)([case, less], rows)

    first = scores()
    assert {tuple(users) for users in asked["fm"]} == {(user, -1)}
    assert {tuple(users) for users in asked["user-knn"]} == {(user, user)}, "else they were their own neighbour"
    monkeypatch.setattr(fm, "person_vectors_", -9 * fm.person_vectors_)
    second = scores()
    assert not np.array_equal(second[0], first[0], equal_nan=True)
    np.testing.assert_array_equal(second[1], first[1])
    queries = ranked._query([learned.live._candid(one) for one in (case, less)])
    np.testing.assert_array_equal(*(queries.features.toarray()[row] for row in (0, 1)))


def read(span, asker, posting, live):
    """The characters of a span."""
    of = {"asker": asker, "posting": posting, "past": live.posting(span.job) if span.job else None}[span.of]
    return getattr(of, span.field)[span.start : span.end]


def test_every_reason_has_words_to_show(profile):
    for asker in some_askers(profile, 15):
        wishful = replace(asker, wishes=Wishes(wanted=("team", "experience")))
        best = [one.job for one in profile.live.jobs(wishful, Filter(), 3, now=profile.now).suggestions]
        for job, reasons in zip(best, profile.live.reasons(wishful, best), strict=True):
            posting = profile.live.posting(job)
            assert reasons.job == job
            for ground in reasons.grounds:
                assert ground.weight > 0
                assert ground.spans
                assert all(read(span, wishful, posting, profile.live).strip() for span in ground.spans)
            for skill in reasons.matched:
                assert read(skill.posting, wishful, posting, profile.live)
                assert read(skill.asker, wishful, posting, profile.live)
            assert all(skill.asker is None for skill in reasons.missing)
            assert sum(reasons.shares.values()) == pytest.approx(1)
            assert set(reasons.shares) == {"text", "past", "place", "popularity", "time"}


@pytest.mark.parametrize("name", ["profile", "ranker"])
def test_what_hardly_weighs_is_not_named(trained, name):
    model, weights = trained[name], []
    sample = np.sort(np.random.default_rng(0).choice(len(model.data.items), SAMPLE, replace=False)).astype(np.int32)
    for asker in islice(some_askers(model, 40), 3, 40, 9):
        if name == "ranker" and not asker.applied:
            continue
        jobs = [one.job for one in model.live.jobs(asker, Filter(), 300, now=model.now).suggestions][::60]
        case = model.live._case(asker)
        if name == "ranker":
            scores = model.live._ranked.scores([model.live._candid(case)], sample)
        else:
            scores = model.live._matcher.score(model.live._question(case), model.live._matcher.encoded(sample))
        for reasons in model.live.reasons(asker, jobs):
            weights += [ground.weight / np.nanstd(scores) for ground in reasons.grounds]
    assert len(weights) > 10
    assert LEAST * 0.999 < min(weights) < 2 * LEAST


@pytest.mark.parametrize("name", ["profile", "ranker"])
def test_reasons_of_many_jobs_are_those_of_each_alone(trained, name, monkeypatch):
    live, now = trained[name].live, trained[name].now
    applied = live.posting(trained[name].data.items.ids[11]).id
    asker = Asker(text="Registered nurse\nTriage and wound care.", city="Dayton", state="OH", applied=((applied, now),))
    jobs = [one.job for one in live.jobs(asker, Filter(), 12, now=now).suggestions]
    together, alone = live.reasons(asker, jobs), [live.reasons(asker, [job])[0] for job in jobs]
    for one, other in zip(together, alone, strict=True):
        assert one.job == other.job
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert one.shares == pytest.approx(other.shares, abs=1e-4)
        assert (one.particular, one.matched, one.missing) == (other.particular, other.matched, other.missing)
        weights = [{(ground.kind, ground.name): ground.weight for ground in each.grounds} for each in (one, other)]
        assert weights[0] == pytest.approx(weights[1], abs=1e-3)
    asked = []
    measure = live._measure
    monkeypatch.setattr(
        type(live),
        "_measure",
        lambda self, *of: lambda cases, rows: asked.append(len(cases)) or measure(*of)(cases, rows),
    )
    live.reasons(asker, jobs)
    assert sum(asked) < 40, "a variant is measured once for all jobs"


def test_where_nothing_speaks_for_a_job_that_is_said(profile):
    nurse = Asker(text="Registered nurse\nI look after patients on a ward and know triage and wound care.")
    jobs = [one.job for one in profile.live.jobs(nurse, Filter(), 700, now=profile.now).suggestions]
    found = profile.live.reasons(nurse, jobs)
    first = {one.job: one.particular for one in found[:20]}
    nurses = [job for job in first if {"RN", "LPN", "LVN", "Nurse"} & set(profile.live.posting(job).title.split())]
    assert len(nurses) > 8
    assert all(first[job] for job in nurses)
    assert not all(first.values()), "some stand there for their popularity"
    assert sum(one.particular for one in found[-50:]) < 10
    silent, placed = Asker(), Asker(city="Dayton", state="OH", country="US")
    for asker in (silent, placed):
        for one in profile.live.reasons(asker, jobs[:20]):
            assert not one.particular
            assert {ground.kind for ground in one.grounds} <= {"place"}
    wishful = replace(silent, wishes=Wishes(wanted=("team",)))
    held = [one for one in profile.live.reasons(wishful, jobs[:100]) if one.grounds]
    assert held
    assert all(one.particular for one in held)


def test_skills_stand_where_the_spans_say(profile):
    near = profile.live.posting(profile.data.items.ids[5])
    place = {"city": near.city, "state": near.state, "country": near.country}
    job = Posting("s", "Java developer", "You know JAVA, SQL and Linux.", **place)
    live = profile.live.with_jobs([job])
    asker = Asker(text="Developer\nI write Java and C#.", **place)
    (reasons,) = live.reasons(asker, ["s"])
    words = {
        one.name.lower(): (read(one.posting, asker, job, live), read(one.asker, asker, job, live))
        for one in reasons.matched
    }
    assert words["java"] == ("JAVA", "Java")
    missing = {read(one.posting, asker, job, live) for one in reasons.missing}
    assert {"SQL", "Linux"} <= missing
    assert "place" in {ground.kind for ground in reasons.grounds}


def test_skills_that_help_are_one_reason_and_measured_together(profile):
    """In a long text each of them weighs next to nothing, and all of them much."""
    job = Posting("s", "Java developer", "You know Java, SQL, Linux and Git. You know Java and SQL well.")
    live = profile.live.with_jobs([job])
    said = "I keep records of patients and drive a truck to the warehouse at night. " * 12
    asker = Asker(text=f"{said}\nI know Java, SQL, Linux and Git.\nJava and SQL again.")
    (reasons,) = live.reasons(asker, ["s"])
    [ground] = [one for one in reasons.grounds if one.kind == "skill"]
    assert {"Java", "SQL"} <= set(ground.name.split(", "))
    own = [asker.text[one.start : one.end] for one in ground.spans if one.of == "asker"]
    assert own.count("Java") == own.count("SQL") == 2
    less = without(asker, ground)
    assert "Java" not in less.text
    assert ground.weight == pytest.approx(reasons.score - live.reasons(less, ["s"])[0].score, abs=1e-4)
    singly = [replace(asker, text=asker.text.replace(name, "")) for name in ground.name.split(", ")]
    assert all(live.reasons(one, ["s"])[0].score < reasons.score for one in singly)


def test_nobody_who_names_no_place_has_a_place_as_a_reason(trained):
    for model in trained.values():
        for asker in some_askers(model, 25):
            nowhere = replace(asker, city=None, state=None, country=None, zip=None)
            jobs = [one.job for one in model.live.jobs(nowhere, Filter(), 5, now=model.now).suggestions]
            for one in model.live.reasons(nowhere, jobs):
                assert "place" not in {ground.kind for ground in one.grounds}


def test_a_quoted_line_is_whole_whatever_the_page_broke(profile):
    asker = Asker(
        text="Registered nurse\n- Look after patients on a ward, keep their records &\nteach wound care to new nurses."
    )
    jobs = [one.job for one in profile.live.jobs(asker, Filter(), 20, now=profile.now).suggestions]
    lines = {one.name for each in profile.live.reasons(asker, jobs) for one in each.grounds if one.kind == "line"}
    assert lines == {
        "Registered nurse",
        "Look after patients on a ward, keep their records & teach wound care to new nurses.",
    }


def test_a_rise_is_what_the_skill_would_add(profile):
    job = Posting("s", "Data engineer", "You know SQL, ETL and Linux.")
    live = profile.live.with_jobs([job])
    asker = Asker(text="Engineer for data pipelines")
    rises = live.raises(asker, "s")
    assert rises
    assert [one.rise for one in rises] == sorted((one.rise for one in rises), reverse=True)
    now = live.reasons(asker, ["s"])[0].score
    for one in rises:
        then = live.reasons(replace(asker, text=f"{asker.text}\n{one.name}"), ["s"])[0].score
        assert one.rise == pytest.approx(then - now, abs=1e-4)
        assert one.rise > 0
    assert {one.id for one in rises} <= {one.id for one in live.reasons(asker, ["s"])[0].missing}

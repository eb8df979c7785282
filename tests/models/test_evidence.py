"""The features of pairs: a tiny world by hand, and what must not matter."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from metier.data import CSR, Query, Tables
from metier.features.assemble import assemble
from metier.models.evidence import GROUPS, Evidence
from metier.models.lessons import moments, newest
from metier.testing.worlds import small_town

START = datetime(2012, 4, 1)
JOBS = {
    "10": ("Nurse", "care for the ill", "Dallas", "TX"),
    "30": ("Senior Nurse", "care for the very ill", "Houston", "TX"),
    "20": ("Welder", "join metal", "Chicago", "IL"),
    "50": ("Welder", "join metal", "Chicago", "IL"),
    "40": (None, None, None, None),
}
"""Number -> title, text, city, state; 40 says nothing and, like 50, has no application."""
PEOPLE = {
    "ann": ("Head Nurse", "Dallas", "TX", "BA"),
    "bob": ("", "Houston", "TX", "BA"),
    "cy": ("Welder",) + (None,) * 3,
}
APPLICATIONS = [
    ("ann", "10", 0),
    ("ann", "30", 6),
    ("bob", "10", 1),
    ("bob", "30", 2),
    ("bob", "20", 50),
    ("cy", "20", 24),
]
"""Person, job, hours after START."""
ASKED = {"ann": 7.0, "cy": 30.0}


def hours(n):
    return START + timedelta(hours=n)


@pytest.fixture(scope="module")
def found():
    """`found(feature, person, job)`."""
    people = pl.DataFrame([(k, *v) for k, v in PEOPLE.items()], ["id", "text", "city", "state", "degree"], orient="row")
    jobs = pl.DataFrame([(k, *v) for k, v in JOBS.items()], ["id", "title", "text", "city", "state"], orient="row")
    pairs = [(person, job, hours(n)) for person, job, n in APPLICATIONS]
    data = assemble(
        Tables.build(
            people=people,
            jobs=jobs.with_columns(start=pl.lit(hours(-24)), end=pl.lit(hours(55))),
            interactions=pl.DataFrame(pairs, ["person", "job", "time"], orient="row"),
        )
    ).dataset
    asked = list(ASKED)
    row = np.repeat(np.arange(2, dtype=np.int32), 5)
    now = data.interactions.times.min() + 3600 * np.array(list(ASKED.values()))
    features = (
        Evidence()
        .fit(data)
        .features(data.query(data.users.numbers(asked)), now, row, np.tile(np.arange(5, dtype=np.int32), 2))
    )

    def one(feature, person, job):
        return features[feature][5 * asked.index(person) + data.items.number(job)]

    return one


NAN = float("nan")
AGE = np.exp(-0.3)  # of the application before the last
BOTH = (np.exp(-1) / np.log(4) + np.exp(-1 / 6) / np.log(5)) / np.sqrt(2)  # 10 and 30: ann 6 h apart, bob 1 h
FAR = np.exp(-49 / 6) / np.log(5) / np.sqrt(2)  # 10 and 20: bob, 49 h apart
NEAR = np.exp(-48 / 6) / np.log(5) / np.sqrt(2)  # 30 and 20: bob, 48 h apart
MASS = np.sqrt(1 + AGE)


@pytest.mark.parametrize(
    ("feature", "person", "job", "value"),
    [
        ("session: with the past", "ann", "20", (NEAR + AGE * FAR) / MASS),
        ("session: with the past", "ann", "10", BOTH / MASS),
        ("session: with the last", "cy", "10", FAR),
        ("session: with the last", "cy", "50", NAN),
        ("session: right after the last", "ann", "20", 1),
        ("session: right after the last", "cy", "30", NAN),
        ("session: right before the last", "cy", "30", 1),
        ("session: right before the last", "ann", "10", 2),
        ("session: next to the past", "ann", "20", 1 / MASS),
        ("place: state of the past", "ann", "10", MASS),
        ("place: state of the last", "ann", "10", 1),
        ("place: city of the last", "ann", "10", 0),
        ("place: state of the profile", "ann", "30", 1),
        ("place: state of the profile", "ann", "20", 0),
        ("place: city of the profile", "ann", "10", 1),
        ("place: km to the profile", "ann", "10", 0),
        ("place: km to the profile", "cy", "10", NAN),
        ("place: km to the last", "cy", "50", 0),
        ("place: km to the last", "cy", "40", NAN),
        ("attributes: applicants with the same degree", "ann", "30", 2),
        ("attributes: applicants with the same degree", "ann", "20", 1),
        ("attributes: applicants with the same degree", "cy", "20", 0),
        ("attributes: lift of degree", "ann", "20", np.log(1.5 / (2 * 5 / 6 + 0.5))),
        ("attributes: lift of degree", "ann", "50", 0),
        ("popularity: applications", "ann", "20", 2),
        ("popularity: applications", "ann", "50", 0),
        ("popularity: within 1 h", "ann", "30", 1),
        ("popularity: within 6 h", "ann", "30", 2),
        ("popularity: within 24 h", "cy", "20", 2),
        ("time: days to the nearest application", "cy", "20", 6 / 24),
        ("time: days since the latest application", "ann", "20", NAN),
        ("time: days since the latest application", "cy", "20", 6 / 24),
        ("time: days since the first application", "ann", "30", 5 / 24),
        ("time: days since the first application", "ann", "50", NAN),
        ("time: days since it opened", "ann", "50", 31 / 24),
        ("time: days until it closes", "ann", "50", 2),
        ("text: words of the past", "cy", "50", 1),
        ("text: words of the past", "cy", "10", 0),
        ("text: words of the past", "cy", "40", NAN),
        ("text: title of the past", "cy", "50", 1),
        ("text: title of the last", "cy", "50", 1),
        ("text: title of the last", "cy", "30", 0),
        ("text: meaning of the past", "cy", "50", 1),
        ("text: title in the words of the person", "cy", "20", 1),
        ("text: words of the person", "cy", "10", 0),
        ("text: meaning of the person", "cy", "40", NAN),
        ("level: of the posting", "ann", "30", 2),
        ("level: of the posting", "ann", "40", NAN),
        ("level: above the person", "ann", "30", -1),
        ("level: above the person", "ann", "10", -2),
        ("activity: past applications", "ann", "20", 2),
        ("activity: past applications", "cy", "20", 1),
        ("activity: days to the newest application", "ann", "20", 43 / 24),
        ("number: to the nearest of the past", "ann", "40", 1),
        ("number: to the nearest of the past", "cy", "50", 3),
        ("number: to the last", "ann", "10", 2),
        ("number: days since postings numbered near opened", "ann", "40", 5 / 24),
    ],
)  # fmt: skip
def test_by_hand(found, feature, person, job, value):
    assert found(feature, person, job) == pytest.approx(value, nan_ok=True, rel=1e-3, abs=1e-6)


def test_kilometres_between_cities(found):
    assert found("place: km to the last", "ann", "20") == pytest.approx(1510, abs=15)  # Houston to Chicago
    assert found("place: km to the profile", "ann", "30") == pytest.approx(362, abs=10)  # Dallas to Houston


def everything(tables):
    """{feature: values by (person, job) in the order of their names} over all pairs of a town."""
    data = assemble(tables).dataset
    people, jobs = (side.numbers(sorted(side.ids)) for side in (data.users, data.items))
    query = data.query(people)
    row = np.repeat(np.arange(len(people), dtype=np.int32), len(jobs))
    now = moments(query, data.asked, newest(data))
    evidence = Evidence().fit(data)
    near = evidence.near_numbers(query, 2)[:, jobs].toarray() > 0
    return evidence.features(query, now, row, np.tile(jobs, len(people))) | {"near": near.ravel()}


TIMES = {
    "seconds": pl.col("time"),
    "days": pl.col("time").dt.truncate("1d"),
    "unknown": pl.lit(None, pl.Datetime("us")),
}


def numbered(seed=None, times="seconds"):
    """The small town with numbers for job ids, its rows in any order."""
    town = small_town(people=40, jobs=30)
    ids = {f"j{i}": str((i * 37) % 101 + 5) for i in range(30)}

    def shuffled(frame):
        return frame if seed is None else frame.sample(fraction=1, shuffle=True, seed=seed)

    return town.replace(
        people=shuffled(town.people),
        jobs=shuffled(town.jobs.with_columns(pl.col("id").replace(ids))),
        interactions=shuffled(town.interactions.with_columns(pl.col("job").replace(ids), time=TIMES[times])),
    )


@pytest.mark.parametrize("times", TIMES)
def test_the_order_of_rows_does_not_matter(times):
    """Files are written in orders that tell of the future; no feature may, also where many moments are one."""
    expected = everything(numbered(times=times))
    for seed in (1, 2):
        permuted = everything(numbered(seed, times))
        assert list(permuted) == list(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(permuted[name], values, rtol=1e-3, atol=1e-5, err_msg=name)


def test_names_are_the_same_for_everybody_and_begin_with_their_group():
    data = assemble(numbered()).dataset
    evidence = Evidence().fit(data)
    known, first = data.query(np.arange(4, dtype=np.int32)), np.zeros(1, np.int32)
    stranger = Query(np.full(1, -1, np.int32), CSR((1, 30), dtype=np.float32), known.features[:1], ["a nurse"])
    names = list(evidence.features(known, np.zeros(4), first, first))
    found = evidence.features(stranger, np.full(1, np.nan), first, first)
    assert list(found) == names
    assert {name.split(": ")[0] for name in names} == set(GROUPS) - {"profile", "co-application", "factors"}
    assert all(values.dtype == np.float32 and values.shape == (1,) for values in found.values())
    assert not any(np.isinf(values).any() for values in found.values())


def test_ids_that_are_no_numbers_have_no_number_features():
    data = assemble(small_town(people=10, jobs=8)).dataset
    evidence, query = Evidence().fit(data), data.query(np.arange(10, dtype=np.int32))
    assert evidence.near_numbers(query, 5).nnz == 0
    found = evidence.features(query, np.zeros(10), np.zeros(1, np.int32), np.zeros(1, np.int32))
    numbers = [values for name, values in found.items() if name.startswith("number")]
    assert np.isnan(np.concatenate(numbers)).all()


def test_near_numbers_are_those_around_recent_applications():
    data = assemble(numbered()).dataset
    evidence, query = Evidence().fit(data), data.query(np.arange(40, dtype=np.int32))
    near = evidence.near_numbers(query, 1)
    order = sorted(range(30), key=lambda item: int(data.items.ids[item]))
    for person in range(40):
        past = query.history[[person]].indices.tolist()
        places = {order.index(item) + step for item in past for step in (-1, 0, 1)}
        assert set(near[[person]].indices.tolist()) == {order[place] for place in places if 0 <= place < 30}


def test_who_says_nothing_is_described_alike_in_every_company():
    """Features do not depend on the batch: without words those about words are there, and unknown."""
    data = assemble(small_town()).dataset
    data = replace(data, user_texts=["", "I am a welder"] + [""] * (len(data.users) - 2))
    evidence = Evidence().fit(data)
    row, item = np.zeros(3, np.int32), np.arange(3, dtype=np.int32)
    alone, together = (
        evidence.features(data.query(np.arange(people, dtype=np.int32)), np.zeros(people), row, item)
        for people in (1, 2)
    )
    assert list(alone) == list(together)
    for name, values in alone.items():
        np.testing.assert_array_equal(values, together[name], name)
    assert np.isnan(alone["text: words of the person"]).all()

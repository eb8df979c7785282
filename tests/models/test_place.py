"""Place: city before state before country before the rest, popularity inside each."""

import numpy as np
import polars as pl
import pytest

from metier.data import CSR, Query, Tables
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.place import Place

JOBS = {
    "near, quiet": ("Dayton", "OH", "US"),
    "near, busy": ("Dayton", "OH", "US"),
    "state": ("Akron", "OH", "US"),
    "namesake": ("Dayton", "TX", "US"),
    "country": ("Austin", "TX", "US"),
    "abroad, busiest": ("Lyon", "ARA", "FR"),
    "nowhere": (None, None, None),
}
PEOPLE = {
    "ann": ("Dayton", "OH", "US"),
    "bob": (None, "OH", "US"),
    "cid": (None, None, "US"),
    "dan": (None, None, None),
    "eve": ("Dayton", "OH", "US"),
    "fay": ("Dayton", "OH", "US"),
}
APPLICATIONS = [
    ("dan", "near, busy"),
    ("dan", "abroad, busiest"),
    ("eve", "abroad, busiest"),
    ("fay", "abroad, busiest"),
    ("eve", "country"),
]


@pytest.fixture
def data():
    columns = ["id", "city", "state", "country"]
    sides = [
        pl.DataFrame([(key, *place) for key, place in side.items()], schema=columns, orient="row")
        for side in (PEOPLE, JOBS)
    ]
    pairs = pl.DataFrame(APPLICATIONS, schema=["person", "job"], orient="row")
    return assemble(Tables.build(*sides, pairs)).dataset


def tiers(data, model, person):
    """{job: whole part of the score}."""
    scores = model.score(data.query(np.array([data.users.number(person)], np.int32)))[0]
    return dict(zip(data.items.ids, np.floor(scores).astype(int).tolist(), strict=True))


@pytest.mark.parametrize(
    ("person", "expected"),
    [("ann", [3, 3, 2, 1, 1, 0, 0]), ("bob", [2, 2, 2, 1, 1, 0, 0]), ("cid", [1, 1, 1, 1, 1, 0, 0]), ("dan", [0] * 7)],
)
def test_nearness_comes_first(data, rng, person, expected):
    assert tiers(data, Place().fit(data, rng=rng), person) == dict(zip(JOBS, expected, strict=True))


def test_popularity_orders_inside_a_place(data, rng):
    model = Place().fit(data, rng=rng)
    best = recommend(model, data.query(data.users.numbers(["ann", "dan"])), 6)
    ranked = [[data.items.ids[item] for item in row] for row in best.items]
    assert ranked[0][:3] == ["near, busy", "near, quiet", "state"]
    assert ranked[0][3:6] == ["country", "namesake", "abroad, busiest"]
    assert ranked[1][0] == "abroad, busiest"


def test_a_new_person_is_placed_by_features_alone(data, rng):
    model = Place().fit(data, rng=rng)
    ann = data.query(data.users.numbers(["ann"]))
    new = Query(np.array([-1], np.int32), CSR((1, len(data.items)), dtype=np.float32), ann.features)
    np.testing.assert_array_equal(model.score(new), model.score(ann))

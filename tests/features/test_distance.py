"""Places: known cities, their order of precision, and the length of the way between them."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from metier.data import CSR
from metier.data.posting import Posting
from metier.features.distance import FINEST, columns, gazetteer, km, position, positions, within
from metier.features.encoder import Encoder


def at(state, city=None):
    return position(SimpleNamespace(city=city, state=state, zip=None))


def where(*names):
    """(1, 3) position of somebody with these feature columns."""
    return positions(CSR(np.ones((1, len(names)), np.float32)), columns(names))


@pytest.mark.parametrize(
    ("one", "other", "way"),
    [
        ("New York|NY", "Philadelphia|PA", 130),
        ("Chicago|IL", "Houston|TX", 1515),
        ("Boston|MA", "Boston|MA", 0),
    ],
)
def test_ways_of_the_atlas(one, other, way):
    """Great circles within a few km: cities have a size."""
    assert km(where(f"city={one}|US"), where(f"city={other}|US"))[0] == pytest.approx(way, abs=5)


def test_way_by_spherical_trigonometry():
    """Random points against the law of cosines."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 2, 3))
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    expected = 6371 * np.arccos((points[:, 0] * points[:, 1]).sum(axis=1))
    found = km(points[:, 0].astype(np.float32), points[:, 1].astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_the_finest_known_field_decides():
    city, state, zip3 = "city=Buffalo|NY|US", "state=NY|US", "zip3=112|US"  # 112 is Brooklyn
    assert km(where(city, zip3, state), where(city))[0] < 1
    assert km(where(zip3, state), where("city=Brooklyn|NY|US"))[0] < 1
    assert km(where(state), where(city))[0] > 50, "a state alone is the middle of its cities"
    assert km(where("city=Nosuchtown|NY|US", state), where(state))[0] == pytest.approx(0, abs=1e-3)


def test_what_is_unknown_stays_unknown():
    for names in [("city=Lyon|ARA|FR",), ("degree=None",), ("state=",)]:
        assert not columns(names).any()
        assert np.isnan(km(where(*names), where("city=Boston|MA|US")))[0]
    assert columns([]).shape == (0, 3)
    nobody = positions(CSR((2, 1), dtype=np.float32), columns(["city=Boston|MA|US"]))
    np.testing.assert_array_equal(nobody, np.zeros((2, 3)))


def test_of_several_places_the_middle():
    """The weights of a history scale nothing: only the direction of the sum counts."""
    names = ["city=New York|NY|US", "city=Philadelphia|PA|US"]
    both = positions(CSR(np.array([[0.2, 0.2]], np.float32)), columns(names))
    ways = [km(both, where(name))[0] for name in names]
    assert ways[0] == pytest.approx(ways[1], abs=0.5)
    assert sum(ways) == pytest.approx(km(where(names[0]), where(names[1]))[0], abs=0.5)
    assert np.linalg.norm(both) == pytest.approx(1, abs=1e-6)


def test_names_of_the_encoder_are_understood():
    """The spelling of place columns is the encoder's; a change there must not make everybody homeless."""
    frame = pl.DataFrame({"city": ["Dallas"], "state": ["TX"], "country": ["US"]})
    encoded = Encoder.fit(frame).encode(frame)
    assert km(positions(encoded.matrix, columns(encoded.names)), where("city=Dallas|TX|US"))[0] < 1


def test_the_gazetteer_covers_the_states():
    assert all(np.linalg.norm(point) == pytest.approx(1) for point in gazetteer().values())
    assert len([key for key in gazetteer() if key.startswith("|")]) >= 45
    assert FINEST["city"] > FINEST["zip3"] > FINEST["state"]


def test_within_agrees_with_km_and_position_with_columns():
    keys = list(gazetteer())
    points = np.array([*(gazetteer()[key] for key in keys[::7]), np.zeros(3)], np.float32)
    for here in (points[5], points[-1]):
        for reach in (50.0, 800.0, 6_671.0, 20_038.0):
            with np.errstate(invalid="ignore"):
                expected = km(here[None], points) <= reach
            np.testing.assert_array_equal(within(here, points, reach), expected)
    for city, state, zip3 in [("Dayton", "OH", None), (None, "OH", "454"), ("Nowhere", "OH", None), (None, None, None)]:
        said = {"city": f"{city}|{state}|US" if city else "", "zip3": f"{zip3}|US" if zip3 else ""}
        said["state"] = f"{state}|US" if state else ""
        names = [f"{field}={value}" for field, value in said.items() if value]
        np.testing.assert_allclose(
            position(Posting("", city=city, state=state, zip=zip3)),
            where(*names)[0] if names else np.zeros(3),
            atol=1e-6,
        )


def test_a_state_may_be_written_out():
    dallas = at("TX", "Dallas")
    assert dallas.any()
    for state in ("Texas", " texas ", "tx"):
        assert np.array_equal(at(state, "Dallas"), dallas)
        assert np.array_equal(at(state), at("TX"))
    assert not at("Texass", "Dallas").any()

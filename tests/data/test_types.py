"""Vocabulary, interactions, features, datasets: shapes hold, mistakes are named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.data import CSR, Dataset, Features, Interactions, Vocabulary
from metier.errors import UnknownIdError


@given(st.lists(st.text(), unique=True))
def test_vocabulary_round_trip(ids: list[str]) -> None:
    vocabulary = Vocabulary("job", ids)
    assert [vocabulary.ids[row] for row in vocabulary.numbers(ids)] == ids


def test_vocabulary_names_what_is_wrong() -> None:
    with pytest.raises(UnknownIdError, match=r"^unknown person id 'z'; it is none of the 1,001 known ones$"):
        Vocabulary("person", [f"p{i}" for i in range(1001)]).numbers(["p1", "z"])
    with pytest.raises(UnknownIdError, match="'a' appears twice"):
        Vocabulary("job", ["a", "b", "a"])


def test_interactions_matrix_and_times_share_their_entries() -> None:
    pairs = Interactions(
        np.array([1, 0, 1], np.int32),
        np.array([2, 1, 0], np.int32),
        np.ones(3, np.float32),
        np.array([5.0, np.nan, 7.0]),
    )
    matrix, times = pairs.matrix((2, 3)), pairs.matrix((2, 3), pairs.times)
    np.testing.assert_array_equal(matrix.toarray(), [[0, 1, 0], [1, 0, 1]])
    np.testing.assert_array_equal(matrix.indices, times.indices)
    np.testing.assert_array_equal(times.data, [np.nan, 7.0, 5.0])
    assert matrix.dtype == np.float32
    assert times.dtype == np.float64
    with pytest.raises(ValueError, match="one length"):
        Interactions(pairs.users, pairs.items[:2], pairs.weights, pairs.times)


def features() -> Features:
    matrix = CSR(np.array([[1, 0, 2], [0, 3, 0]], np.float32))
    return Features(matrix, ("a=1", "b=1", "a=2"), np.array([0, 1, 0], np.int16), ("a", "b"))


def test_fields_are_selected_with_their_columns() -> None:
    chosen = features().field("a")
    assert chosen.names == ("a=1", "a=2")
    np.testing.assert_array_equal(chosen.matrix.toarray(), [[1, 2], [0, 0]])
    assert features().field("absent").matrix.shape == (2, 0)
    assert features().select(["b", "a"]).field_names == ("a", "b")


def test_an_unknown_row_is_empty() -> None:
    taken = features().take(np.array([1, -1, 0], np.int32))
    np.testing.assert_array_equal(taken.toarray(), [[0, 3, 0], [0, 0, 0], [1, 0, 2]])
    assert Features.empty(0).take(np.array([-1], np.int32)).shape == (1, 0)
    with pytest.raises(ValueError, match="columns"):
        Features(features().matrix, ("a",), np.zeros(1, np.int16), ("a",))


def test_dataset_sides_must_agree() -> None:
    people, jobs = Vocabulary("person", ["p"]), Vocabulary("job", ["i", "j"])
    nothing = Interactions(*(np.empty(0, kind) for kind in (np.int32, np.int32, np.float32, np.float64)))
    with pytest.raises(ValueError, match="items"):
        Dataset(people, jobs, nothing, Features.empty(1), Features.empty(2), [""], [""])
    data = Dataset(people, jobs, nothing, Features.empty(1), Features.empty(2), [""], ["", ""])
    assert data.shape == (1, 2)
    assert len(data.query(np.zeros(1, np.int32))) == 1


def test_moments_have_the_sizes_of_their_sides() -> None:
    people, jobs = Vocabulary("person", ["p"]), Vocabulary("job", ["i", "j"])
    nothing = Interactions(*(np.empty(0, kind) for kind in (np.int32, np.int32, np.float32, np.float64)))
    sides = people, jobs, nothing, Features.empty(1), Features.empty(2), [""], ["", ""]
    data = Dataset(*sides, asked=np.array([5.0]), spans=np.full((2, 2), np.nan))
    assert data.asked is not None
    assert data.asked[0] == 5
    with pytest.raises(ValueError, match=r"asked has shape \(2,\), not \(1,\)"):
        Dataset(*sides, asked=np.zeros(2))
    with pytest.raises(ValueError, match=r"spans has shape \(1, 2\), not \(2, 2\)"):
        Dataset(*sides, spans=np.zeros((1, 2)))

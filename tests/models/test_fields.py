"""Features are numbered block by block, fields in the order in which somebody fills them."""

import numpy as np
import pytest

from metier.data import CSR
from metier.models.fields import Block, indicators, nobody, number, scaled, values


def blocks() -> list[Block]:
    """Two people, three jobs: an attribute of people (fields 0 and 1), a word of both, an attribute of jobs."""

    def csr(rows: list) -> CSR:
        return CSR(np.array(rows, np.float32))

    return [
        Block(csr([[1, 0, 1], [0, 1, 1]]), nobody(3, 3), nobody(3, 3), np.array([0, 0, 1]), 0.1),
        Block(csr([[0.5], [0]]), csr([[2], [0], [2]]), csr([[2], [0], [2]]), np.array([0]), 0.3),
        Block(nobody(2, 2), csr([[0, 1], [1, 0], [0, 1]]), nobody(3, 2), np.array([0, 0]), 0.2),
    ]


@pytest.mark.parametrize("history", [False, True])
def test_every_feature_has_its_field(history: bool) -> None:
    known = number(blocks(), history=history)
    assert known.fields.person.tolist() == [0, 0, 1, 2, -1, -1]
    assert known.fields.job.tolist() == [-1, -1, -1, 0, 1, 1]
    assert (known.fields.past == (3 if history else -1)).all()
    assert (known.fields.persons, known.fields.jobs) == (3 + history, 2)
    np.testing.assert_allclose(known.scale, [0.1, 0.1, 0.1, 0.3, 0.2, 0.2])
    assert known.people.toarray().tolist() == [[1, 0, 1, 0.5, 0, 0], [0, 1, 1, 0, 0, 0]]
    assert known.pasts.toarray()[:, 3].tolist() == [2, 0, 2]


def test_a_side_that_nobody_fills_has_one_empty_field() -> None:
    empty = nobody(2, 3)
    known = number([Block(empty, empty, empty, np.array([0, 0, 1]), 0.1)], history=False)
    assert (known.fields.persons, known.fields.jobs) == (1, 1)


def test_jobs_share_the_vector_of_a_value() -> None:
    known = number(blocks(), history=False)
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2)
    found, places = values(known.jobs, vectors, known.fields)
    assert len(found) == 4  # the word or none, and two attributes
    for field, columns in enumerate(([3], [4, 5])):
        np.testing.assert_allclose(found[places[:, field]], known.jobs[:, columns] @ vectors[columns])


def test_indicators_leave_unknown_rows_empty() -> None:
    assert indicators(np.array([2, -1], np.int32), 3).toarray().tolist() == [[0, 0, 1], [0, 0, 0]]


def test_rows_are_scaled_to_a_length() -> None:
    matrix = CSR(np.array([[3, 4], [0, 0]], np.float32))
    assert scaled(matrix, None) is matrix
    np.testing.assert_allclose(scaled(matrix, 0.5).toarray(), [[0.3, 0.4], [0, 0]], rtol=1e-6)

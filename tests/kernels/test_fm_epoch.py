"""The compiled epoch does what its readable twin does on any number of lanes; its gradients are those of its loss."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from metier.data import CSR
from metier.kernels.fm import fm_epoch, fm_epoch_reference
from metier.kernels.fm_data import PARTS, Histories, Settings, average, dealt, initial, visits
from metier.kernels.ranking_loss import LOSSES

PEOPLE, JOBS, COLUMNS = 9, 14, 30
COUNTS = np.array([0, 1, 2, 5, 3, 1, 4, 2, 6])


def histories(rng: np.random.Generator) -> Histories:
    start = np.concatenate([[0], np.cumsum(COUNTS)]).astype(np.int64)
    item = np.concatenate([rng.choice(JOBS, n, replace=False) for n in COUNTS]).astype(np.int32)
    return Histories(start, item, np.concatenate([np.arange(n) for n in COUNTS]).astype(np.int32))


def world(loss: str, pairs: int = 1, lanes: int = 1, size: int = 6):
    rng = np.random.default_rng(0)
    rows = [
        dealt(CSR(sparse.random_array((n, COLUMNS), density=0.15, rng=rng, dtype=np.float32)))
        for n in (PEOPLE, JOBS, JOBS)
    ]
    seen = visits(histories(rng), rng.permutation(PEOPLE))
    n = len(seen.item)
    return (
        *rows,
        seen,
        rng.integers(0, JOBS, (n, 4)).astype(np.int32),
        rng.random(n) < 0.5,
        np.array([1, 1, 0.7, 0.4], np.float32),
        initial(size, np.full(COLUMNS, 0.3, np.float32), rng),
        Settings(LOSSES.index(loss), 0.1, 0.01, 0.5, 2.0, pairs, 7, lanes),
    )


@pytest.mark.parametrize("pairs", [0, 1])
@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_epoch_equals_its_twin(loss: str, pairs: int) -> None:
    fast, slow = world(loss, pairs), world(loss, pairs)
    for _ in range(2):
        assert fm_epoch(*fast) == pytest.approx(fm_epoch_reference(*slow), rel=1e-4)
    mine, twin, before = fast[-2], slow[-2], world(loss)[-2]
    for name in ("vectors", "vector_squares", "weights", "weight_squares"):
        np.testing.assert_allclose(getattr(mine, name), getattr(twin, name), rtol=2e-3, atol=2e-4, err_msg=name)
        assert not np.allclose(getattr(mine, name), getattr(before, name)), f"{name} did not move"


@pytest.mark.parametrize("lanes", [2, 3, PARTS])
def test_lanes_change_nothing(lanes: int) -> None:
    one, more = world("softmax", size=20), world("softmax", lanes=lanes, size=20)
    for _ in range(3):
        assert fm_epoch(*one) == fm_epoch(*more)
    np.testing.assert_array_equal(one[-2].table, more[-2].table)


def test_vector_gradient_is_the_finite_difference() -> None:
    """One person, one application: with a tiny step, parameters move along minus the gradient of the loss."""
    rng = np.random.default_rng(1)
    people = dealt(CSR(np.array([[1, 0.5, 0, 0, 0, 0]], np.float32)))
    jobs = dealt(CSR(np.array([[0, 0, 1, 0, 0.5, 0], [0, 0, 0, 1, 0, 2]], np.float32)))
    seen = visits(Histories(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32)), np.zeros(1, np.int32))
    arguments = (np.ones((1, 1), np.int32), np.ones(1, np.bool_), np.ones(1, np.float32))

    def loss(vectors: NDArray[np.float64]) -> float:
        x_u, x = np.array([1, 0.5, 0, 0, 0, 0]), np.array([[0, 0, 1, 0, 0.5, 0], [0, 0, 0, 1, 0, 2]])
        p = x_u @ vectors
        pairs = [0.5 * ((r @ vectors) @ (r @ vectors) - ((r[:, None] * vectors) ** 2).sum()) for r in x]
        y = x @ vectors @ p + pairs
        return float(-y[0] + np.log(np.exp(y).sum()))

    moved = initial(3, np.full(6, 0.5, np.float32), rng)
    start = moved.vectors.copy()
    moved.vector_squares[:] = 1e8  # so large that the step is rate / 1e4 for every row
    fm_epoch(people, jobs, jobs, seen, *arguments, moved, Settings(LOSSES.index("softmax"), 10, 0, 0.5, 1, 1, 9, 1))
    direction = (moved.vectors - start) / -1e-3
    exact = start.astype(np.float64)
    for at in np.ndindex(6, 3):
        step = np.zeros((6, 3))
        step[at] = 1e-5
        slope = (loss(exact + step) - loss(exact - step)) / 2e-5
        assert direction[at] == pytest.approx(slope, abs=3e-3)


def test_dealt_rows_hold_the_matrix() -> None:
    rng = np.random.default_rng(2)
    filled = rng.random((20, 50)) < 0.2
    filled[4:6] = False
    matrix = CSR(np.where(filled, rng.random((20, 50), dtype=np.float32), np.float32(0)))
    rows = dealt(matrix)
    count = (matrix.toarray() != 0).sum(axis=0)
    for r in range(20):
        whole = slice(rows.start[r * PARTS], rows.start[(r + 1) * PARTS])
        line = np.zeros(50, np.float32)
        line[rows.column[whole]] = rows.value[whole]
        np.testing.assert_array_equal(line, matrix[[r]].toarray()[0])
        for part in range(PARTS):
            mine = slice(rows.start[r * PARTS + part], rows.start[r * PARTS + part + 1])
            assert (rows.column[mine] % PARTS == part).all()
        if line.any():
            assert count[rows.rarest[r]] == count[line != 0].min()


def test_visits_are_the_histories_in_another_order() -> None:
    past = histories(np.random.default_rng(3))
    seen = visits(past, np.array([8, 0, 3, 1]))
    assert seen.user.tolist() == [8, 3, 1]  # person 0 never applied
    for i, u in enumerate(seen.user):
        mine, theirs = slice(seen.start[i], seen.start[i + 1]), slice(past.start[u], past.start[u + 1])
        np.testing.assert_array_equal(seen.item[mine], past.item[theirs])
        np.testing.assert_array_equal(seen.place[mine], past.place[theirs])


def test_average_is_the_mean() -> None:
    parts = np.random.default_rng(4).random((3, 5, 2), dtype=np.float32)
    mean = np.zeros((5, 2), np.float32)
    for n, part in enumerate(parts, start=1):
        average(mean, part, n)
    np.testing.assert_allclose(mean, parts.mean(axis=0), rtol=1e-5)

"""The compiled epoch does what its readable twin does, and its gradients are those of its loss."""

import numpy as np
import pytest
from scipy import sparse

from metier.data import CSR
from metier.kernels.fm import (
    LOSSES,
    Histories,
    Parameters,
    Settings,
    _loss_gradient,
    fm_epoch,
    fm_epoch_reference,
    initial,
    rows_of,
)


def world(loss: str, pairs: float = 1.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    people, jobs, columns, size = 9, 14, 30, 6
    rows = [
        rows_of(CSR(sparse.random_array((n, columns), density=0.15, rng=rng, dtype=np.float32)))
        for n in (people, jobs, jobs)
    ]
    counts = np.array([0, 1, 2, 5, 3, 1, 4, 2, 6])
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    item = np.concatenate([rng.choice(jobs, n, replace=False) for n in counts]).astype(np.int32)
    place = np.concatenate([np.arange(n) for n in counts]).astype(np.int32)
    n = len(item)
    return (
        *rows,
        Histories(start, item, place),
        rng.permutation(people).astype(np.int32),
        rng.integers(0, jobs, (n, 4)).astype(np.int32),
        rng.random(n) < 0.5,
        np.array([1, 1, 0.7, 0.4], np.float32),
        initial(size, np.full(columns, 0.3, np.float32), rng),
        Settings(LOSSES.index(loss), 0.1, 0.01, 0.5, 2.0, pairs),
    )


@pytest.mark.parametrize("pairs", [0.0, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_epoch_equals_its_twin(loss: str, pairs: float) -> None:
    fast, slow = world(loss, pairs), world(loss, pairs)
    for _ in range(2):
        one, two = fm_epoch(*fast), fm_epoch_reference(*slow)
        assert one == pytest.approx(two, rel=1e-4)
    start = world(loss)[-2]
    for name, mine, twin, before in zip(Parameters._fields, fast[-2], slow[-2], start, strict=True):
        np.testing.assert_allclose(mine, twin, rtol=2e-3, atol=2e-4, err_msg=name)
        assert not np.allclose(mine, before), f"{name} did not move"


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_gradient_is_the_finite_difference(loss: str) -> None:
    score, usable = np.array([0.3, -0.2, 1.1, 0.4], np.float32), np.array([True, True, False, True])
    gradient, unused = np.empty(4, np.float32), np.empty(4, np.float32)
    _loss_gradient(score, usable, LOSSES.index(loss), gradient)
    for c in range(4):
        step = np.zeros(4, np.float32)
        step[c] = 1e-2
        up = _loss_gradient(score + step, usable, LOSSES.index(loss), unused)
        down = _loss_gradient(score - step, usable, LOSSES.index(loss), unused)
        assert gradient[c] == pytest.approx((up - down) / 2e-2, abs=1e-3)
    assert gradient[2] == 0


def test_vector_gradient_is_the_finite_difference() -> None:
    """One person, one application: with a tiny step, parameters move along minus the gradient of the loss."""
    rng = np.random.default_rng(1)
    people = rows_of(CSR(np.array([[1, 0.5, 0, 0, 0, 0]], np.float32)))
    jobs = rows_of(CSR(np.array([[0, 0, 1, 0, 0.5, 0], [0, 0, 0, 1, 0, 2]], np.float32)))
    histories = Histories(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32))
    arguments = (np.zeros(1, np.int32), np.ones((1, 1), np.int32), np.ones(1, np.bool_), np.ones(1, np.float32))

    def loss(vectors: np.ndarray) -> float:
        x_u, x = np.array([1, 0.5, 0, 0, 0, 0]), np.array([[0, 0, 1, 0, 0.5, 0], [0, 0, 0, 1, 0, 2]])
        p = x_u @ vectors
        pairs = [0.5 * ((r @ vectors) @ (r @ vectors) - ((r[:, None] * vectors) ** 2).sum()) for r in x]
        y = x @ vectors @ p + pairs
        return float(-y[0] + np.log(np.exp(y).sum()))

    start = initial(3, np.full(6, 0.5, np.float32), rng)
    huge = np.full(6, 1e8, np.float32)  # squares so large that the step is rate / 1e4 for every row
    moved = Parameters(start.vectors.copy(), huge, start.weights.copy(), huge.copy())
    settings = Settings(LOSSES.index("softmax"), 10.0, 0.0, 0.5, 1.0, 1.0)
    fm_epoch(people, jobs, jobs, histories, *arguments, moved, settings)
    direction = (moved.vectors - start.vectors) / -1e-3
    exact = start.vectors.astype(np.float64)
    for at in np.ndindex(6, 3):
        step = np.zeros((6, 3))
        step[at] = 1e-5
        slope = (loss(exact + step) - loss(exact - step)) / 2e-5
        assert direction[at] == pytest.approx(slope, abs=3e-3)

"""Losses: the compiled one equals its twin, and its gradient is the finite difference."""

import numpy as np
import pytest

from metier.kernels.ranking_loss import LOSSES, loss_gradient, loss_gradient_reference

SCORE = np.array([0.3, -0.2, 1.1, 0.4], np.float32)


@pytest.mark.parametrize("loss", LOSSES)
def test_equals_its_twin(loss: str) -> None:
    gradient = np.empty(4, np.float32)
    value = loss_gradient(SCORE, np.ones(4, np.bool_), LOSSES.index(loss), gradient)
    twin, slope = loss_gradient_reference(SCORE, loss)
    assert value == pytest.approx(twin, rel=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_the_finite_difference(loss: str) -> None:
    usable = np.array([True, True, False, True])
    gradient, unused = np.empty(4, np.float32), np.empty(4, np.float32)
    loss_gradient(SCORE, usable, LOSSES.index(loss), gradient)
    for c in range(4):
        step = np.zeros(4, np.float32)
        step[c] = 1e-2
        up = loss_gradient(SCORE + step, usable, LOSSES.index(loss), unused)
        down = loss_gradient(SCORE - step, usable, LOSSES.index(loss), unused)
        assert gradient[c] == pytest.approx((up - down) / 2e-2, abs=1e-3)
    assert gradient[2] == 0

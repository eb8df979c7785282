"""Losses that rank one application above sampled jobs: logistic, BPR (Rendle et al. 2009) and softmax."""

from typing import Literal

import numpy as np
from numba import njit

from metier.data import Floats

Loss = Literal["logistic", "bpr", "softmax"]
LOSSES: tuple[Loss, ...] = ("logistic", "bpr", "softmax")


@njit(cache=True, fastmath=True)
def loss_gradient(score, usable, loss, gradient):  # type: ignore[no-untyped-def]
    """Loss of one target against its negatives; leaves d loss / d score in `gradient`.

    Parameters
    ----------
    score, gradient : (c,) float32, the target first.
    usable : (c,) bool; a column that is not gets the gradient 0.
    loss : position in LOSSES.
    """
    value = np.float32(0)
    if loss == 2:  # softmax: -ln(exp s_0 / sum_c exp s_c)
        top = score[0]
        for c in range(len(score)):
            if usable[c] and score[c] > top:
                top = score[c]
        mass = np.float32(0)
        for c in range(len(score)):
            gradient[c] = np.exp(score[c] - top) if usable[c] else np.float32(0)
            mass += gradient[c]
        value = top + np.log(mass) - score[0]
        for c in range(len(score)):
            gradient[c] /= mass
        gradient[0] -= np.float32(1)
        return value
    gradient[0] = np.float32(0)
    if loss == 0:  # logistic: ln(1 + exp -s_0) + sum_c ln(1 + exp s_c)
        value = _softplus(-score[0])
        gradient[0] = -_sigmoid(-score[0])
    for c in range(1, len(score)):
        gradient[c] = np.float32(0)
        if usable[c]:
            margin = score[c] - score[0] if loss == 1 else score[c]  # BPR: sum_c ln(1 + exp(s_c - s_0))
            value += _softplus(margin)
            gradient[c] = _sigmoid(margin)
            if loss == 1:
                gradient[0] -= gradient[c]
    return value


@njit(cache=True, inline="always")
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@njit(cache=True, inline="always")
def _softplus(x):  # type: ignore[no-untyped-def]
    return max(x, np.float32(0)) + np.log1p(np.exp(-abs(x)))


def loss_gradient_reference(score: Floats, loss: Loss) -> tuple[float, Floats]:
    """The same in NumPy, for scores (c,) that are all usable."""
    if loss == "softmax":
        chance = np.exp(score - score.max()) / np.exp(score - score.max()).sum()
        return float(-np.log(chance[0])), chance - (np.arange(len(score)) == 0)
    if loss == "bpr":
        chance = 1 / (1 + np.exp(score[0] - score[1:]))
        return float(-np.log1p(-chance).sum()), np.concatenate([[-chance.sum()], chance])
    chance = 1 / (1 + np.exp(-score))
    label = np.arange(len(score)) == 0
    return float(-np.log(np.where(label, chance, 1 - chance)).sum()), chance - label

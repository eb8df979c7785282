"""One epoch of stochastic gradient on observed ratings: biased SVD and SVD++ (Koren 2008, equations 5 and 15).

    r(u, i) = mu + b_u + b_i + q_i . (p_u + |N(u)|^-1/2 sum_{j in N(u)} y_j)

with loss (r_ui - r(u, i))^2 + reg (b_u^2 + b_i^2 + |p_u|^2 + |q_i|^2 + sum_j |y_j|^2). SVD is the case without y. Only
observed pairs are visited: that is what makes these models learn nothing when every rating is 1.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from metier.data import CSR, Floats, Nums


class RatingModel(NamedTuple):
    """The learned parameters, changed in place by an epoch."""

    user_bias: Floats
    """(U,)"""
    item_bias: Floats
    """(I,)"""
    user_vectors: Floats
    """(U, k)"""
    item_vectors: Floats
    """(I, k)"""
    implicit_vectors: Floats
    """(I, k) the y_j of SVD++; (0, k) for SVD"""


def rating_epoch(
    matrix: CSR, users: Nums, places: Nums, mean: float, model: RatingModel, learning_rate: float, reg: float
) -> float:
    """Visit each rating once in the given order; returns the mean squared error before each step.

    Parameters
    ----------
    matrix : (U, I) CSR of ratings.
    users, places : (nnz,) int32: the user and the position in `matrix.data` of each step.
    mean : mu.
    """
    return float(
        _epoch(
            matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32),
            users, places, np.float32(mean), model, np.float32(learning_rate), np.float32(reg),
        )
    )  # fmt: skip


@njit(cache=True)
def _epoch(start, items, ratings, users, places, mean, model, rate, reg):  # type: ignore[no-untyped-def]
    user_bias, item_bias, p, q, y = model
    size, implicit = p.shape[1], len(y) > 0
    whole, change = np.zeros(size, np.float32), np.zeros(size, np.float32)
    total = 0.0
    for step in range(len(users)):
        u, i = users[step], items[places[step]]
        whole[:] = p[u]
        norm = np.float32(1.0 / np.sqrt(max(start[u + 1] - start[u], 1)))
        if implicit:
            for a in range(start[u], start[u + 1]):
                whole += norm * y[items[a]]
        guess = mean + user_bias[u] + item_bias[i]
        for d in range(size):
            guess += q[i, d] * whole[d]
        error = ratings[places[step]] - guess
        total += error * error
        user_bias[u] += rate * (error - reg * user_bias[u])
        item_bias[i] += rate * (error - reg * item_bias[i])
        for d in range(size):
            change[d] = error * q[i, d]
            q[i, d] += rate * (error * whole[d] - reg * q[i, d])
            p[u, d] += rate * (change[d] - reg * p[u, d])
        if implicit:
            for a in range(start[u], start[u + 1]):
                for d in range(size):
                    y[items[a], d] += rate * (norm * change[d] - reg * y[items[a], d])
    return total / max(len(users), 1)


def rating_epoch_reference(
    matrix: CSR, users: Nums, places: Nums, mean: float, model: RatingModel, learning_rate: float, reg: float
) -> float:
    """`rating_epoch` in NumPy."""
    errors = []
    for u, place in zip(users, places, strict=True):
        i = matrix.indices[place]
        mine = matrix.indices[matrix.indptr[u] : matrix.indptr[u + 1]] if len(model.implicit_vectors) else []
        norm = len(mine) ** -0.5 if len(mine) else 0.0
        whole = model.user_vectors[u] + norm * sum(model.implicit_vectors[j] for j in mine)
        q = model.item_vectors[i].copy()
        error = matrix.data[place] - (mean + model.user_bias[u] + model.item_bias[i] + q @ whole)
        errors.append(error**2)
        model.user_bias[u] += learning_rate * (error - reg * model.user_bias[u])
        model.item_bias[i] += learning_rate * (error - reg * model.item_bias[i])
        model.item_vectors[i] += learning_rate * (error * whole - reg * q)
        model.user_vectors[u] += learning_rate * (error * q - reg * model.user_vectors[u])
        for j in mine:
            model.implicit_vectors[j] += learning_rate * (norm * error * q - reg * model.implicit_vectors[j])
    return float(np.mean(errors))

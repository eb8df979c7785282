"""Learning to rank from features of pairs: a conditional logit, and LambdaMART on top of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metier.data import Floats, Nums

Sums = NDArray[np.float64]
FEW = 50_000
"""Pairs below which the meeting of threads costs more than they save."""


def likeliest(features: Floats, label: NDArray[np.int8], row: Nums, *, reg: float, steps: int = 100) -> Floats:
    """(F,) weights w of a conditional logit (McFadden 1974): the largest log-likelihood minus reg |w|^2, by L-BFGS.

    P(j | group) = exp(w . z_j) / sum over the group of exp(w . z)

    Parameters
    ----------
    features : (p, F) float32 z. label : (p,) 1 for what was chosen; several of a group share its weight of 1.
    row : (p,) ascending group numbers; a group without a choice teaches nothing.
    """
    from scipy.optimize import minimize  # a third of a second that answering does not need

    chosen = np.bincount(row, label)
    kept = chosen[row] > 0
    if not kept.any():
        return np.zeros(features.shape[1], np.float32)
    z = features[kept]
    groups, group = np.unique(row[kept], return_inverse=True)
    start = np.searchsorted(group, np.arange(len(groups)))
    wanted = (label[kept] / chosen[row[kept]]).astype(np.float32)

    def loss(weights: Sums) -> tuple[float, Sums]:
        score = z @ weights.astype(np.float32)
        score -= np.maximum.reduceat(score, start)[group]
        chance = np.exp(score)
        mass = np.add.reduceat(chance, start)
        value = -(wanted * (score - np.log(mass)[group])).sum() + reg * weights @ weights
        slope = z.T @ (chance / mass[group] - wanted) + 2 * reg * weights
        return float(value) / len(groups), slope.astype(np.float64) / len(groups)

    found = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return np.asarray(found.x, np.float32)


class ConditionalLogit:
    """A conditional logit over standardised features.

    A feature x enters as sign(x) ln(1 + |x|), centred and scaled by its spread; unknown is 0, the mean. Few weights
    need few examples, so it leads where trees have too little to learn from.
    """

    def __init__(self, mean: Floats, spread: Floats, weights: Floats) -> None:
        self.mean, self.spread, self.weights = mean, spread, weights

    @classmethod
    def fit(
        cls, features: Floats, label: NDArray[np.int8], row: Nums, *, reg: float, steps: int = 100
    ) -> "ConditionalLogit":
        """Centre, scale and weigh the features (p, F), NaN unknown; the rest as in `likeliest`."""
        squashed = _squash(features)
        known = ~np.isnan(squashed)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, squashed, 0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, squashed - mean, 0) ** 2).sum(axis=0) / count) + 1e-6
        logit = cls(mean.astype(np.float32), spread.astype(np.float32), np.zeros(features.shape[1], np.float32))
        logit.weights = likeliest(logit._standardised(features), label, row, reg=reg, steps=steps)
        return logit

    def score(self, features: Floats) -> Floats:
        """(p,) w . z"""
        return np.asarray(self._standardised(features) @ self.weights, np.float32)

    def terms(self, features: Floats) -> Floats:
        """(p, F) w z, whose rows sum to the score."""
        return np.asarray(self._standardised(features) * self.weights, np.float32)

    def _standardised(self, features: Floats) -> Floats:
        return np.asarray(np.nan_to_num((_squash(features) - self.mean) / self.spread), np.float32)


def lambdamart(features: Floats, label: NDArray[np.int8], row: Nums, *, seed: int, rounds: int, **settings: Any) -> str:
    """Trees that raise what was chosen above the rest of its group (Burges 2010), as LightGBM's model text.

    `settings` are LightGBM's. Groups without a choice are left out; without any group, "" .
    """
    import lightgbm

    kept = np.bincount(row, label)[row] > 0
    if not kept.any():
        return ""
    sizes = np.unique(row[kept], return_counts=True)[1]
    fixed = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": 30,
        "verbosity": -1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,  # the other layout sums in an order that depends on the machine
        "bagging_freq": 1,
        "num_threads": 1 if len(features) < FEW else 0,
        "max_bin": 127,
    }
    data = lightgbm.Dataset(features[kept], label[kept], group=sizes, params={"max_bin": 127, "verbosity": -1})
    return str(lightgbm.train({**fixed, **settings}, data, rounds).model_to_string())


def _squash(features: Floats) -> Floats:
    return np.asarray(np.sign(features) * np.log1p(np.abs(features)), np.float32)

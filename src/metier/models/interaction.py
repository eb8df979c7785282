"""Ways in which the vector of what a person says and the vector of a posting meet in one number."""

from typing import Literal

import numpy as np

from metier.data import Floats
from metier.kernels.interaction import weighted_differences, weighted_rectifiers
from metier.models.base import Fitted

Method = Literal["concatenation", "cosine", "product", "difference", "bilinear"]


class Interaction(Fitted):
    """A learned function s(e, t) of two frozen vectors of d numbers, each of length 1.

    concatenation   o . ReLU(W [e; t] + b)          a small network, as in neural collaborative filtering
    cosine          w (e . t)
    product         w . (e * t)                      element by element
    difference      w . |e - t|
    bilinear        e^T W t

    s is 0 where one of the two is a vector of zeros: nothing was said. Everything but W of the concatenation starts at
    0, so that the texts begin silent. Steps are Adagrad's (Duchi et al. 2011), number by number.
    """

    weights_: Floats  # (1,) cosine, (d,) product and difference, (d, d) bilinear, (h,) o
    hidden_: Floats  # (2 d + 1, h) W^T and b of the concatenation; (0, 0) otherwise

    def __init__(self, method: Method) -> None:
        self.method = method

    def start(self, size: int, hidden_size: int, rng: np.random.Generator) -> None:
        """First parameters for vectors of `size` numbers."""
        shapes = {"concatenation": (hidden_size,), "cosine": (1,), "bilinear": (size, size)}
        self.weights_ = np.zeros(shapes.get(self.method, (size,)), np.float32)
        hidden = (2 * size + 1, hidden_size) if self.method == "concatenation" else (0, 0)
        self.hidden_ = (rng.standard_normal(hidden) / np.sqrt(size)).astype(np.float32)
        self.squares = [np.full_like(part, 1e-3) for part in (self.weights_, self.hidden_)]

    def scores(self, e: Floats, t: Floats) -> Floats:
        """(b, m) float32 s of every person (b, d) with every posting (m, d)."""
        match self.method:
            case "concatenation":
                d = e.shape[1]
                ours, theirs = e @ self.hidden_[:d] + self.hidden_[-1], t @ self.hidden_[d:-1]
                s = weighted_rectifiers(ours, theirs, self.weights_)
            case "difference":
                s = weighted_differences(e, t, self.weights_)
            case "bilinear":
                s = e @ self.weights_ @ t.T
            case _:
                s = (e * self.weights_) @ t.T
        return np.asarray(s * _said(e)[:, None] * _said(t), np.float32)

    def forward(self, e: Floats, t: Floats) -> Floats:
        """(n, c) s of each of n people (n, d) with c postings of their own (n, c, d); kept for `backward`."""
        both = _said(e)[:, None] * _said(t)  # (n, c)
        match self.method:
            case "concatenation":
                wide = np.broadcast_to(e[:, None], t.shape)
                self.inputs = np.concatenate([wide, t, np.ones_like(t[..., :1])], axis=2) * both[..., None]
                self.features = np.maximum(self.inputs @ self.hidden_, 0)  # (n, c, h)
            case "cosine":
                self.features = np.einsum("nd,ncd->nc", e, t)[..., None]
            case "product":
                self.features = e[:, None] * t
            case "difference":
                self.features = np.abs(e[:, None] - t) * both[..., None]
            case "bilinear":
                self.inputs, self.features = e, t
                return np.asarray(np.einsum("nd,ncd->nc", e @ self.weights_, t), np.float32)
        return np.asarray(self.features @ self.weights_, np.float32)

    def backward(self, gradient: Floats, rate: float) -> None:
        """One step along the (n, c) gradient by what the last `forward` gave."""
        if self.method == "bilinear":
            self._step(0, self.inputs.T @ np.einsum("nc,ncd->nd", gradient, self.features), rate)
            return
        by_feature = gradient[..., None] * self.weights_ * (self.features > 0)  # before o moves
        self._step(0, np.einsum("nc,ncr->r", gradient, self.features), rate)
        if self.method == "concatenation":
            rows = self.inputs.reshape(-1, self.inputs.shape[2])
            self._step(1, rows.T @ by_feature.reshape(len(rows), -1), rate)

    def _step(self, which: int, gradient: Floats, rate: float) -> None:
        part = (self.weights_, self.hidden_)[which]
        self.squares[which] += gradient**2
        part -= np.float32(rate) * gradient / np.sqrt(self.squares[which])


def _said(vectors: Floats) -> Floats:
    """1 where a vector has anything but zeros, else 0."""
    return np.asarray(vectors.any(axis=-1), np.float32)

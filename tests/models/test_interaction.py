"""Each way in which two texts meet computes its formula, follows its gradient, and finds the signal it can express."""

from typing import get_args

import numpy as np
import pytest

from metier.models.interaction import Interaction, Method

METHODS: tuple[Method, ...] = get_args(Method)


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.standard_normal(shape, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def learned(method: Method, size: int = 6) -> Interaction:
    """With random parameters, as if it had learned."""
    rng = np.random.default_rng(1)
    one = Interaction(method)
    one.start(size, 4, rng)
    one.weights_[:] = rng.standard_normal(one.weights_.shape)
    return one


def by_hand(one: Interaction, e: np.ndarray, t: np.ndarray) -> float:
    w = one.weights_
    match one.method:
        case "concatenation":
            return float(w @ np.maximum(one.hidden_.T @ np.concatenate([e, t, [1]]), 0))
        case "cosine":
            return float(w[0] * (e @ t) / np.sqrt((e @ e) * (t @ t)))
        case "product":
            return float(sum(w[d] * e[d] * t[d] for d in range(len(e))))
        case "difference":
            return float(sum(w[d] * abs(e[d] - t[d]) for d in range(len(e))))
        case "bilinear":
            return float(sum(e[c] * w[c, d] * t[d] for c in range(len(e)) for d in range(len(t))))


@pytest.mark.parametrize("method", METHODS)
def test_scores_are_the_formula(method: Method) -> None:
    rng = np.random.default_rng(0)
    one, e, t = learned(method), unit(rng, 3, 6), unit(rng, 70, 6)
    scores = one.scores(e, t)
    assert scores.shape == (3, 70)
    assert scores.dtype == np.float32
    expected = [[by_hand(one, a, b) for b in t] for a in e]
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-5)
    own = rng.integers(0, 70, (3, 5))
    np.testing.assert_allclose(one.forward(e, t[own]), np.take_along_axis(scores, own, 1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_who_says_nothing_is_not_judged_by_it(method: Method) -> None:
    rng = np.random.default_rng(0)
    one, e, t = learned(method), unit(rng, 2, 6), unit(rng, 3, 6)
    e[1], t[2] = 0, 0
    heard = np.array([[True, True, False], [False, False, False]])
    for scores in (one.scores(e, t), one.forward(e, np.stack([t, t]))):
        assert ((scores != 0) == heard).all()


@pytest.mark.parametrize("method", METHODS)
def test_step_follows_the_finite_difference(method: Method) -> None:
    rng = np.random.default_rng(5)
    one, e, t = learned(method), unit(rng, 4, 6), unit(rng, 4, 3, 6)
    e[3] = 0
    gradient = rng.standard_normal((4, 3)).astype(np.float32)
    for name in ("weights_", "hidden_"):
        part = getattr(one, name)
        for at in list(np.ndindex(part.shape))[:20]:
            moved = learned(method)
            moved.squares = [np.full_like(square, 1e8) for square in moved.squares]
            moved.forward(e, t)
            moved.backward(gradient, 1e2)  # steps of gradient / 100
            slope = (part[at] - getattr(moved, name)[at]) * 100
            sums = []
            for step in (1e-3, -1e-3):  # small enough to cross no kink
                aside = learned(method)
                getattr(aside, name)[at] += step
                sums.append(float((gradient * aside.forward(e, t)).sum()))
            assert slope == pytest.approx((sums[0] - sums[1]) / 2e-3, abs=1e-2), (name, at)


def trained(method: Method, e: np.ndarray, t: np.ndarray, chosen: np.ndarray, steps: int = 400) -> Interaction:
    """By softmax over each person's postings."""
    one = Interaction(method)
    one.start(e.shape[1], 32, np.random.default_rng(0))
    for start in range(steps):
        rows = np.random.default_rng(start).integers(0, len(e), 64)
        scores = one.forward(e[rows], t[rows])
        chance = np.exp(scores - scores.max(axis=1, keepdims=True))
        gradient = chance / chance.sum(axis=1, keepdims=True)
        gradient[np.arange(len(rows)), chosen[rows]] -= 1
        one.backward(gradient, 0.2)
    return one


def share_found(method: Method, taste) -> float:
    """Share of people unseen in training whose posting, the best of ten by `taste`, comes first; chance is 0.1."""
    rng = np.random.default_rng(3)
    e, t = unit(rng, 1500, 8), unit(rng, 1500, 10, 8)
    chosen = taste(e[:, None], t).argmax(axis=1)
    one = trained(method, e[:1000], t[:1000], chosen[:1000])
    return float(np.mean(one.forward(e[1000:], t[1000:]).argmax(axis=1) == chosen[1000:]))


SIGN = np.array([3, -3, 2, 0, 0, 0, 0, 0])
TURN = np.roll(np.eye(8), 3, axis=1)
WORLDS = {
    "cosine": lambda e, t: (e * t).sum(axis=-1),
    "product": lambda e, t: (e * t) @ SIGN,  # some numbers count, some against
    "difference": lambda e, t: -np.abs(e - t)[..., :3].sum(axis=-1),  # near in three of them
    "bilinear": lambda e, t: ((e @ TURN) * t).sum(axis=-1),  # another number of the posting answers each
    "concatenation": lambda e, t: np.where(e[..., 0] > 0, t[..., 1], t[..., 2]),  # what counts depends on who asks
}


@pytest.mark.parametrize("method", METHODS)
def test_finds_the_signal_it_can_express(method: Method) -> None:
    assert share_found(method, WORLDS[method]) > 0.75


@pytest.mark.parametrize(("method", "world"), [("cosine", "bilinear"), ("product", "bilinear"), ("cosine", "product")])
def test_does_not_find_what_it_cannot_express(method: Method, world: str) -> None:
    assert share_found(method, WORLDS[world]) < 0.4

"""The conditional logit against its own loss and planted weights; LambdaMART's text and its order."""

import numpy as np
import pytest

from metier.models.learning_to_rank import ConditionalLogit, lambdamart, likeliest

WEIGHTS = np.array([1.0, -2.0, 0.5])


def choices(groups: int, size: int = 8, seed: int = 0):
    """Features, labels and groups of people who choose one of `size` by WEIGHTS."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(groups, size, 3)).astype(np.float32)
    best = (z @ WEIGHTS + rng.gumbel(size=(groups, size))).argmax(axis=1)
    label = (np.arange(size) == best[:, None]).astype(np.int8)
    return z.reshape(-1, 3), label.ravel(), np.repeat(np.arange(groups, dtype=np.int32), size)


def loss(weights, z, label, row, reg):
    """The formula of the docstring, one group at a time."""
    total = reg * (weights**2).sum()
    for group in np.unique(row):
        mine = row == group
        if label[mine].any():
            score = z[mine].astype(np.float64) @ weights
            chance = np.log(np.exp(score).sum()) - score
            total += chance[label[mine] == 1].mean()
    return total


def test_planted_weights_are_recovered():
    np.testing.assert_allclose(likeliest(*choices(4000), reg=0.0), WEIGHTS, atol=0.12)


@pytest.mark.parametrize("reg", [0.0, 5.0, 200.0])
def test_the_gradient_of_the_loss_is_zero_at_the_optimum(reg):
    """By central differences of the loss written plainly; with several choices in one group."""
    z, label, row = choices(60)
    label[:2] = 1
    found = likeliest(z, label, row, reg=reg).astype(np.float64)
    for step in 1e-3 * np.eye(3):
        slope = (loss(found + step, z, label, row, reg) - loss(found - step, z, label, row, reg)) / 2e-3
        assert slope / 60 == pytest.approx(0, abs=1e-3)
    assert loss(found, z, label, row, reg) < loss(WEIGHTS, z, label, row, reg)


def test_a_group_without_a_choice_teaches_nothing():
    z, label, row = choices(50)
    silent = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    more = np.vstack([z, silent]), np.append(label, np.zeros(20, np.int8)), np.append(row, np.full(20, 50, np.int32))
    np.testing.assert_array_equal(likeliest(*more, reg=1.0), likeliest(z, label, row, reg=1.0))
    np.testing.assert_array_equal(likeliest(silent, np.zeros(20, np.int8), np.zeros(20, np.int32), reg=1.0), 0)
    assert lambdamart(silent, np.zeros(20, np.int8), np.zeros(20, np.int32), seed=0, rounds=3) == ""


def test_choices_of_one_group_share_its_weight():
    """A group that chose the same twice counts as one that chose once."""
    z, label, row = choices(50)
    target = np.flatnonzero(label[:8])[0]
    twice = np.vstack([z[:8], z[target], z[8:]]), np.insert(label, 8, 1), np.insert(row, 8, 0)
    single = np.vstack([z[:8], z[target], z[8:]]), np.insert(label, 8, 0), np.insert(row, 8, 0)
    np.testing.assert_allclose(likeliest(*twice, reg=1.0), likeliest(*single, reg=1.0), atol=1e-4)


def test_unknown_features_are_the_mean_and_a_constant_does_no_harm():
    z, label, row = choices(300)
    z = np.column_stack([z, np.full(len(z), 7, np.float32), np.full(len(z), np.nan, np.float32)])
    z[::5, 0] = np.nan
    logit = ConditionalLogit.fit(z, label, row, reg=1.0)
    assert np.isfinite(logit.score(z)).all()
    np.testing.assert_allclose(logit.weights[3:], 0, atol=1e-6)
    known = np.log1p(np.abs(z[:, 0])) * np.sign(z[:, 0])
    assert logit.mean[0] == pytest.approx(np.nanmean(known), abs=1e-5)
    assert logit.spread[0] == pytest.approx(np.nanstd(known), abs=1e-4)
    unknown, average = z[:1].copy(), z[:1].copy()
    unknown[0, 1], average[0, 1] = np.nan, np.sign(logit.mean[1]) * np.expm1(abs(logit.mean[1]))
    assert logit.score(unknown)[0] == pytest.approx(logit.score(average)[0], abs=1e-5)


def test_nothing_to_learn_from():
    nothing = np.empty((0, 2), np.float32), np.empty(0, np.int8), np.empty(0, np.int32)
    assert lambdamart(*nothing, seed=0, rounds=3) == ""
    logit = ConditionalLogit.fit(*nothing, reg=1.0)
    np.testing.assert_array_equal(logit.score(np.ones((2, 2), np.float32)), 0)


def test_trees_are_the_same_for_one_seed_and_rank_the_choice_high():
    import lightgbm

    z, label, row = choices(200)
    settings = {"rounds": 30, "min_data_in_leaf": 20, "bagging_fraction": 0.8, "num_threads": 1}
    one, two, other = (lambdamart(z, label, row, seed=seed, **settings) for seed in (3, 3, 4))
    assert one == two
    assert one != other
    fresh, chosen, _ = choices(200, seed=9)
    score = lightgbm.Booster(model_str=one).predict(fresh, num_threads=1).reshape(200, 8)
    place = (score > score.ravel()[chosen == 1][:, None]).sum(axis=1)
    ideal = (fresh @ WEIGHTS).reshape(200, 8)
    best = (ideal > ideal.ravel()[chosen == 1][:, None]).sum(axis=1)
    assert place.mean() < best.mean() + 0.5 < 2, "chance is 3.5"

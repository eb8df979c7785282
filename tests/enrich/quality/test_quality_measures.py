"""Detectors never meet the people they judge; figures agree with independent ones; chance looks like chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from metier.enrich.quality.detectors import STRENGTH, calibrated, deal, out_of_fold, out_of_fold_ridge
from metier.enrich.quality.measures import (
    Bin,
    auc,
    auc_interval,
    brier,
    calibration_error,
    permutation_null,
    reliability,
)

DETECTORS = ["logistic regression", "gradient boosting", "neural net"]


def drawn(n: int, pull: float, features: int = 5, seed: int = 0):
    """Labels, and features the first of which is `pull` standard deviations higher for the strong."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(np.int8)
    matrix = rng.normal(size=(n, features))
    matrix[:, 0] += pull * labels
    return matrix, labels


@settings(deadline=None)  # the first call imports scikit-learn
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=40))
def test_auc_is_the_one_of_scikit_learn(pairs):
    labels, scores = np.array(pairs, np.int8).T
    if 0 < labels.sum() < len(labels):
        found = auc(labels, scores[:, None].astype(float))[0]
        assert found == pytest.approx(roc_auc_score(labels, scores))


def test_interval_is_about_as_wide_as_theory_says_and_holds_the_auc():
    matrix, labels = drawn(800, 1.0)
    low, high = auc_interval(labels, matrix[:, 0], resamples=500, rng=np.random.default_rng(0))
    area = roc_auc_score(labels, matrix[:, 0])
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)  # Hanley and McNeil 1982
    strong, weak = labels.sum(), (1 - labels).sum()
    variance = (area * (1 - area) + (strong - 1) * (q1 - area**2) + (weak - 1) * (q2 - area**2)) / (strong * weak)
    assert low < area < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.2)
    assert auc_interval(labels, labels.astype(float), resamples=20, rng=np.random.default_rng(0)) == (1.0, 1.0)


@pytest.mark.parametrize("kind", DETECTORS)
def test_detectors_find_what_is_there_and_nothing_else(kind):
    matrix, labels = drawn(500, 2.5)
    fold = deal(labels, 5, 0)
    assert roc_auc_score(labels, out_of_fold(kind, matrix, labels, fold, 0)) > 0.93
    noise = np.random.default_rng(1).normal(size=(500, 40))  # enough columns to learn people by heart
    assert 0.4 < roc_auc_score(labels, out_of_fold(kind, noise, labels, fold, 0)) < 0.6


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_persons_own_label_never_reaches_their_score(kind):
    matrix, labels = drawn(200, 1.0)
    fold = deal(labels, 4, 0)
    scores = out_of_fold(kind, matrix, labels, fold, 0)
    turned = np.where(fold == 2, 1 - labels, labels).astype(np.int8)
    again = out_of_fold(kind, matrix, turned, fold, 0)
    assert np.array_equal(scores[fold == 2], again[fold == 2])
    assert not np.array_equal(scores[fold != 2], again[fold != 2])
    chance = calibrated(scores, labels, fold)
    assert np.array_equal(chance[fold == 2], calibrated(scores, turned, fold)[fold == 2])


def test_folds_share_out_weak_and_strong():
    _, labels = drawn(103, 0.0)
    fold = deal(labels, 5, 3)
    shares = [labels[fold == number].mean() for number in range(5)]
    assert set(fold) == set(range(5))
    assert max(shares) - min(shares) < 0.06


def test_many_ridges_at_once_are_the_ones_of_scikit_learn():
    matrix, labels = drawn(120, 1.0)
    matrix = np.column_stack([matrix * [1, 10, 100, 1, 1], np.ones(120)])  # other scales, and a constant
    fold = deal(labels, 3, 0)
    targets = np.column_stack([labels, 1 - labels, np.random.default_rng(0).permutation(labels)]).astype(float)
    found = out_of_fold_ridge(matrix, targets, fold)
    for number in range(3):
        held = fold == number
        for column in range(3):
            model = make_pipeline(StandardScaler(), Ridge(alpha=4 / STRENGTH)).fit(
                matrix[~held], targets[~held, column]
            )
            expected = model.predict(matrix[held]) - targets[~held, column].mean()
            assert np.allclose(found[held, column], expected)


def test_null_catches_a_planted_tie_and_lets_chance_be_chance():
    matrix, labels = drawn(400, 1.0)
    fold = deal(labels, 5, 0)
    tied = permutation_null(matrix, labels, fold, permutations=199, rng=np.random.default_rng(0))
    assert tied.p == 1 / 200
    assert tied.auc > 0.7 > tied.high
    assert tied.low < 0.5 < tied.high
    p = []
    for seed in range(40):
        noise, random = drawn(150, 0.0, features=30, seed=seed)
        null = permutation_null(noise, random, deal(random, 5, 0), permutations=99, rng=np.random.default_rng(seed))
        p.append(null.p)
    assert 0.35 < np.mean(p) < 0.65
    assert sum(one <= 0.05 for one in p) <= 6  # expected 2; more than 6 of 40 once in 200 times


def test_calibration_mends_scores_that_claim_too_much():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    claimed, fold = 5 * truth, deal(labels, 5, 0)
    before = calibration_error(reliability(labels, 1 / (1 + np.exp(-claimed))))
    chance = calibrated(claimed, labels, fold)
    assert before > 0.15
    assert calibration_error(reliability(labels, chance)) < 0.03
    assert brier(labels, chance) < brier(labels, 1 / (1 + np.exp(-claimed)))


def test_reliability_and_brier_by_hand():
    labels, chance = np.array([0, 1, 1, 1], np.int8), np.array([0.0, 0.05, 0.85, 1.0])
    bins = reliability(labels, chance)
    assert bins == [Bin(2, 0.025, 0.5), Bin(1, 0.85, 1.0), Bin(1, 1.0, 1.0)]
    assert calibration_error(bins) == pytest.approx((2 * 0.475 + 0.15) / 4)
    assert brier(labels, chance) == pytest.approx((0.95**2 + 0.15**2) / 4)

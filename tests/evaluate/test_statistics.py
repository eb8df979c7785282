import numpy as np
import pytest

from metier.evaluate import statistics
from metier.evaluate.statistics import bootstrap_means, holm, interval, paired, two_sided_p


def test_interval_covers_the_true_mean() -> None:
    """300 worlds of 150 people with many zeros, as AP has: about 95 % of the intervals hold the true mean."""
    rng = np.random.default_rng(0)
    worlds = rng.binomial(1, 0.4, (150, 300)) / rng.integers(1, 4, (150, 300))
    truth = 0.4 * np.mean([1, 1 / 2, 1 / 3])
    covered = []
    for world in worlds.T:
        low, high = interval(bootstrap_means(world[:, None], rng=rng, resamples=400))
        covered.append(low[0] <= truth <= high[0])
    assert 0.91 <= np.mean(covered) <= 0.985


def test_width_shrinks_with_the_root_of_n_and_matches_the_normal_interval() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((4000, 1))
    low, high = interval(bootstrap_means(values, rng=rng))
    assert (high - low)[0] == pytest.approx(2 * 1.96 * values.std() / np.sqrt(4000), rel=0.08)


def test_draws_are_shared_by_columns_and_seeded() -> None:
    values = np.random.default_rng(2).random((50, 2))
    both = bootstrap_means(values, rng=np.random.default_rng(9))
    alone = bootstrap_means(values[:, 1:], rng=np.random.default_rng(9))
    np.testing.assert_allclose(both[:, 1], alone[:, 0])
    np.testing.assert_allclose(bootstrap_means(values[:, [0, 0]], rng=np.random.default_rng(9)) @ [1, -1], 0.0)


def test_chunks_do_not_change_the_kind_of_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constant columns stay constant: every resample draws exactly n people, in small chunks too."""
    monkeypatch.setattr(statistics, "CHUNK", 100)
    means = bootstrap_means(np.ones((30, 1)), rng=np.random.default_rng(0), resamples=7)
    np.testing.assert_allclose(means, np.ones((7, 1)))


def test_no_people_is_refused() -> None:
    with pytest.raises(ValueError, match="no people"):
        bootstrap_means(np.empty((0, 1)), rng=np.random.default_rng(0))


def test_holm_against_a_worked_example() -> None:
    """Four p-values by hand: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 raised to 0.06."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_equal_models_are_not_told_apart() -> None:
    result = paired(np.zeros((40, 2)), rng=np.random.default_rng(0))
    assert result.p.tolist() == [1.0, 1.0]
    assert result.low.tolist() == result.high.tolist() == [0.0, 0.0]


def test_p_values_are_honest_without_a_difference_and_small_with_one() -> None:
    rng = np.random.default_rng(3)
    nothing = paired(rng.normal(0, 1, (100, 200)), rng=rng)
    assert 0.01 <= (nothing.p < 0.05).mean() <= 0.1
    assert (nothing.p_holm < 0.05).sum() <= 2
    clear = paired(rng.normal(0.5, 1, (100, 1)), rng=rng)
    assert clear.p[0] < 0.01
    assert clear.low[0] > 0


def test_p_agrees_with_the_interval() -> None:
    """p < 0.05 where the 95 % interval leaves 0 out."""
    rng = np.random.default_rng(4)
    means = rng.normal(rng.uniform(-3, 3, 200), 1, (2000, 200))
    low, high = interval(means)
    outside = (low > 0) | (high < 0)
    near = np.minimum(abs(low), abs(high)) < 0.02
    assert ((two_sided_p(means) < 0.05) == outside)[~near].all()

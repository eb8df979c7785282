"""Impact ratios against figures worked by hand, and against fairlearn where it is installed."""

from importlib.util import find_spec
from math import comb

import numpy as np
import polars as pl
import pytest

from metier.errors import DataRejectedError
from metier.evaluate.impact import above_median, impact


def people(counts):
    """`counts`: (sex, race) -> (people, selected); each person assessed once."""
    rows = [
        (sex, race, 1, int(place < selected)) for (sex, race), (n, selected) in counts.items() for place in range(n)
    ]
    return pl.DataFrame(rows, schema=["sex", "race", "assessed", "selected"], orient="row").with_row_index("person")


# By hand. Sex: women 30/100 = 0.30, men 60/120 = 0.50; ratios 0.30/0.50 = 0.6 and 1.
# Race: x 20/60 + 40/80 = 60/140, y 10/40 + 20/40 = 30/80 = 0.375; the highest is 60/140 = 0.428571, so y has 0.875.
# Crossed: (f, x) 1/3, (f, y) 1/4, (m, x) 1/2, (m, y) 1/2; ratios 2/3, 1/2, 1, 1.
# Two of unknown sex are left out of sex and of the crossing, and are in race.
HAND = people(
    {
        ("f", "x"): (60, 20),
        ("f", "y"): (40, 10),
        ("m", "x"): (80, 40),
        ("m", "y"): (40, 20),
    }
)
UNKNOWN = pl.DataFrame(
    {"person": [1000, 1001], "sex": [None, None], "race": ["x", "x"], "assessed": [1, 1], "selected": [0, 0]}
).cast(dict(HAND.schema))


def figures(table):
    return {row.category: row for row in table.rows}


def test_rates_and_ratios_worked_by_hand():
    everybody = pl.concat([HAND, UNKNOWN])
    sex = impact(everybody, ["sex"], rng=np.random.default_rng(0))
    assert (sex.people, sex.unknown) == (220, 2)
    women, men = (figures(sex)[name,] for name in "fm")
    assert (women.people, women.selected, women.rate) == (100, 30, 0.3)
    assert women.ratio == pytest.approx(0.6, abs=1e-12)
    assert (men.rate, men.ratio, men.p) == (0.5, 1.0, None)
    assert (women.share, women.small) == (100 / 220, False)

    race = impact(HAND, ["race"], rng=np.random.default_rng(0))
    assert figures(race)["y",].ratio == pytest.approx(0.875, abs=1e-12)
    assert race.unknown == 0

    crossed = impact(everybody, ["sex", "race"], rng=np.random.default_rng(0))
    ratios = {category: row.ratio for category, row in figures(crossed).items()}
    assert ratios == pytest.approx({("f", "x"): 2 / 3, ("f", "y"): 0.5, ("m", "x"): 1.0, ("m", "y"): 1.0}, abs=1e-12)
    assert crossed.unknown == 2


def test_fishers_p_is_the_sum_of_the_tables_no_likelier():
    """Women 1 of 8, men 5 of 9: with 6 selected of 17, P(w) = C(8, w) C(9, 6 - w) / C(17, 6)."""
    table = impact(people({("f", "x"): (8, 1), ("m", "x"): (9, 5)}), ["sex"], rng=np.random.default_rng(0))
    chance = [comb(8, w) * comb(9, 6 - w) / comb(17, 6) for w in range(7)]
    expected = sum(one for one in chance if one <= chance[1] * (1 + 1e-7))
    assert figures(table)["f",].p == pytest.approx(expected, rel=1e-9)


def test_four_fifths_is_flagged_with_its_interval():
    few = impact(people({("f", "x"): (20, 6), ("m", "x"): (20, 9)}), ["sex"], rng=np.random.default_rng(0))
    many = impact(people({("f", "x"): (2000, 600), ("m", "x"): (2000, 900)}), ["sex"], rng=np.random.default_rng(0))
    for table in (few, many):
        assert figures(table)["f",].ratio == pytest.approx(2 / 3)
        assert figures(table)["f",].below_four_fifths
        assert not figures(table)["m",].below_four_fifths
    assert not figures(few)["f",].interval_below
    assert figures(few)["f",].high > 1  # with so few the difference may be the other way round
    assert figures(many)["f",].interval_below


def test_the_interval_is_that_of_a_bootstrap_over_people():
    """Drawing cells is drawing people: a plain bootstrap, one person at a time, gives the same interval."""
    rng = np.random.default_rng(3)
    sex = HAND["sex"].to_numpy() == "f"
    chosen = HAND["selected"].to_numpy()
    ratios = []
    for _ in range(4000):
        drawn = rng.integers(len(HAND), size=len(HAND))
        ratios.append(chosen[drawn][sex[drawn]].mean() / chosen[drawn][~sex[drawn]].mean())
    women = figures(impact(HAND, ["sex"], rng=np.random.default_rng(0), resamples=4000))["f",]
    np.testing.assert_allclose([women.low, women.high], np.quantile(ratios, [0.025, 0.975]), atol=0.02)


def test_a_person_assessed_often_counts_as_one_draw():
    """Ten assessments of each person, all alike, say no more than one of each; and Fisher's test does not apply."""
    often = HAND.with_columns(pl.col("assessed") * 10, pl.col("selected") * 10)
    once = figures(impact(HAND, ["sex"], rng=np.random.default_rng(0)))["f",]
    ten = figures(impact(often, ["sex"], rng=np.random.default_rng(0)))["f",]
    assert (ten.ratio, ten.low, ten.high) == pytest.approx((once.ratio, once.low, once.high))
    assert (ten.people, ten.assessed, ten.p) == (100, 1000, None)


def test_small_categories_are_marked_and_may_be_left_out():
    """One of one is selected: a rate of 1, with 1 of 101 people."""
    counts = people({("f", "x"): (50, 10), ("m", "x"): (50, 20), ("d", "x"): (1, 1)})
    kept = figures(impact(counts, ["sex"], rng=np.random.default_rng(0)))
    assert kept["d",].small
    assert (kept["d",].ratio, kept["m",].ratio) == pytest.approx((1.0, 0.4))
    left_out = figures(impact(counts, ["sex"], rng=np.random.default_rng(0), exclude_small=True))
    assert (left_out["d",].ratio, left_out["d",].low, left_out["d",].p, left_out["d",].rate) == (None, None, None, 1.0)
    assert (left_out["f",].ratio, left_out["m",].ratio) == pytest.approx((0.5, 1.0))


def test_two_percent_is_not_below_two_percent():
    counts = people({("f", "x"): (49, 10), ("m", "x"): (49, 20), ("d", "x"): (2, 1)})
    assert not figures(impact(counts, ["sex"], rng=np.random.default_rng(0)))["d",].small


def test_nobody_selected_has_no_ratio():
    table = impact(people({("f", "x"): (5, 0), ("m", "x"): (5, 0)}), ["sex"], rng=np.random.default_rng(0))
    assert [(row.rate, row.ratio, row.low, row.p, row.below_four_fifths) for row in table.rows] == [
        (0.0, None, None, None, False)
    ] * 2


def test_nobody_known_is_an_error():
    with pytest.raises(DataRejectedError, match="known sex"):
        impact(UNKNOWN, ["sex"], rng=np.random.default_rng(0))


def test_above_the_median_is_strictly_above():
    """Scores 1, 2, 2, 3: the median is 2, and only 3 is above. Of 1, 2, 3, 4 (median 2.5) two are."""
    scores = np.array([[1.0, 1.0], [2.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
    assert above_median(scores).sum(axis=0).tolist() == [1, 2]


@pytest.mark.skipif(find_spec("fairlearn") is None, reason="fairlearn is not installed")
def test_fairlearn_gives_the_same_rates():
    from fairlearn.metrics import MetricFrame, selection_rate

    chosen = HAND["selected"].to_numpy()
    frame = MetricFrame(
        metrics=selection_rate, y_true=chosen, y_pred=chosen, sensitive_features=HAND.select("sex", "race").to_pandas()
    )
    table = impact(HAND, ["sex", "race"], rng=np.random.default_rng(0))
    for row in table.rows:
        assert row.rate == pytest.approx(frame.by_group[row.category])
        assert row.ratio == pytest.approx(frame.by_group[row.category] / frame.by_group.max())

from dataclasses import replace

import numpy as np
import pytest

from metier.evaluate.evaluation import About, Evaluation, evaluate
from metier.evaluate.metrics import LIST_METRICS, METRICS
from metier.evaluate.summary import SEGMENTS, against_best, best, differences, members, rows
from metier.testing.worlds import small_town

KEYS = ["model", "segment", "metric", "k", "value", "low", "high", "users"]


@pytest.fixture(scope="module")
def town() -> Evaluation:
    from toys import ByJob, Shuffled, Silent

    makes = {"by-job": ByJob, "shuffled": Shuffled, "silent": Silent}
    found = evaluate(small_town(), "temporal", {}, k=10, extra=makes)
    about = {label: About(None if label == "silent" else label, {}, "") for label in makes}
    return replace(found, about=about)


def test_segments_part_the_people() -> None:
    history = np.arange(30)
    for whole, parts in (("all", ("warm", "cold")), ("warm", [s for s in SEGMENTS if s.startswith("history")])):
        total = sum(members(history, part).astype(int) for part in parts)
        np.testing.assert_array_equal(total, members(history, whole))
    assert np.flatnonzero(members(history, "history 2-4")).tolist() == [2, 3, 4]
    assert np.flatnonzero(members(history, "history 5-9")).tolist() == [5, 6, 7, 8, 9]


def test_rows_have_the_agreed_shape(town: Evaluation) -> None:
    found = rows(town)
    assert all(list(row) == KEYS for row in found)
    assert {row["segment"] for row in found} == {"all", "warm", "cold", "history 1", "history 2-4", "history 5-9"}
    keys = [(row["model"], row["segment"], row["metric"], row["k"]) for row in found]
    assert len(set(keys)) == len(keys)
    everyone = {(metric, k) for model, segment, metric, k in keys if model == "by-job" and segment == "all"}
    assert everyone == {(m, 10) for m in [*METRICS, *LIST_METRICS]} | {("map", k) for k in (5, 15, 20, 25, 30)}
    assert {(m, k) for _, segment, m, k in keys if segment == "cold"} == {(m, 10) for m in METRICS}
    for row in found:
        if row["metric"] in LIST_METRICS:
            assert row["low"] is row["high"] is None
        else:
            assert row["low"] <= row["value"] <= row["high"]


def test_values_are_means_over_the_segment(town: Evaluation) -> None:
    history = town.people["history"].to_numpy()
    for segment in ("all", "warm", "cold", "history 1"):
        inside = members(history, segment)
        (row,) = (
            r for r in rows(town) if (r["model"], r["segment"], r["metric"], r["k"]) == ("by-job", segment, "map", 10)
        )
        assert row["users"] == inside.sum() > 0
        assert row["value"] == pytest.approx(town.values["by-job"][inside, 0].mean(), abs=1e-9)


def test_segments_can_be_chosen_and_all_stays(town: Evaluation) -> None:
    assert {row["segment"] for row in rows(town, ["cold"])} == {"all", "cold"}


def test_nothing_recommended_has_no_gini(town: Evaluation) -> None:
    (row,) = (r for r in rows(town) if r["model"] == "silent" and r["metric"] == "gini")
    assert row["value"] is None


def test_best_is_a_competitor_and_the_others_are_held_against_it(town: Evaluation) -> None:
    means = {label: values[:, 0].mean() for label, values in town.values.items()}
    expected = max(("by-job", "shuffled"), key=means.__getitem__)
    assert best(town) == expected
    found = against_best(town)
    assert [(one["model"], one["baseline"]) for one in found] == [(m, expected) for m in means if m != expected]
    for one in found:
        assert one["difference"] == pytest.approx(means[one["model"]] - means[expected], abs=1e-9)
        assert one["low"] <= one["difference"] <= one["high"]
        assert one["p"] <= one["p_holm"] <= 1


def test_an_oracle_does_not_compete(town: Evaluation) -> None:
    top = best(town)
    assert top is not None
    (other,) = {"by-job", "shuffled"} - {top}
    assert best(replace(town, about=town.about | {top: About(None, {}, "")})) == other


def test_differences_are_paired() -> None:
    """Two noisy models that differ by a constant: the pairing removes all noise."""
    noise = np.random.default_rng(0).random(60)
    values = {"a": noise, "b": noise + 0.01}
    (one,) = differences(values, [("b", "a")], metric="map", k=5, seed=0)
    assert one["low"] == pytest.approx(one["high"]) == pytest.approx(0.01)
    assert one["users"] == 60
    assert differences(values, [], metric="map", k=5, seed=0) == []

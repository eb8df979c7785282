"""What is after the cut-off never reaches the tables a model sees."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from metier.data import Tables
from metier.data.splits import Protocol, folds
from metier.errors import UsageError
from metier.testing.worlds import checkerboard, small_town

START = datetime(2012, 4, 1)


def day(n: float) -> datetime:
    return START + timedelta(days=n)


def pairs(frame: pl.DataFrame) -> set[tuple[str, str]]:
    return set(frame.select("person", "job").iter_rows())


def by_hand() -> Tables:
    return Tables.build(
        people=pl.DataFrame({"id": ["a", "b", "c"], "window": [1, 1, 2]}),
        jobs=pl.DataFrame(
            {
                "id": ["old", "live", "late", "open", "other"],
                "window": [1, 1, 1, 1, 2],
                "start": [day(-9), day(0), day(6), None, None],
                "end": [day(3), day(20), day(20), None, None],
            }
        ),
        history=pl.DataFrame({"person": ["a", "a"], "sequence": [1, 2], "title": ["x", "y"], "time": [day(1), day(7)]}),
        interactions=pl.DataFrame(
            [("a", "old", day(1)), ("a", "live", day(6)), ("a", "late", day(7)), ("b", "open", day(6)),
             ("b", "old", day(2)), ("c", "other", day(2)), ("c", "other", day(15))],
            schema=["person", "job", "time"],
            orient="row",
        ),
        windows=pl.DataFrame({"window": [1, 2], "start": [day(0), day(10)], "cutoff": [day(5), day(14)],
                              "end": [day(9), day(19)]}),
    )  # fmt: skip


def test_temporal_by_hand() -> None:
    one, two = folds(by_hand(), "temporal")
    assert pairs(one.train.interactions) == {("a", "old"), ("b", "old")}
    assert pairs(one.truth) == {("a", "live"), ("b", "open")}
    assert set(one.candidates) == {"live", "open"}
    assert set(one.train.jobs["id"]) == {"old", "live", "open"}, "a posting from after the cut-off is not known"
    assert one.train.history["title"].to_list() == ["x"]
    assert one.left_out == {"no time": 0, "applied to before the cut-off": 0, "job not live at the cut-off": 1}
    assert two.left_out["applied to before the cut-off"] == 1
    assert two.truth.is_empty()
    assert (one.cutoff, two.cutoff) == (day(5), day(14))


@pytest.mark.parametrize("protocol", ["leave-last-out", "given"])
def test_where_each_person_has_their_own_moment_there_is_no_common_cut_off(protocol: Protocol) -> None:
    for inner in (False, True):
        assert all(fold.cutoff is None for fold in folds(checkerboard(n=8), protocol, inner=inner))


def test_the_inner_cut_off_is_inside_the_history() -> None:
    for outer, inside in zip(folds(small_town(), "temporal"), folds(small_town(), "temporal", inner=True), strict=True):
        assert inside.cutoff is not None
        assert outer.cutoff == day(5)
        assert inside.cutoff == day(3)
        assert inside.train.interactions["time"].max() < inside.cutoff


def test_an_application_without_time_is_counted_as_left_out() -> None:
    tables = by_hand()
    first = pl.int_range(pl.len()) == 0
    timeless = tables.interactions.with_columns(time=pl.when(first).then(None).otherwise(pl.col("time")))
    one, _ = folds(tables.replace(interactions=timeless), "temporal")
    assert one.left_out["no time"] == 1
    assert pairs(one.train.interactions) == {("b", "old")}


def test_leave_last_out_by_hand() -> None:
    (fold,) = folds(by_hand(), "leave-last-out")
    assert pairs(fold.truth) == {("a", "late"), ("b", "open"), ("c", "other")}
    assert ("a", "late") not in pairs(fold.train.interactions)
    assert set(fold.candidates) == {"old", "live", "late", "open", "other"}


def test_leave_last_out_orders_ties_by_job_number_then_name() -> None:
    tables = Tables.build(
        people=pl.DataFrame({"id": ["n", "s", "once"]}),
        jobs=pl.DataFrame({"id": ["9", "10", "x", "y"]}),
        interactions=pl.DataFrame(
            {"person": ["n", "n", "s", "s", "once"], "job": ["10", "9", "y", "x", "9"], "time": [day(1)] * 5}
        ),
    )
    (fold,) = folds(tables, "leave-last-out")
    assert pairs(fold.truth) == {("n", "10"), ("s", "y")}, "10 comes after 9, y after x, one alone is no truth"


def test_leave_last_out_without_times_keeps_the_order_of_the_file() -> None:
    tables = checkerboard(n=6)
    (fold,) = folds(tables, "leave-last-out")
    last = tables.interactions.group_by("person", maintain_order=True).last()
    assert pairs(fold.truth) == pairs(last)


def test_given_is_the_split_of_the_data() -> None:
    tables = checkerboard(n=8)
    (fold,) = folds(tables, "given")
    assert pairs(fold.truth) == pairs(tables.interactions.filter(pl.col("split") == "test"))
    assert pairs(fold.truth) | pairs(fold.train.interactions) == pairs(tables.interactions)


def test_missing_times_and_missing_split_name_the_cure() -> None:
    with pytest.raises(UsageError, match="use 'given'"):
        list(folds(checkerboard(), "temporal"))
    with pytest.raises(UsageError, match="split"):
        list(folds(small_town(), "given"))


def test_data_without_windows_is_cut_after_two_thirds_of_its_time() -> None:
    town = small_town()
    tables = town.replace(windows=town.windows.clear())
    (fold,) = folds(tables, "temporal")
    times = tables.interactions["time"]
    cutoff = times.min() + (times.max() - times.min()) * 2 / 3
    assert fold.train.interactions["time"].max() < cutoff
    assert len(fold.truth) == (times >= cutoff).sum()
    (inside,) = folds(tables, "temporal", inner=True)
    assert not inside.truth.is_empty()


@pytest.mark.parametrize("protocol", ["temporal", "leave-last-out", "given"])
def test_inner_truth_is_history_of_the_outer_fold(protocol: Protocol) -> None:
    """Tuning never sees what is reported: inside the inner fold there is nothing of the outer truth."""
    tables = checkerboard() if protocol == "given" else small_town()
    for outer, inside in zip(folds(tables, protocol), folds(tables, protocol, inner=True), strict=True):
        assert not inside.truth.is_empty()
        assert pairs(inside.truth) <= pairs(outer.train.interactions)
        assert not pairs(inside.train.interactions) & (pairs(outer.truth) | pairs(inside.truth))


@pytest.mark.parametrize("protocol", ["temporal", "leave-last-out"])
def test_nothing_after_the_cut_off_is_in_the_dataset(protocol: Protocol) -> None:
    """Plant a posting, a past job and an application in the future: no byte of them reaches what models learn from."""
    from metier.features.assemble import assemble

    town, future = small_town(), START + timedelta(days=8.9)
    planted = town.replace(
        history=pl.concat(
            [town.history, pl.DataFrame({"person": ["p0"], "sequence": [9], "title": ["SECRETTITLE"], "text": [None],
                                         "time": [future + timedelta(hours=1)]}, schema=town.history.schema)]
        ),
        interactions=pl.concat(
            [town.interactions, pl.DataFrame({"person": ["p0"], "job": ["secret-job"], "time": [future],
                                              "weight": [1.0], "split": [None]}, schema=town.interactions.schema)]
        ),
        jobs=pl.concat(
            [town.jobs, pl.DataFrame({"id": ["secret-job"], "window": [1], "title": ["SECRETPOSTING"],
                                      "start": [future]}, schema_overrides=town.jobs.schema)], how="diagonal"
        ),
    )  # fmt: skip
    for fold in folds(planted, protocol):
        data = assemble(fold.train).dataset
        assert not any("SECRETTITLE" in text for text in data.user_texts)
        assert ("p0", "secret-job") not in pairs(fold.train.interactions)
        if protocol == "temporal":
            assert "secret-job" not in data.items.ids
            assert not any("SECRETPOSTING" in text for text in data.item_texts)
        else:  # everybody has a cut-off of their own, so the posting is in the catalogue and is what p0 applied to last
            assert ("p0", "secret-job") in pairs(fold.truth)

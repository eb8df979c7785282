"""The loop over folds and models: what models see, what is kept, and figures worked by hand."""

from typing import Self

import numpy as np
import polars as pl
import pytest
from toys import ByJob

from metier.data import Dataset, Tables
from metier.data.splits import folds
from metier.errors import ConfigError, MetierError, UsageError
from metier.evaluate.evaluation import Evaluation, evaluate
from metier.testing.worlds import checkerboard, small_town


def three_people() -> Tables:
    """Jobs a to f. ann applied to f, then to d and b; bob to nothing, then to e; cy only ever to a, in the past."""
    pairs = [
        ("ann", "f", "train"),
        ("cy", "a", "train"),
        ("ann", "d", "test"),
        ("ann", "b", "test"),
        ("bob", "e", "test"),
    ]
    return Tables.build(
        people=pl.DataFrame({"id": ["cy", "bob", "ann"]}),
        jobs=pl.DataFrame({"id": list("abcdef")}),
        interactions=pl.DataFrame(pairs, schema=["person", "job", "split"], orient="row"),
    )


def test_figures_worked_by_hand() -> None:
    """by-job shows f e d c b a to bob, and e d c b a to ann, who had f: her hits are at 2 and 4, his at 2."""
    found = evaluate(three_people(), "given", {"by-job": ("by-job", {})}, k=3)
    assert found.people["person"].to_list() == ["bob", "ann"]
    assert found.people["history"].to_list() == [0, 1]
    assert found.people["relevant"].to_list() == [1, 2]
    values = dict(zip(found.columns, found.values["by-job"].T.tolist(), strict=True))
    assert values["map", 3] == pytest.approx([1 / 2, (1 / 2) / 2])
    assert values["map", 5] == pytest.approx([1 / 2, (1 / 2 + 2 / 4) / 2])
    assert values["recall", 3] == pytest.approx([1.0, 0.5])
    assert values["precision", 3] == pytest.approx([1 / 3, 1 / 3])
    assert values["mrr", 3] == pytest.approx([0.5, 0.5])
    assert values["ndcg", 3] == pytest.approx([1 / np.log2(3), (1 / np.log2(3)) / (1 + 1 / np.log2(3))])
    assert found.list_values["by-job"]["coverage"] == pytest.approx(4 / 6)  # f e d and e d c
    assert found.left_out == {"given": {"person without a relevant job": 1}}
    assert found.sizes.row(0) == ("given", 3, 2, 6, 2)


def test_models_see_nothing_from_after_the_cutoff() -> None:
    seen: list[Dataset] = []

    class Watcher(ByJob):
        def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
            seen.append(data)
            return super().fit(data, rng=rng)

    tables = small_town()
    evaluate(tables, "temporal", {}, extra={"watcher": Watcher})
    fold = next(iter(folds(tables, "temporal")))
    (data,) = seen
    cutoff = fold.train.windows["cutoff"][0].timestamp()
    assert (data.interactions.times < cutoff).all()
    before = set(zip(data.interactions.users.tolist(), data.interactions.items.tolist(), strict=True))
    after = {(data.users.number(person), data.items.number(job)) for person, job in fold.truth.iter_rows()}
    assert before
    assert after
    assert not before & after


def test_lists_hold_live_candidates_that_are_new_to_the_person() -> None:
    tables = small_town()
    cutoff = tables.windows["cutoff"][0]
    closed = tables.jobs["id"][:10].to_list()
    ends = pl.when(pl.col("id").is_in(closed)).then(cutoff - pl.duration(days=1)).otherwise(None)
    found = evaluate(tables.replace(jobs=tables.jobs.with_columns(end=ends)), "temporal", {"s": ("shuffled", {})})
    jobs, fold = found.jobs, next(iter(folds(tables, "temporal")))
    past = set(fold.train.interactions.select("person", "job").iter_rows())
    for person, items in zip(found.people["person"], found.ranked["s"].items, strict=True):
        shown = [jobs[int(item)] for item in items if item >= 0]
        assert len(shown) == len(set(shown)) == 30
        assert not set(shown) & set(closed)
        assert not {(person, job) for job in shown} & past
    assert len(found.candidates) == len(tables.jobs) - 10


def test_two_windows_are_judged_apart_and_added_up() -> None:
    """The town twice, as windows 1 and 2 with ids of their own: the same people twice, the same mean."""
    models = {"by-job": ("by-job", {})}
    one, two = evaluate(small_town(), "temporal", models), evaluate(two_windows(), "temporal", models)
    assert two.sizes["fold"].to_list() == ["window 1", "window 2"]
    assert len(two.people) == 2 * len(one.people)
    np.testing.assert_allclose(two.values["by-job"], np.vstack([one.values["by-job"]] * 2))
    assert two.list_values["by-job"] == pytest.approx(one.list_values["by-job"])


def two_windows() -> Tables:
    town = small_town()
    again = Tables(**{name: _renamed(frame) for name, frame in vars(town).items()})
    return Tables(**{name: pl.concat([getattr(town, name), getattr(again, name)]) for name in vars(town)})


def _renamed(frame: pl.DataFrame) -> pl.DataFrame:
    ids = [name for name in ("id", "person", "job") if name in frame.columns]
    windows = [pl.lit(2, pl.Int16).alias("window")] if "window" in frame.columns else []
    return frame.with_columns(*(pl.col(name) + "-2" for name in ids), *windows)


def test_a_model_does_not_depend_on_the_others_and_the_seed_decides() -> None:
    def items(models: list[str], seed: int) -> np.ndarray:
        found = evaluate(small_town(), "temporal", {name: (name, {}) for name in models}, seed=seed)
        return found.ranked["shuffled"].items

    alone = items(["shuffled"], 0)
    np.testing.assert_array_equal(items(["by-job", "shuffled"], 0), alone)
    assert (items(["shuffled"], 1) != alone).any()


def test_settings_reach_the_model() -> None:
    models = {"up": ("by-job", {"sign": -1.0}), "down": ("by-job", {})}
    found = evaluate(three_people(), "given", models, k=3)
    assert found.ranked["up"].items[0, :3].tolist() == [0, 1, 2]
    assert found.ranked["down"].items[0, :3].tolist() == [5, 4, 3]
    assert found.about["up"].settings == {"sign": -1.0}
    assert found.about["up"].note == ByJob.note


def test_silence_scores_zero() -> None:
    found = evaluate(checkerboard(), "given", {"silent": ("silent", {})})
    assert (found.values["silent"] == 0).all()
    assert found.list_values["silent"]["coverage"] == 0
    assert np.isnan(found.list_values["silent"]["gini"])


def test_one_failure_leaves_the_others() -> None:
    found = evaluate(checkerboard(), "given", {"broken": ("broken", {}), "by-job": ("by-job", {})})
    assert found.failed == {"broken": "given: FloatingPointError: it does not converge"}
    assert list(found.ranked) == ["by-job"]


def test_a_model_that_failed_once_is_out() -> None:
    """It is not tried on the next window, and the lists of the window where it worked are dropped."""
    tries: list[int] = []

    class Moody(ByJob):
        def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
            tries.append(len(tries))
            if len(tries) == 1:
                raise ValueError("not today")
            return super().fit(data, rng=rng)

    found = evaluate(two_windows(), "temporal", {"by-job": ("by-job", {})}, extra={"moody": Moody})
    assert found.failed == {"moody": "window 1: ValueError: not today"}
    assert list(found.ranked) == ["by-job"]
    assert tries == [0]


def test_a_model_whose_package_is_absent_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from metier.models.registry import MODELS

    monkeypatch.setitem(MODELS, "absent", "metier_absent:Model")
    found = evaluate(checkerboard(), "given", {"absent": ("absent", {}), "by-job": ("by-job", {})})
    assert "ModuleNotFoundError" in found.failed["absent"]


def test_wrong_use_is_said_before_the_first_fit() -> None:
    with pytest.raises(MetierError, match=r"every model failed.*converge"):
        evaluate(checkerboard(), "given", {"broken": ("broken", {})})
    with pytest.raises(UsageError, match="no model 'nope'"):
        evaluate(checkerboard(), "given", {"broken": ("broken", {}), "nope": ("nope", {})})
    with pytest.raises(ConfigError, match="speed"):
        evaluate(checkerboard(), "given", {"broken": ("broken", {}), "by-job": ("by-job", {"speed": 1})})
    nobody = three_people().replace(interactions=three_people().interactions.head(2))
    with pytest.raises(UsageError, match="nobody has a relevant job"):
        evaluate(nobody, "leave-last-out", {"by-job": ("by-job", {})})


def test_progress_counts_every_fit() -> None:
    calls: list[tuple[int, int, str]] = []
    models = {"a": ("by-job", {}), "b": ("by-job", {})}
    evaluate(small_town(), "temporal", models, progress=lambda *step: calls.append(step))
    assert calls == [(0, 2, "window 1: a"), (1, 2, "window 1: b")]


def test_oracle_of_the_checkerboard_is_perfect() -> None:
    """A recommender that knows the truth scores 1 on every metric it can reach."""

    class Knowing(ByJob):
        def score(self, query, items=None):  # type: ignore[no-untyped-def]
            job, person = np.arange(50)[None, :], query.users[:, None]
            return np.where(job % 2 == person % 2, 1.0, 0.0).astype(np.float32)

    found: Evaluation = evaluate(checkerboard(), "given", {}, extra={"oracle": Knowing})
    means = dict(zip(found.columns, found.values["oracle"].mean(axis=0).tolist(), strict=True))
    assert means["map", 25] == means["ndcg", 25] == means["recall", 25] == means["mrr", 25] == 1.0
    assert found.about["oracle"].model is None

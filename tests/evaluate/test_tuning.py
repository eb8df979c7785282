"""Tuning: the budget, the inner split, what depends on what, and the file that survives."""

import json
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import polars as pl
import pytest
from pydantic import Field
from toys import ByJob

from metier.data import Dataset, Floats, Nums, Query, Tables
from metier.data.splits import folds
from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.errors import MetierError, UsageError
from metier.evaluate import tuning
from metier.evaluate.evaluation import Progress
from metier.evaluate.trial_round import Rounds
from metier.evaluate.trials import Plan, Trial, TrialLog, fingerprint
from metier.evaluate.tuning import best, experiment, outcome, proposal, tune
from metier.models.base import ModelConfig
from metier.models.registry import MODELS
from metier.models.search import Search
from metier.testing.worlds import small_town

PLAN = Plan(dataset="town", fingerprint="f", protocol="leave-last-out", trials=10, seconds=1e6)


class DialConfig(ModelConfig):
    x: Annotated[float, Search(0, 1)] = Field(default=0.9, ge=0, le=1)


class Dial(ByJob):
    """Co-applications under noise that is least at x = 0.3; above 0.95 it breaks."""

    config: DialConfig  # type: ignore[assignment]

    def __init__(self, config: DialConfig = DialConfig()) -> None:
        self.config = config  # type: ignore[assignment]

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        if self.config.x > 0.95:
            raise FloatingPointError("x is too large")
        noise = np.random.default_rng(0).random((len(data.items), len(data.items)))
        self.shared_ = (data.matrix.T @ data.matrix).toarray() + 30 * abs(self.config.x - 0.3) * noise  # (I, I)
        return self

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        scores = np.asarray(query.history @ self.shared_, np.float32)
        return scores if items is None else scores[:, items]


@pytest.fixture(autouse=True)
def _dial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "dial", f"{__name__}:Dial")


@pytest.fixture(scope="module")
def town() -> Tables:
    return small_town()


def killed_after(trials: int) -> Progress:
    left = iter(range(trials))

    def step(*_: Any) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return step


def figures(trials: list[Trial]) -> list[tuple[Any, ...]]:
    """All but the seconds, which differ between equal runs."""
    return [(one.model, one.trial, one.settings, one.value, one.low, one.high, one.error) for one in trials]


def test_the_first_trial_has_the_defaults_and_the_best_is_near_the_optimum(town: Tables, tmp_path: Path) -> None:
    log = TrialLog(tmp_path, PLAN)
    (found,) = tune(town, PLAN, ["dial"], log)
    assert log.trials[0].settings == {"x": 0.9}
    assert found.trials == len(log.trials) == 10
    assert found.best
    assert found.default
    assert found.best.value == max(one.value or 0 for one in log.trials)
    assert found.best.low <= found.best.value <= found.best.high
    assert found.best.value > found.default.value
    assert abs(found.best.settings["x"] - 0.3) < 0.15
    assert len({one.settings["x"] for one in log.trials}) == 10


def test_the_second_half_stays_near_the_best() -> None:
    past = [Trial("dial", n, {"x": n / 50}, 1.0, value=float(n == 3)) for n in range(9)]
    steps = [proposal(PLAN.model_copy(update={"seed": seed}), "dial", past) for seed in range(200)]
    distances = [abs(one["x"] - 0.06) for one in steps if one]
    assert np.mean(distances) < 0.15
    early = [proposal(PLAN.model_copy(update={"seed": seed}), "dial", past[:4]) for seed in range(200)]
    assert np.mean([one["x"] for one in early if one]) == pytest.approx(0.5, abs=0.07)


def test_a_models_trials_do_not_depend_on_the_others(town: Tables, tmp_path: Path) -> None:
    alone, among = TrialLog(tmp_path / "a", PLAN), TrialLog(tmp_path / "b", PLAN)
    tune(town, PLAN, ["dial"], alone)
    tune(town, PLAN, ["item-knn", "dial", "broken"], among)
    assert figures(among.of("dial")) == figures(alone.trials)
    turns = [one.model for one in among.trials]
    assert turns[:6] == ["item-knn", "dial", "broken", "item-knn", "dial", "item-knn"]


def test_an_interrupted_tuning_ends_as_a_whole_one_does(
    town: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = TrialLog(tmp_path / "whole", PLAN)
    tune(town, PLAN, ["dial", "rp3beta"], whole)
    for number in range(3):  # killed at several places, the last line each time half on the disk
        log = TrialLog(tmp_path / "cut", PLAN)

        with pytest.raises(KeyboardInterrupt):
            tune(town, PLAN, ["dial", "rp3beta"], log, progress=killed_after(3 + number))
        with log.path.open("ab") as file:
            file.write(b'{"model": "dial", "tri')
    log = TrialLog(tmp_path / "cut", PLAN)
    assert len(log.trials) == 12
    tune(town, PLAN, ["dial", "rp3beta"], log)
    assert figures(log.trials) == figures(whole.trials)
    assert figures(TrialLog(tmp_path / "cut", PLAN).trials) == figures(whole.trials)
    monkeypatch.setattr(tuning, "run_trial", None)  # nothing left to do
    tune(town, PLAN, ["dial", "rp3beta"], TrialLog(tmp_path / "cut", PLAN))


@pytest.mark.parametrize("workers", [1, 2])
def test_rounds_on_an_engine_give_the_same_trials(workspace: Workspace, tmp_path: Path, workers: int) -> None:
    plan, models = PLAN.model_copy(update={"trials": 3}), ["item-knn", "rp3beta", "popularity"]
    alone, spread = TrialLog(tmp_path / "alone", plan), TrialLog(tmp_path / "spread", plan)
    tune(workspace.load("town"), plan, models, alone)
    with open_engine("local", workers=workers) as engine:
        rounds = Rounds(engine, workspace, plan, tmp_path / "cells")
        tune(workspace.load("town"), plan, models, spread, rounds=rounds)
    assert figures(spread.trials) == figures(alone.trials)


def test_the_outer_truth_cannot_be_reached(town: Tables, tmp_path: Path) -> None:
    """Other last applications, the same trials."""
    (outer,) = folds(town, "leave-last-out")
    past = set(town.interactions.select("person", "job").iter_rows())
    fresh = [next(job for job in town.jobs["id"] if (person, job) not in past) for person in outer.truth["person"]]
    last = town.interactions.join(outer.truth, on=["person", "job"], how="right").with_columns(job=pl.Series(fresh))
    swapped = town.replace(interactions=pl.concat([outer.train.interactions, last], how="diagonal"))
    logs = [TrialLog(tmp_path / name, PLAN) for name in "ab"]
    short = PLAN.model_copy(update={"trials": 3})
    for tables, log in zip((town, swapped), logs, strict=True):
        tune(tables, short, ["dial", "rp3beta"], log)
    assert figures(logs[0].trials) == figures(logs[1].trials)


def test_a_budget_of_seconds_ends_a_model_between_trials(tmp_path: Path, town: Tables) -> None:
    plan = PLAN.model_copy(update={"seconds": 400.0})
    log = TrialLog(tmp_path, plan)
    for number, settings in enumerate([{"x": 0.9}, proposal(plan, "dial", [Trial("dial", 0, {"x": 0.9}, 300.0, 0.1)])]):
        log.add(Trial("dial", number, settings or {}, 300.0, value=0.1))
    (found, other) = tune(town, plan, ["dial", "popularity"], log)
    assert (found.trials, found.seconds) == (2, 600.0)
    assert other.trials > 2


def test_a_small_space_is_exhausted_and_a_model_without_one_has_one_trial(town: Tables, tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"trials": 40})
    popularity, random = tune(town, plan, ["popularity", "random"], TrialLog(tmp_path, plan))
    assert popularity.trials == 7  # the values of half_life_days
    assert random.trials == 1


def test_a_failing_trial_is_recorded_and_a_hopeless_model_given_up(town: Tables, tmp_path: Path) -> None:
    log = TrialLog(tmp_path, PLAN)
    log.add(Trial("dial", 0, {"x": 0.9}, 0.1, error="out of memory"))
    dial, broken = tune(town, PLAN, ["dial", "broken"], log)
    assert (dial.trials, dial.failed >= 1, dial.default) == (10, True, None)
    assert (broken.trials, broken.failed, broken.best) == (1, 1, None)
    assert "FloatingPointError: it does not converge" in (log.of("broken")[0].error or "")
    past = [Trial("dial", n, {"x": 0.96 + n / 100}, 0.1, error="x") for n in range(3)]
    assert tuning._next(PLAN, "dial", past) is None
    assert tuning._next(PLAN, "dial", past[:2]) is not None


def test_the_experiment_compares_defaults_and_what_beat_them() -> None:
    flat = [Trial("rp3beta", 0, {"alpha": 0.6, "beta": 0.15, "neighbours": 0}, 1.0, 0.2, 0.1, 0.3)]
    better = [
        Trial("dial", 0, {"x": 0.9}, 1.0, 0.1, 0.0, 0.2),
        Trial("dial", 1, {"x": 0.4}, 1.0, 0.3, 0.2, 0.4),
        Trial("dial", 2, {"x": 0.5}, 1.0, 0.3, 0.2, 0.4),
    ]
    assert best(better) is better[1]
    asked = experiment(PLAN, [outcome("rp3beta", flat), outcome("dial", better)])
    assert list(asked.models) == ["rp3beta", "dial", "dial-tuned"]
    assert asked.models["dial-tuned"].settings == {"x": 0.4}
    assert asked.models["dial-tuned"].trials == 3
    assert not asked.inner
    assert (asked.budget and asked.budget.trials, asked.seed, asked.k) == (10, 0, 25)
    with pytest.raises(MetierError, match="every trial failed"):
        experiment(PLAN, [outcome("dial", [Trial("dial", 0, {"x": 0.9}, 1.0, error="x")])])


@pytest.mark.parametrize("change", [{"fingerprint": "other"}, {"trials": 11}, {"seed": 1}, {"version": "0"}])
def test_another_question_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    TrialLog(tmp_path, PLAN)
    with pytest.raises(UsageError, match=rf"{next(iter(change))} .* there, .* now.*cure: another name"):
        TrialLog(tmp_path, PLAN.model_copy(update=change))


def test_trials_of_another_search_space_are_refused(town: Tables, tmp_path: Path) -> None:
    log = TrialLog(tmp_path, PLAN)
    log.add(Trial("dial", 0, {"x": 0.8}, 1.0, 0.1))
    with pytest.raises(UsageError, match=r"trial 0 of dial .*search space or defaults changed; cure"):
        tune(town, PLAN, ["dial"], log)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "line 2, is not a line of JSON"),
        ('{"model": "dial"}', "line 2, has model instead of"),
        (json.dumps(vars(Trial("dial", 4, {}, 1.0))), "line 2, is trial 4 of dial after 0"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, line: str, named: str) -> None:
    path = TrialLog(tmp_path, PLAN).path
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(MetierError, match=named):
        TrialLog(tmp_path, PLAN)


def test_nobody_to_judge_is_said(town: Tables, tmp_path: Path) -> None:
    nobody = town.replace(interactions=town.interactions.clear())
    with pytest.raises(UsageError, match="nobody has a relevant job"):
        tune(nobody, PLAN, ["dial"], TrialLog(tmp_path, PLAN))


def test_the_fingerprint_follows_the_tables(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "people.parquet")
    (tmp_path / "dataset.json").write_text("{}")
    first = fingerprint(tmp_path)
    (tmp_path / "dataset.json").write_text("{1}")
    assert fingerprint(tmp_path) == first
    pl.DataFrame({"a": [2]}).write_parquet(tmp_path / "people.parquet")
    assert fingerprint(tmp_path) != first

"""Tune: every model gets the same budget, on the inner split, from one seed.

Trial 0 of a model has its defaults. The first half of the trials are random points of its search space (Bergstra &
Bengio 2012); in the second half each is a random step away from the best so far. The truth that is reported later is
never read: trials are judged on a cut inside each fold's history (`metier.data.splits.folds`).

A trial depends on the seed, the model, its number and the model's earlier trials, on nothing else. So an interrupted
tuning goes on to the same end, and a model's trials are the same whichever other models run; only a budget of seconds,
which counts the time this machine takes, can end two runs after different numbers of trials.
"""

import json
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from metier.data import Tables
from metier.errors import MetierError, UsageError
from metier.evaluate.evaluation import Progress, Stage, evaluate, prepare
from metier.evaluate.experiment import Budget, Experiment, ModelEntry
from metier.evaluate.statistics import bootstrap_means, interval
from metier.evaluate.trials import Plan, Trial, TrialLog
from metier.models.registry import config_class
from metier.models.search import draw, near, space

RADIUS = 0.15
"""Standard deviation of a step from the best so far, in widths of each range."""

DRAWS = 50
"""Draws in search of settings that are allowed and new; after as many in vain the space counts as exhausted."""

GIVE_UP = 3
"""A model whose first trials all fail is given up after this many."""


@dataclass(frozen=True)
class Outcome:
    """What a model's budget bought; `default` and `best` are None where no such trial succeeded."""

    model: str
    trials: int
    failed: int
    seconds: float
    default: Trial | None
    best: Trial | None

    @property
    def changed(self) -> dict[str, Any]:
        """The best settings that differ from the defaults; none when no trial beat them."""
        if self.best is None:
            return {}
        defaults = _defaults(self.model)
        return {name: value for name, value in self.best.settings.items() if value != defaults[name]}


@dataclass(frozen=True)
class Asked:
    """A trial that is due."""

    model: str
    number: int
    settings: dict[str, Any]


def tune(
    tables: Tables,
    plan: Plan,
    models: Sequence[str],
    log: TrialLog,
    *,
    progress: Progress | None = None,
    rounds: Callable[[Sequence[Asked]], Sequence[Trial]] | None = None,
) -> list[Outcome]:
    """Run the trials that `log` does not hold yet, the models by turns; one outcome a model.

    Parameters
    ----------
    rounds : runs one trial of each model at a time, such as `metier.evaluate.trial_round.Rounds`; here, one after the
        other, when None.

    A trial that fails is recorded with its reason and the others go on. A budget of seconds is looked at between
    trials: a fit that has begun is never cut.

    Raises
    ------
    UsageError : an unknown model, nobody to judge on the inner split, or trials on file that were drawn from another
        search space.
    """
    for model in models:
        _check_replay(plan, model, log.of(model))
    stages: list[Stage] = []
    for number in range(plan.trials):
        due = []
        for turn, model in enumerate(models):
            past = log.of(model)
            if len(past) != number:  # done before, or no longer at it
                continue
            settings = _next(plan, model, past)
            if settings is None:
                continue
            if progress:
                left = _time_left(plan, models, log)
                progress(number * len(models) + turn, plan.trials * len(models), f"{model}, {left}")
            asked = Asked(model, number, settings)
            if rounds:
                due.append(asked)
            else:
                stages = stages or list(prepare(tables, plan.protocol, inner=True))
                log.add(run_trial(tables, stages, plan, asked))
        for trial in rounds(due) if rounds and due else ():
            log.add(trial)
    return [outcome(model, log.of(model)) for model in models]


def outcome(model: str, trials: Sequence[Trial]) -> Outcome:
    """The summary of one model's trials."""
    first = trials[0] if trials and trials[0].error is None else None
    failed = sum(trial.error is not None for trial in trials)
    return Outcome(model, len(trials), failed, sum(trial.seconds for trial in trials), first, best(trials))


def best(trials: Iterable[Trial]) -> Trial | None:
    """The trial with the highest value, the earliest of equal ones."""
    return max((one for one in trials if one.value is not None), key=lambda one: one.value or 0.0, default=None)


def experiment(plan: Plan, outcomes: Sequence[Outcome]) -> Experiment:
    """What shows whether it helped: each model as it comes and, where a trial beat that, as `<model>-tuned`.

    Judged on the outer truth, which no trial has seen. MetierError when no model has a trial that succeeded.
    """
    entries: dict[str, ModelEntry] = {}
    for one in outcomes:
        if one.default is not None:
            entries[one.model] = ModelEntry()
        if one.best is not None and one.changed:
            entries[f"{one.model}-tuned"] = ModelEntry(model=one.model, settings=one.changed, trials=one.trials)
    if not entries:
        raise MetierError("every trial failed, so there is nothing to compare; cure: see the reasons in trials.jsonl")
    budget = Budget(trials=plan.trials, seconds=plan.seconds, seed=plan.seed)
    return Experiment(
        dataset=plan.dataset, protocol=plan.protocol, k=plan.k, seed=plan.seed, budget=budget, models=entries
    )


def proposal(plan: Plan, model: str, past: Sequence[Trial]) -> dict[str, Any] | None:
    """The settings of the trial after `past`; None when nothing new is left to try."""
    config, number = config_class(model), len(past)
    searched = space(config)
    if number == 0:
        return _plain(_defaults(model))
    rng = np.random.default_rng([plan.seed, zlib.crc32(model.encode()), number])
    leader = best(past) if 2 * number >= plan.trials else None
    for _ in range(DRAWS):
        settings = _plain(near(searched, leader.settings, RADIUS, rng) if leader else draw(searched, rng))
        try:
            config(**settings)
        except ValidationError:  # allowed one by one, not together
            continue
        if all(settings != trial.settings for trial in past):
            return settings
    return None


def _next(plan: Plan, model: str, past: Sequence[Trial]) -> dict[str, Any] | None:
    """The settings of the next trial, None when the model is done."""
    spent = sum(trial.seconds for trial in past)
    hopeless = len(past) >= GIVE_UP and all(trial.error for trial in past)
    return None if spent >= plan.seconds or hopeless else proposal(plan, model, past)


def run_trial(tables: Tables, stages: Sequence[Stage], plan: Plan, asked: Asked) -> Trial:
    """Fit on every fold and judge; the interval is not on the clock."""
    model, number, settings = asked.model, asked.number, asked.settings
    started = time.perf_counter()
    try:
        judged = evaluate(
            tables, plan.protocol, {model: (model, settings)}, k=plan.k, seed=plan.seed, inner=True, stages=stages
        )
    except UsageError:
        raise
    except MetierError as error:
        return Trial(model, number, settings, round(time.perf_counter() - started, 3), error=str(error))
    values = judged.values[model][:, :1]  # (n, 1) MAP at k
    seconds = round(time.perf_counter() - started, 3)
    lowest, highest = interval(bootstrap_means(values, rng=np.random.default_rng(plan.seed)))
    value, low, high = (round(float(figure), 10) for figure in (values.mean(), lowest[0], highest[0]))
    return Trial(model, number, settings, seconds, value, low, high)


def _check_replay(plan: Plan, model: str, past: Sequence[Trial]) -> None:
    """Trials on file must be those this code would draw, or going on would mix two searches."""
    for trial in past:
        asked = proposal(plan, model, past[: trial.trial])
        if asked != trial.settings:
            raise UsageError(
                f"trial {trial.trial} of {model} on file has {trial.settings} where this version draws {asked}: its "
                "search space or defaults changed; cure: another name (--as), or delete the folder to start anew"
            )


def _time_left(plan: Plan, models: Sequence[str], log: TrialLog) -> str:
    """A guess from the mean trial of each model, of all models for one that has none yet."""
    if not log.trials:
        return "first trial"
    overall = sum(trial.seconds for trial in log.trials) / len(log.trials)
    seconds = 0.0
    for model in models:
        past = log.of(model)
        spent = sum(trial.seconds for trial in past)
        mean = spent / len(past) if past else overall
        seconds += max(0.0, min(mean * (plan.trials - len(past)), plan.seconds - spent))
    return f"about {seconds / 60:.0f} min left" if seconds >= 60 else f"about {seconds:.0f} s left"


def _defaults(model: str) -> dict[str, Any]:
    """The searched settings as they come."""
    config = config_class(model)
    return {name: config.model_fields[name].default for name in space(config)}


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """As the log gives them back: lists for tuples."""
    return dict(json.loads(json.dumps(settings)))

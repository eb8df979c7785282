"""Trials of several models at a time on an engine.

A model's next trial depends on its earlier ones, so what runs side by side is one trial of each model. A round is
written to the log when all of it is there; what a killed tuning had finished of one is found again.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from metier.data.workspace import Workspace
from metier.engine import RunningEngine, Work, kept, work
from metier.engine import parts as storage
from metier.evaluate.evaluation import prepare
from metier.evaluate.trials import Plan, Trial
from metier.evaluate.tuning import Asked, run_trial

ASKED = {"model": pl.String, "number": pl.Int64, "settings": pl.String}


@dataclass(frozen=True)
class Rounds:
    """Runs rounds of trials on an engine; `folder` holds the one under way.

    Parameters
    ----------
    workspace : holds the dataset of the plan; workers find it under the same path.
    """

    engine: RunningEngine
    workspace: Workspace
    plan: Plan
    folder: Path

    def __call__(self, asked: Sequence[Asked]) -> list[Trial]:
        """The trials of a round, in the order asked."""
        rows = [(one.model, one.number, json.dumps(one.settings)) for one in asked]
        settings = {"home": str(self.workspace.home.absolute()), "plan": self.plan.model_dump(mode="json")}
        parts = storage.save_table(pl.DataFrame(rows, ASKED, orient="row"), str(self.folder / "in"), rows=1)
        done = self.engine.map_batches(
            Work("metier.evaluate.trial_round:judge", settings), parts, str(self.folder / "out")
        )
        return [Trial(**json.loads(storage.load(url)["trial"][0])) for url in done]


@work
def judge(batch: pl.DataFrame, *, home: str, plan: dict[str, Any]) -> pl.DataFrame:
    """One row of ASKED -> `trial`, a Trial as JSON. The worker keeps the folds, which all trials share."""
    known, workspace = Plan.model_validate(plan), Workspace(Path(home))
    (model, number, settings) = batch.row(0)
    key = (home, known.dataset, known.fingerprint, known.protocol)
    tables = kept("dataset", key, lambda: workspace.load(known.dataset))
    stages = kept("inner folds", key, lambda: list(prepare(tables, known.protocol, inner=True)))
    trial = run_trial(tables, stages, known, Asked(model, number, json.loads(settings)))
    return pl.DataFrame({"trial": [json.dumps(asdict(trial))]})

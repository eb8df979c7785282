"""Completions on an engine: each worker brings its share of the people to an end state, in the one store.

The store stays the record: what reached its end is not asked again, a worker that dies repeats only what was under
way, and each request is in the ledger before it is sent. What is limited for the whole run, tokens, money and requests
a minute, is divided evenly among the workers.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl

from metier.engine import RunningEngine, Work, work
from metier.engine import parts as storage
from metier.enrich.audit import Auditor
from metier.enrich.completion import Completer, Extractive, Generative
from metier.enrich.grounds import Ground, Grounds
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.enrich.prompt import PromptFile
from metier.enrich.run import Plan, Tally, run
from metier.errors import BudgetError
from metier.store import CompletionStore, Database, Spending

RESULT = pl.Schema({"here": pl.Int64, "stopped": pl.String})
"""Of one worker's share."""


def spread(
    plan: Plan,
    store: CompletionStore,
    engine: RunningEngine,
    folder: Path,
    *,
    database: str,
    prompt: str,
    config: LanguageModelConfig | None,
    concurrency: int,
    retry: bool = False,
) -> tuple[Tally, BudgetError | None]:
    """Bring every person of a plan to an end state; also what stopped workers whose share of the budget is spent.

    Parameters
    ----------
    folder : for the partitions; removed at the end.
    database : URL or file of the store, as every worker reaches it.
    prompt : name or file that `PromptFile.read` takes; config : its model, None without.
    concurrency : completions under way at once in each worker.
    """
    before, todo = plan.spent(store), plan.todo(retry=retry)
    size = max(1, ceil(len(todo) / engine.workers))
    slices = [todo[start : start + size] for start in range(0, len(todo), size)]
    settings = {
        "dataset": plan.dataset,
        "prompt": str(Path(prompt).absolute()) if prompt.endswith(".toml") else prompt,
        "model": None if config is None else _share(config, store.spent_on(config.model), max(1, len(slices))),
        "database": database,
        "concurrency": concurrency,
        "retry": retry,
    }
    storage.remove(str(folder))  # the store knows what is done
    parts = [storage.named(str(folder.absolute() / "in"), number) for number in range(len(slices))]
    for url, keys in zip(parts, slices, strict=True):
        storage.save(url, _frame([plan.grounds[key] for key in keys], store.spent(keys)))
    done = engine.map_batches(Work("metier.enrich.spread:complete", settings), parts, str(folder / "out"))
    results = pl.concat([pl.DataFrame(schema=RESULT), *map(storage.load, done)])
    storage.remove(str(folder))
    tally = Tally(len(plan.grounds), here=int(results["here"].sum()))
    for made in store.read(list(plan.grounds)):
        tally.add(made)
    after = plan.spent(store)
    tally.cost, tally.tokens = after.cost - before.cost, after.tokens - before.tokens
    tally.requests = after.calls - before.calls
    stops = results["stopped"].drop_nulls()
    return tally, BudgetError(stops[0]) if len(stops) else None


@work
def complete(
    batch: pl.DataFrame,
    *,
    dataset: str,
    prompt: str,
    model: dict[str, Any] | None,
    database: str,
    concurrency: int,
    retry: bool,
) -> pl.DataFrame:
    """One row: here, the end states reached; stopped, why not all were.

    A worker that follows a dead one begins with what that one spent of the share.
    """
    grounds = [
        Grounds(person, cutoff, tuple(Ground(*line) for line in json.loads(lines)))
        for person, cutoff, lines in batch.select("person", "cutoff", "lines").iter_rows()
    ]
    opened = Database.open(database)
    try:
        store = CompletionStore(opened)
        completer: Completer = Extractive()
        if model is not None:
            completer = _generative(prompt, model, Spending())
            now = Plan.make(completer, dataset, grounds, store).spent(store)
            gone = Spending(*(there - before for there, before in zip(astuple(now), batch["spent"][0], strict=True)))
            completer = _generative(prompt, model, gone)
        plan, stopped, latest = Plan.make(completer, dataset, grounds, store), None, [Tally(0)]
        try:
            run(plan, store, Auditor(), concurrency=concurrency, retry=retry, report=lambda tally: latest.append(tally))
        except BudgetError as error:
            stopped = str(error)
    finally:
        opened.close()
    return pl.DataFrame({"here": [latest[-1].here], "stopped": [stopped]}, RESULT)


def _frame(grounds: Sequence[Grounds], spent: Spending) -> pl.DataFrame:
    """A worker's people, and what requests about them took before this run."""
    return pl.DataFrame(
        {
            "person": [one.person for one in grounds],
            "cutoff": [one.cutoff for one in grounds],
            "lines": [json.dumps([astuple(line) for line in one.lines], ensure_ascii=False) for one in grounds],
            "spent": [list(map(float, astuple(spent)))] * len(grounds),
        }
    )


def _share(config: LanguageModelConfig, spent: Spending, workers: int) -> dict[str, Any]:
    """The model's settings for one of so many workers; a share that is gone is too small for any request."""
    shared: dict[str, Any] = config.model_dump(mode="json")
    if config.budget_tokens is not None:
        shared["budget_tokens"] = max(1, (config.budget_tokens - spent.tokens) // workers)
    if config.budget_cost is not None:
        shared["budget_cost"] = max(1e-12, (config.budget_cost - spent.cost) / workers)
    if config.requests_per_minute is not None:
        shared["requests_per_minute"] = config.requests_per_minute / workers
    return shared


def _generative(prompt: str, model: Mapping[str, Any], spent: Spending) -> Generative:
    config = LanguageModelConfig.checked("the model of the run", model)
    return Generative(PromptFile.read(prompt), OpenAIModel(config, spent=spent))

"""Completed résumés as a table: the text of each person, for models and for people to read."""

import re
from pathlib import Path
from typing import Any, Literal

import polars as pl

from metier.data.splits import Protocol
from metier.data.tables import Schema, Tables
from metier.data.workspace import Workspace
from metier.enrich.completion import Completer
from metier.enrich.grounds import gather_all
from metier.enrich.resume import Resume
from metier.enrich.run import Plan
from metier.store import Completion, CompletionStore

Unsupported = Literal["drop", "keep"]
"""What becomes of items that failed the audit."""
TEXTS: Schema = {
    "person": pl.String,
    "state": pl.String,
    "text": pl.String,
    "skills": pl.List(pl.String),
    "items": pl.Int32,
    "unsupported": pl.Int32,
    "cutoff": pl.String,
}
"""state is "missing" where nothing was completed yet; text is "" unless it is "done"; unsupported counts the items that
failed the audit, whether they were dropped or kept."""


def completed_texts(
    tables: Tables,
    protocol: Protocol,
    completer: Completer,
    store: CompletionStore,
    *,
    dataset: str,
    inner: bool = False,
    unsupported: Unsupported = "drop",
) -> pl.DataFrame:
    """(people,) TEXTS of everybody a protocol asks about, from completions that saw nothing after the cut-off.

    Completions are looked up by the hash of the very facts that were known before the cut-off, so one made from other
    facts, another protocol's for example, cannot be found by mistake. Nothing is asked of a model here.
    """
    grounds = gather_all(tables, protocol, inner=inner)
    return texts_of(Plan.make(completer, dataset, grounds, store), store, unsupported=unsupported)


def texts_of(plan: Plan, store: CompletionStore, *, unsupported: Unsupported = "drop") -> pl.DataFrame:
    """(people of the plan,) TEXTS, in the plan's order."""
    made = {one.key: one for one in store.read(list(plan.grounds))}
    rows = [
        _row(made[key], unsupported) if key in made else _missing(grounds.person, grounds.cutoff)
        for key, grounds in plan.grounds.items()
    ]
    return pl.DataFrame(rows, schema=TEXTS)


def write_texts(workspace: Workspace, dataset: str, name: str, texts: pl.DataFrame) -> Path:
    """Write <home>/datasets/<dataset>/completions/<name>.parquet; odd characters of the name become "-"."""
    folder = workspace.dataset(dataset) / "completions"
    folder.mkdir(exist_ok=True)
    target = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.parquet"
    partial = target.with_name(f".{target.name}")
    texts.write_parquet(partial)
    return partial.replace(target)


def resume_of(made: Completion, unsupported: Unsupported = "drop") -> Resume:
    """The completed résumé without, or with, the items that failed the audit."""
    resume = Resume.model_validate(dict(made.content))
    return resume.without(list(made.audit["unsupported"])) if unsupported == "drop" else resume


def _row(made: Completion, unsupported: Unsupported) -> dict[str, Any]:
    resume = resume_of(made, unsupported) if made.state == "done" else Resume()
    return {
        "person": made.person,
        "state": made.state,
        "text": resume.text(),
        "skills": [skill.name for skill in resume.skills],
        "items": made.audit.get("items", 0),
        "unsupported": len(made.audit.get("unsupported", ())),
        "cutoff": made.cutoff,
    }


def _missing(person: str, cutoff: str) -> dict[str, Any]:
    empty = {"state": "missing", "text": "", "skills": [], "items": 0, "unsupported": 0}
    return {"person": person, "cutoff": cutoff, **empty}

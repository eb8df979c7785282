"""Completed résumés as a table, a file and a dataset: the text of each person, for models and for people to read."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import ValidationError

from metier.data.splits import Protocol
from metier.data.tables import Schema, Tables
from metier.data.workspace import Workspace
from metier.enrich.completion import Completer
from metier.enrich.grounds import gather_all
from metier.enrich.resume import Resume
from metier.enrich.run import Plan
from metier.errors import MetierError
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


def audit_summary(texts: pl.DataFrame) -> dict[str, Any]:
    """Of TEXTS: how many people there are and have a completed text, items audited and the share that failed."""
    items, unsupported = int(texts["items"].sum()), int(texts["unsupported"].sum())
    return {
        "people": len(texts),
        "done": int((texts["state"] == "done").sum()),
        "items": items,
        "unsupported_share": round(unsupported / items, 4) if items else None,
    }


def texts_name(completer: Completer, protocol: Protocol, *, inner: bool, unsupported: Unsupported) -> str:
    """A name that tells what the texts are and that no other prompt, model or settings share.

    The prompt's version ends with a digest of its file; the model's name with one of itself and its settings.
    """
    settings = json.dumps([completer.model, dict(completer.parameters)], sort_keys=True)
    model = f"{completer.model}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}" if completer.parameters else "none"
    ends = f"{'-inner' if inner else ''}{'-with-unsupported' if unsupported == 'keep' else ''}"
    return f"{completer.prompt.name}-{completer.prompt.version}-{model}-{protocol}{ends}"


def write_texts(workspace: Workspace, dataset: str, name: str, texts: pl.DataFrame) -> Path:
    """Write <home>/datasets/<dataset>/completions/<name>.parquet; odd characters of the name become "-"."""
    folder = workspace.dataset(dataset) / "completions"
    folder.mkdir(exist_ok=True)
    return _write(folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.parquet", texts)


def with_completed_texts(
    tables: Tables, texts: pl.DataFrame, *, add: bool = False, shuffled: bool = False, seed: int = 0
) -> Tables:
    """`tables` whose people have their completed text, null where there is none.

    Parameters
    ----------
    texts : TEXTS.
    add : the person's own text stays, and the completed one follows it.
    shuffled : everybody gets the completed text of somebody else of their window: the control that shows whether a
        gain comes from what the texts say about the person. One who is alone in a window gets none.
    seed : of the shuffle.
    """
    made = texts.filter(pl.col("text") != "").select(id="person", completed="text")
    if shuffled:
        made = _shuffled(made.join(tables.people.select("id", "window"), on="id", maintain_order="left"), seed)
    people = tables.people.join(made, on="id", how="left", maintain_order="left")
    both = pl.concat_str("text", "completed", separator="\n", ignore_nulls=True)
    either = pl.coalesce("text", "completed").is_not_null()
    new = pl.when(either).then(both) if add else pl.col("completed")
    return tables.replace(people=people.with_columns(text=new).drop("completed"))


def _shuffled(made: pl.DataFrame, seed: int) -> pl.DataFrame:
    """id, completed: in each window one circle in random order, each with the text of the next; so nobody's own."""
    rng = np.random.default_rng(seed)
    circles = [
        circle.with_columns(pl.col("completed").gather((np.arange(len(circle)) + 1) % len(circle)))
        for (_, window) in made.sort("id").group_by("window", maintain_order=True)
        if len(window) > 1
        for circle in [window[rng.permutation(len(window))]]
    ]
    return pl.concat([made.clear(), *circles]).drop("window")


def _write(target: Path, texts: pl.DataFrame) -> Path:
    partial = target.with_name(f".{target.name}")
    texts.write_parquet(partial)
    return partial.replace(target)


def resume_of(made: Completion, unsupported: Unsupported = "drop") -> Resume:
    """The completed résumé without, or with, the items that failed the audit.

    Raises
    ------
    MetierError : what is stored is no résumé of this version.
    """
    try:
        resume = Resume.model_validate(dict(made.content))
    except ValidationError:  # it would show what is stored
        raise MetierError(
            f"completion {made.key[:12]} of person {made.person!r} does not fit this version of metier; "
            f"cure: metier enrich {made.dataset} --erase {made.person}, then enrich again"
        ) from None
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

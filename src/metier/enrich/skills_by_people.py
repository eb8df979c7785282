"""Inferred skills on an engine: partitions of people, each with their own text and past jobs."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from metier.data import Tables
from metier.data.workspace import Workspace
from metier.engine import RunningEngine, Work, kept, map_table, work
from metier.engine import parts as storage
from metier.enrich.inferred_skills import inferred_skills
from metier.enrich.taxonomy import load_taxonomy

ROWS = 5000
"""People a partition."""
PAST = ("sequence", "title", "text", "time")


def skills_by_people(
    engine: RunningEngine,
    past: Tables,
    workspace: Workspace,
    taxonomies: Sequence[str],
    folder: Path,
    *,
    rows: int = ROWS,
) -> pl.DataFrame:
    """What `inferred_skills` gives for tables without interactions, whoever works it out.

    Parameters
    ----------
    past : what `known_before` leaves.
    taxonomies : names that `load_taxonomy` takes; workers find the workspace under the same path.
    folder : for the partitions; removed at the end.
    """
    jobs = past.history.group_by("person", maintain_order=True).agg(past=pl.struct(PAST))
    people = past.people.select("id", "text").join(
        jobs, left_on="id", right_on="person", how="left", maintain_order="left"
    )
    settings = {"home": str(workspace.home.absolute()), "taxonomies": list(taxonomies)}
    found = map_table(engine, Work("metier.enrich.skills_by_people:infer", settings), people, str(folder), rows=rows)
    storage.remove(str(folder))
    return found


@work
def infer(batch: pl.DataFrame, *, home: str, taxonomies: list[str]) -> pl.DataFrame:
    """A partition of id, text, past -> person, skills, weights, evidence."""
    vocabulary = kept("taxonomy", (home, *taxonomies), lambda: load_taxonomy(Workspace(Path(home)), taxonomies))
    history = batch.select(pl.col("id").alias("person"), "past").explode("past").drop_nulls("past").unnest("past")
    tables = Tables.build(batch.select("id", "text"), pl.DataFrame(), pl.DataFrame(), history)
    return inferred_skills(tables, vocabulary)

"""Is one group of people shown to recruiters less often than another? From the audit and a file of groups."""

import json
from pathlib import Path

import numpy as np
import polars as pl

from metier.errors import DataRejectedError, UsageError
from metier.evaluate.impact import ImpactTable, impact
from metier.store.store import Rows

MOST_ROWS = 20_000
"""Newest rows of the audit that are looked at."""


def impact_of_candidates(rows: Rows, groups: Path, people: list[str]) -> list[ImpactTable]:
    """A table for each category of the file; [] where the newest MOST_ROWS of the audit hold no list of a recruiter.

    Everybody of `people` counts as assessed for each list that recruiters were shown, and as selected for each that
    names them.

    Raises
    ------
    UsageError : the file has no column `person` or no other one. DataRejectedError : nobody has a known category.
    """
    shown = _shown(rows)
    known = _read(groups)
    if not shown or not people:
        return []
    counts = [sum(person in one for one in shown) for person in people]
    frame = pl.DataFrame({"person": people, "assessed": len(shown), "selected": counts})
    joined = frame.join(known, on="person", how="left", maintain_order="left")
    return [impact(joined, [name], rng=np.random.default_rng(0)) for name in known.columns if name != "person"]


def _shown(rows: Rows) -> list[set[str]]:
    """The people of each list that was served."""
    found, after, looked_at = [], None, 0
    while looked_at < MOST_ROWS:
        page = rows.audit.page(after, 1000)
        served = (one for one in page.items if one.action in ("candidates.served", "candidates.exported"))
        found += [{person for person, _ in json.loads(one.details)["people"]} for one in served]
        after, looked_at = page.next, looked_at + len(page.items)
        if after is None:
            break
    return found


def _read(path: Path) -> pl.DataFrame:
    try:
        groups = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataRejectedError(
            f"{path} cannot be read as CSV ({type(error).__name__}); cure: a header and rows"
        ) from None
    if "person" not in groups.columns or len(groups.columns) < 2:
        raise UsageError(f"{path} has no column person, or no other; cure: person and a column for each category")
    return groups.unique("person", keep="first", maintain_order=True)

"""Is one group of people shown to recruiters less often than another? From the audit and a file of groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from metier.evaluate.impact import ImpactTable, impact
from metier.operate.assessments import read_groups
from metier.store.store import Rows

DAY = 86_400.0


@dataclass(frozen=True)
class Shown:
    """Impact ratios of what recruiters were shown.

    Parameters
    ----------
    days, lists : the period, which ends now, and how many lists recruiters were shown in it.
    tables : one for each category of the file; none where nobody could be on a list.
    """

    days: int
    lists: int
    tables: tuple[ImpactTable, ...]


def shown_to_recruiters(rows: Rows, groups: Path, people: Mapping[str, float], *, days: int) -> Shown:
    """A person counts as assessed for each list that was shown since they could be found, as selected for each of
    those that names them. Lists are read one by one, however many there are.

    Parameters
    ----------
    groups : CSV file, see `metier.operate.assessments.read_groups`.
    people : id -> since when they may be found, in seconds since 1970.

    Raises
    ------
    UsageError, DataRejectedError : the file is none of groups, or gives nobody a known category.
    """
    known = read_groups(groups)
    times: list[float] = []
    selected = dict.fromkeys(people, 0)
    for time, listed in rows.audit.lists_of_candidates(rows.clock() - days * DAY):
        times.append(time)
        for person in listed:
            if person in people and time >= people[person]:
                selected[person] += 1
    missed = np.searchsorted(np.array(times), np.array(list(people.values()), np.float64))  # lists before each person
    ids = pl.Series("person", list(people), pl.String)
    counts = pl.Series("assessed", len(times) - missed), pl.Series("selected", list(selected.values()), pl.Int64)
    frame = pl.DataFrame([ids, *counts]).filter(pl.col("assessed") > 0)
    if frame.is_empty():
        return Shown(days, len(times), ())
    joined = frame.join(known, on="person", how="left", maintain_order="left")
    by = [name for name in known.columns if name != "person"]
    return Shown(days, len(times), tuple(impact(joined, [name], rng=np.random.default_rng(0)) for name in by))

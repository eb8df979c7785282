"""Is one group of people shown to recruiters less often than another? From the audit and a file of groups."""

from array import array
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


class ShownToRecruiters:
    """Impact ratios of each tenant, kept until a list, a person or the file of groups changes."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, Shown]] = {}

    def over(self, rows: Rows, groups: Path, days: int) -> Shown:
        """See `shown_to_recruiters`, of everybody who may be found now."""
        file = groups.stat() if groups.is_file() else None
        version = file and (file.st_mtime_ns, file.st_size)
        told = rows.drawn(), rows.audit.count_of_lists(rows.clock() - days * DAY), groups, version, days
        kept = self._kept.get(rows.tenant)
        if kept is None or kept[0] != told:
            kept = told, shown_to_recruiters(rows, groups, rows.people.discoverable_since(), days=days)
            self._kept[rows.tenant] = kept
        return kept[1]


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
    place = {person: number for number, person in enumerate(people)}
    times, sizes, listed = array("d"), array("i"), array("i")
    for time, persons in rows.audit.lists_of_candidates(rows.clock() - days * DAY):
        found = [place[person] for person in persons if person in place]
        times.append(time)
        sizes.append(len(found))
        listed.extend(found)
    since = np.array(list(people.values()), np.float64)  # (p,)
    named = np.array(listed, np.int64)  # who is on the first list, on the second, ...
    counted = np.repeat(np.array(times), np.array(sizes, np.int64)) >= since[named]
    selected = np.bincount(named[counted], minlength=len(people))
    missed = np.searchsorted(np.array(times), since)  # lists before each person
    ids = pl.Series("person", list(people), pl.String)
    counts = pl.Series("assessed", len(times) - missed), pl.Series("selected", selected)
    frame = pl.DataFrame([ids, *counts]).filter(pl.col("assessed") > 0)
    if frame.is_empty():
        return Shown(days, len(times), ())
    joined = frame.join(known, on="person", how="left", maintain_order="left")
    by = [name for name in known.columns if name != "person"]
    return Shown(days, len(times), tuple(impact(joined, [name], rng=np.random.default_rng(0)) for name in by))

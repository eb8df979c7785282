"""Time-aware splits: what was known before the cut-off, and what happened after.

No split is random. Each one hands the models tables in which nothing after the cut-off exists, so a model cannot
leak by mistake: the truth travels beside the tables, never inside them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import polars as pl

from metier.data.tables import Tables
from metier.errors import UsageError

Protocol = Literal["temporal", "leave-last-out", "given"]


@dataclass(frozen=True)
class Fold:
    """One cut of the data.

    Parameters
    ----------
    name : "window 3", "leave-last-out", "given".
    train : all that was known before the cut-off.
    truth : person, job pairs that came after; each job is a candidate and not in the person's history.
    candidates : ids of the jobs that could be applied to at the cut-off.
    left_out : why truths were dropped -> how many ("job not live at the cut-off").
    cutoff : the moment everybody is asked at; None where each person has their own, right after the history.
    """

    name: str
    train: Tables
    truth: pl.DataFrame
    candidates: pl.Series
    left_out: dict[str, int]
    cutoff: datetime | None = None


def folds(tables: Tables, protocol: Protocol, *, inner: bool = False) -> Iterator[Fold]:
    """The folds of a protocol.

    temporal: per window, history is what happened before the cut-off, truth what happened after.
    leave-last-out: the last interaction of each person with at least two is the truth, at their own cut-off.
    given: the split that came with the data (`interactions.split`, "test" is the truth).

    With `inner` each fold is cut once more inside its own history, for tuning: the truth that is reported later is
    never seen. Windows are cut at three fifths of their history; the others lose the last interaction left.
    """
    match protocol:
        case "temporal":
            outer = _temporal(tables)
        case "leave-last-out":
            outer = iter([_leave_last_out(tables)])
        case "given":
            outer = iter([_given(tables)])
    for fold in outer:
        if not inner:
            yield fold
        elif protocol == "temporal":
            earlier = pl.col("start") + (pl.col("cutoff") - pl.col("start")) * 3 / 5
            windows = fold.train.windows.with_columns(cutoff=earlier, end="cutoff")
            yield replace(next(_temporal(fold.train.replace(windows=windows))), name=f"inside {fold.name}")
        else:
            yield replace(_leave_last_out(fold.train), name=f"inside {fold.name}")


def _leave_last_out(tables: Tables) -> Fold:
    """Sorted by (time, job id); unknown times keep the order of the file.

    Past jobs and wishes that carry a time later than the person's last interaction are dropped from the history.
    """
    pairs = tables.interactions.with_row_index("row")
    order = ["person", "time", _natural("job"), "job"] if pairs["time"].null_count() < len(pairs) else ["person", "row"]
    ranked = pairs.sort(order).with_columns(
        place=pl.col("job").cum_count(reverse=True).over("person"), n=pl.len().over("person")
    )
    is_last = (pl.col("place") == 1) & (pl.col("n") >= 2)
    last = ranked.filter(is_last)
    rest = ranked.filter(~is_last).drop("place", "n", "row")
    cuts = last.select("person", cut="time")
    history = (
        tables.history.join(cuts, on="person", how="left", maintain_order="left")
        .filter(pl.col("time").is_null() | pl.col("cut").is_null() | (pl.col("time") <= pl.col("cut")))
        .drop("cut")
    )
    train = tables.replace(interactions=rest, history=history)
    return Fold("leave-last-out", train, last.select("person", "job"), tables.jobs["id"], {})


def _given(tables: Tables) -> Fold:
    """The rows marked "test" are the truth."""
    is_test = pl.col("split") == "test"
    truth = tables.interactions.filter(is_test)
    if truth.is_empty():
        raise UsageError(
            "protocol 'given' needs interactions marked split = \"test\" and found none; "
            "map a column to interactions.split, or use 'temporal' or 'leave-last-out'"
        )
    train = tables.replace(interactions=tables.interactions.filter(is_test.fill_null(False).not_()))
    return Fold("given", train, truth.select("person", "job"), tables.jobs["id"], {})


def _temporal(tables: Tables) -> Iterator[Fold]:
    """One fold a window; data without windows is one window whose last third of time is the truth."""
    if tables.windows.is_empty():
        tables = _one_window(tables)
    for window in tables.windows.sort("window").iter_rows(named=True):
        mine, cutoff = pl.col("window") == window["window"], window["cutoff"]
        people = tables.people.filter(mine)
        known = tables.jobs.filter(mine & (pl.col("start").is_null() | (pl.col("start") <= cutoff)))
        live = known.filter(pl.col("end").is_null() | (pl.col("end") >= cutoff))["id"]
        cut = tables.keep(people=people["id"], jobs=known["id"]).replace(windows=tables.windows.filter(mine))
        before = cut.interactions.filter(pl.col("time") < cutoff)
        history = cut.history.filter(pl.col("time").is_null() | (pl.col("time") < cutoff))
        later = tables.interactions.filter(
            pl.col("person").is_in(people["id"].implode())
            & (pl.col("time") >= cutoff)
            & (pl.col("time") < window["end"])
        )
        fresh = later.join(before, on=["person", "job"], how="anti")
        truth = fresh.filter(pl.col("job").is_in(live.implode()))
        left_out = {
            "no time": cut.interactions["time"].null_count(),
            "applied to before the cut-off": len(later) - len(fresh),
            "job not live at the cut-off": len(fresh) - len(truth),
        }
        train = cut.replace(interactions=before, history=history)
        yield Fold(f"window {window['window']}", train, truth.select("person", "job"), live, left_out, cutoff)


def _one_window(tables: Tables) -> Tables:
    """All people and jobs in window 1, cut after two thirds of the time."""
    times = tables.interactions["time"]
    if times.null_count() == len(times):
        raise UsageError("protocol 'temporal' needs times and the interactions have none; use 'given'")
    first, last = pl.col("time").min(), pl.col("time").max()
    windows = tables.interactions.select(
        window=pl.lit(1, pl.Int16),
        start=first,
        cutoff=first + (last - first) * 2 / 3,
        end=last + pl.duration(seconds=1),
    )
    one = pl.lit(1, pl.Int16).alias("window")
    return tables.replace(windows=windows, people=tables.people.with_columns(one), jobs=tables.jobs.with_columns(one))


def _natural(column: str) -> pl.Expr:
    """Ids in numeric order where they are numbers, else as text."""
    return pl.coalesce(pl.col(column).cast(pl.Int64, strict=False), pl.lit(0))

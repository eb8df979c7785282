"""Time-aware splits: what was known before the cut-off, and what happened after.

No split is random. Each one hands the models tables in which nothing after the cut-off exists, so a model cannot
leak by mistake: the truth travels beside the tables, never inside them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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
    """

    name: str
    train: Tables
    truth: pl.DataFrame
    candidates: pl.Series
    left_out: dict[str, int]


def folds(tables: Tables, protocol: Protocol) -> Iterator[Fold]:
    """The folds of a protocol.

    temporal: per window, history is what happened before the cut-off, truth what happened after.
    leave-last-out: the last interaction of each person with at least two is the truth, at their own cut-off.
    given: the split that came with the data (`interactions.split`, "test" is the truth).
    """
    match protocol:
        case "temporal":
            yield from _temporal(tables)
        case "leave-last-out":
            yield _leave_last_out(tables)
        case "given":
            yield _given(tables)


def inner(fold: Fold, protocol: Protocol) -> Fold:
    """A fold inside the history of `fold`, for tuning: the reported truth is never seen.

    temporal cuts each window again at three fifths of its history; the others take the last interaction left.
    """
    if protocol != "temporal":
        return _leave_last_out(fold.train)
    window = fold.train.windows.row(0, named=True)
    earlier = window["start"] + (window["cutoff"] - window["start"]) * 3 / 5
    frame = fold.train.windows.with_columns(
        end=pl.lit(window["cutoff"], dtype=pl.Datetime("us")), cutoff=pl.lit(earlier, dtype=pl.Datetime("us"))
    )
    return next(_temporal(fold.train.replace(windows=frame)))


def _leave_last_out(tables: Tables) -> Fold:
    """Sorted by (time, job id); unknown times keep the order of the file.

    Past jobs and wishes that carry a time later than the person's last interaction are dropped from the history.
    """
    pairs = tables.interactions.with_row_index("row")
    order = ["person", "time", _natural("job")] if pairs["time"].null_count() < len(pairs) else ["person", "row"]
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
    windows = tables.windows
    whole = windows.is_empty()
    if whole:
        if tables.interactions["time"].null_count() == len(tables.interactions):
            raise UsageError("protocol 'temporal' needs times and the interactions have none; use 'given'")
        span = tables.interactions.select(start=pl.col("time").min(), end=pl.col("time").max())
        windows = span.select(
            window=pl.lit(1, pl.Int16),
            start="start",
            cutoff=pl.col("start") + (pl.col("end") - pl.col("start")) * 2 / 3,
            end=pl.col("end") + pl.duration(seconds=1),
        )
    for window in windows.sort("window").iter_rows(named=True):
        mine = pl.lit(True) if whole else pl.col("window") == window["window"]
        people, jobs = tables.people.filter(mine), tables.jobs.filter(mine)
        cutoff = window["cutoff"]
        known = jobs.filter(pl.col("start").is_null() | (pl.col("start") <= cutoff))
        live = known.filter(pl.col("end").is_null() | (pl.col("end") >= cutoff))["id"]
        cut = tables.keep(people=people["id"], jobs=known["id"]).replace(
            windows=windows.filter(pl.col("window") == window["window"])
        )
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
            "applied to before the cut-off": len(later) - len(fresh),
            "job not live at the cut-off": len(fresh) - len(truth),
        }
        yield Fold(
            f"window {window['window']}",
            cut.replace(interactions=before, history=history),
            truth.select("person", "job"),
            live,
            left_out,
        )


def _natural(column: str) -> pl.Expr:
    """Ids in numeric order where they are numbers, else as text."""
    return pl.coalesce(pl.col(column).cast(pl.Int64, strict=False), pl.lit(0))

"""Who was assessed how often, and with what outcome: the input of `metier.evaluate.impact`.

Out of a CSV file, or by asking a trained model. A frame of assessments has a row a person: `person`, `assessed`,
`selected`, and a String column for each attribute that is looked at, null where unknown.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from metier.bundle import Bundle
from metier.data import CSR, Nums
from metier.errors import DataRejectedError, UsageError
from metier.evaluate.impact import above_median
from metier.kernels.topk import top_k
from metier.models.base import tie_order

Metric = Literal["selection", "scoring"]
Direction = Literal["people", "jobs"]
"""Asked for a job who suits it, or asked for a person which jobs suit them."""


def read_csv(
    path: Path, by: Sequence[str], *, person: str, selected: str, score: str, unknown: Sequence[str] = ()
) -> dict[Metric, pl.DataFrame]:
    """The assessments of a CSV file, a row each; whoever has several rows was assessed several times.

    Parameters
    ----------
    by : columns of categories; a value that is empty or in `unknown` (case aside) is unknown.
    selected, score : columns of 0 or 1, and of numbers (empty: not scored); one of the two may be absent.

    Raises
    ------
    UsageError : a column is absent. DataRejectedError : a value makes no sense, with its line.
    """
    rows = _table(path)
    outcomes = [name for name in (selected, score) if name in rows.columns]
    absent = [name for name in (person, *by) if name not in rows.columns] or ([] if outcomes else [selected, score])
    if absent:
        raise UsageError(f"{path} has no column {absent[0]!r} (there: {', '.join(rows.columns)}); cure: name another")
    rows = _categorised(path, rows, person, by, unknown)
    found: dict[Metric, pl.DataFrame] = {}
    if selected in outcomes:
        _refuse(path, rows.filter(~pl.col(selected).fill_null("").is_in(["0", "1"])), selected, "neither 0 nor 1")
        found["selection"] = _counted(rows, person, by, pl.col(selected) == "1")
    if score in outcomes:
        scored = rows.filter(pl.col(score).fill_null("") != "").with_columns(
            pl.col(score).cast(pl.Float64, strict=False).alias("(score)")
        )
        _refuse(path, scored.filter(~pl.col("(score)").is_finite().fill_null(False)), score, "no number")
        if not scored.is_empty():
            above = above_median(scored["(score)"].to_numpy()[:, None])[:, 0]
            found["scoring"] = _counted(scored, person, by, pl.Series(above))
    return found


def read_groups(path: Path) -> pl.DataFrame:
    """A CSV file of people's categories: a row a person, `person` and a String column for each category (null where
    empty).

    Raises
    ------
    UsageError : no column `person`, or no other one. DataRejectedError : a value makes no sense, with its line.
    """
    rows = _table(path)
    by = [name for name in rows.columns if name != "person"]
    if "person" not in rows.columns or not by:
        raise UsageError(f"{path} has no column person, or no other; cure: person and a column for each category")
    return _categorised(path, rows, "person", by).select("person", *by).unique("person", maintain_order=True)


def of_bundle(
    bundle: Bundle, people: pl.DataFrame, by: Sequence[str], jobs: Nums, k: int, *, direction: Direction, seed: int = 0
) -> dict[Metric, pl.DataFrame]:
    """Everybody of a bundle assessed once for each of `jobs`.

    `people`: selected are the k with the highest score for a job; a score above the median is one above the median of
    its job. `jobs`: selected means that the job is among the k suggested to the person.

    Parameters
    ----------
    people : a row a person: `id` and the columns of `by`; the bundle's people who are not in it are unknown.
    jobs : (j,) row numbers.
    """
    query = bundle.dataset.query(np.arange(len(bundle.dataset.users), dtype=np.int32))
    known = pl.DataFrame({"id": bundle.people_table["id"]}).join(people, on="id", how="left", maintain_order="left")
    named = known.select(pl.col("id").alias("person"), *by)
    if direction == "jobs":
        suggested = np.isin(bundle.recommend(query, k).items, jobs).sum(axis=1)
        return {"selection": named.with_columns(assessed=pl.lit(len(jobs)), selected=pl.Series(suggested))}
    scores = bundle.model.score(query, jobs)  # (U, j)
    shape = (len(jobs), len(query))
    best, _ = top_k(
        np.ascontiguousarray(scores.T), CSR(shape, dtype=np.float32), np.ones(len(query), np.bool_),
        tie_order(len(query), seed), min(k, len(query)),
    )  # fmt: skip
    chosen = np.bincount(best[best >= 0], minlength=len(query))
    above = above_median(scores.astype(np.float64)).sum(axis=1)
    scored = named.with_columns(assessed=pl.Series(np.isfinite(scores).sum(axis=1)), selected=pl.Series(above))
    return {
        "selection": named.with_columns(assessed=pl.lit(len(jobs)), selected=pl.Series(chosen)),
        "scoring": scored.filter(pl.col("assessed") > 0),
    }


def categories(people: pl.DataFrame, by: Sequence[str], bands: Mapping[str, Sequence[float]]) -> pl.DataFrame:
    """`people` with the columns of `by` as categories: numbers cut at `bands`, a list of values joined.

    >>> categories(pl.DataFrame({"age": [17, 40, None]}), ["age"], {"age": [18, 40]})["age"].to_list()
    ['under 18', '40 and over', None]

    Raises
    ------
    UsageError : a column is absent, or is a number without bands.
    """
    made = []
    for name in by:
        if name not in people.columns:
            there = ", ".join(sorted(set(people.columns) - {"id", "text", "window"}))
            raise UsageError(f"people have no attribute {name!r} (there: {there}); cure: name one of them")
        column, dtype = pl.col(name), people.schema[name]
        if name in bands:
            breaks, number = sorted(bands[name]), column.cast(pl.Float64, strict=False).fill_nan(None)
            between = [f"{low:g} to under {high:g}" for low, high in pairwise(breaks)]
            column = pl.when(number < breaks[0]).then(pl.lit(f"under {breaks[0]:g}"))
            for edge, label in zip(breaks, [*between, f"{breaks[-1]:g} and over"], strict=True):
                column = pl.when(number >= edge).then(pl.lit(label)).otherwise(column)
        elif dtype.is_numeric() or dtype.is_temporal():
            raise UsageError(f"{name!r} is a quantity; cure: --bands {name}=18,40 to make categories of it")
        elif isinstance(dtype, pl.List):
            column = column.list.sort().list.join(", ")
        made.append(column.cast(pl.String).replace("", None).alias(name))
    return people.with_columns(made)


def _table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        what = f"cannot be read as a CSV table with a header ({type(error).__name__})"
        raise DataRejectedError(f"{path} {what}; cure: check the path and the file") from error


def _categorised(
    path: Path, rows: pl.DataFrame, person: str, by: Sequence[str], unknown: Sequence[str] = ()
) -> pl.DataFrame:
    """Rows with `(line)` and each person's one value of each of `by`, null where it is empty or in `unknown`."""
    rows = rows.with_columns(pl.all().str.strip_chars()).with_row_index("(line)", 2)
    _refuse(path, rows.filter(pl.col(person).fill_null("") == ""), person, "nobody's id")
    hidden = [one.casefold() for one in ("", *unknown)]
    rows = rows.with_columns(
        pl.when(pl.col(name).str.to_lowercase().is_in(hidden)).then(None).otherwise(pl.col(name)).alias(name)
        for name in by
    )
    twofold = rows.group_by(person).agg(pl.col("(line)").max(), *(pl.col(name).n_unique() for name in by))
    for name in by:
        _refuse(path, twofold.filter(pl.col(name) > 1), name, "another value than an earlier line of the same person")
    return rows


def _counted(rows: pl.DataFrame, person: str, by: Sequence[str], chosen: pl.Expr | pl.Series) -> pl.DataFrame:
    counted = rows.with_columns(chosen.alias("(chosen)")).group_by(person, maintain_order=True)
    return counted.agg(
        *(pl.col(name).first() for name in by), assessed=pl.len(), selected=pl.col("(chosen)").sum()
    ).rename({person: "person"} if person != "person" else {})


def _refuse(path: Path, bad: pl.DataFrame, column: str, what: str) -> None:
    if not bad.is_empty():
        line = int(bad["(line)"].sort()[0])
        raise DataRejectedError(f"{path}, line {line}, column {column!r}: {what}; cure: mend the line, or leave it out")

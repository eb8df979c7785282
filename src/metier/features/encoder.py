"""Columns of `people` or `jobs` -> Features, by dtype.

String: one column a value. List(String): several values at once, each 1/sqrt(n). Numbers and Datetime: quantile
bins. Places nest: a city is known with its state, a state with its country, so two Springfields stay apart. A value
that is missing, or was not there at `fit`, gives no entry: unknown is an empty row, never a guess.
"""

import itertools
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from metier.data import CSR, Features
from metier.data.tables import attributes

Kind = Literal["category", "number", "list", "place"]

PLACES = {
    "country": ("country",),
    "state": ("state", "country"),
    "city": ("city", "state", "country"),
    "zip3": ("zip3", "country"),
}
"""Place fields, each with the columns that make up its key."""


@dataclass(frozen=True)
class Field:
    """One encoded column: its kind, its known values in column order, and the inner bin edges of a number."""

    name: str
    kind: Kind
    values: tuple[str, ...]
    edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class Encoder:
    """Learned columns; `encode` is the same for a whole table and for one new person."""

    fields: tuple[Field, ...] = field(default=())

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, bins: int = 8, min_count: int = 1) -> "Encoder":
        """Learn values and bin edges from a table of people or jobs.

        Parameters
        ----------
        bins : number of quantile bins of a numeric attribute.
        min_count : values seen less often get no column.
        """
        found = []
        for name, keys in PLACES.items():
            if name in _with_zip3(frame).columns:
                found.append(Field(name, "place", _values(_key(_with_zip3(frame), keys), min_count)))
        for name in attributes(frame):
            column = frame[name]
            if column.dtype == pl.String:
                found.append(Field(name, "category", _values(column, min_count)))
            elif column.dtype == pl.List(pl.String):
                found.append(Field(name, "list", _values(column.explode(), min_count)))
            elif column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype == pl.Boolean:
                found.append(_binned(name, _number(column), bins))
        return cls(tuple(one for one in found if one.values))

    def encode(self, frame: pl.DataFrame) -> Features:
        """(n, f) Features of a table; columns that are absent are unknown."""
        names: list[str] = []
        owners: list[int] = []
        rows, columns, data = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for owner, one in enumerate(self.fields):
            row, value, weight = _entries(one, frame)
            rows.append(row)
            columns.append(value + len(names))
            data.append(weight)
            names += [f"{one.name}={value}" for value in one.values]
            owners += [owner] * len(one.values)
        entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
        matrix = CSR(entries, shape=(len(frame), len(names)), dtype=np.float32)
        matrix.sum_duplicates()
        return Features(matrix, tuple(names), np.array(owners, np.int16), tuple(one.name for one in self.fields))


def _entries(one: Field, frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers, value numbers and weights of one field's entries."""
    if one.kind == "place":
        wide = _with_zip3(frame)
        column = _key(wide, PLACES[one.name]) if set(PLACES[one.name]) <= set(wide.columns) else None
    else:
        column = frame[one.name] if one.name in frame.columns else None
    if column is None:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, np.empty(0, np.float32)
    if one.kind == "number":
        numbers = _number(column).to_numpy().astype(np.float64)
        row = np.flatnonzero(~np.isnan(numbers))
        return row, np.searchsorted(np.array(one.edges), numbers[row], side="right"), np.ones(len(row), np.float32)
    known = pl.DataFrame({"value": one.values, "number": np.arange(len(one.values))})
    cells = pl.DataFrame({"value": column}).with_row_index("row")
    if one.kind == "list":
        cells = cells.explode("value").unique(maintain_order=True)
    hits = cells.join(known, on="value", how="inner", maintain_order="left").with_columns(n=pl.len().over("row"))
    weight = (1.0 / np.sqrt(hits["n"].to_numpy())).astype(np.float32)
    return hits["row"].to_numpy().astype(np.int64), hits["number"].to_numpy(), weight


def _values(column: pl.Series, min_count: int) -> tuple[str, ...]:
    counts = column.alias("value").drop_nulls().value_counts(name="n").filter(pl.col("n") >= min_count)
    return tuple(counts["value"].sort())


def _binned(name: str, numbers: pl.Series, bins: int) -> Field:
    known = numbers.drop_nulls().drop_nans().to_numpy()
    inner = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)
    edges = inner[inner > known.min()] if len(known) else inner
    bounds = ["-inf", *(f"{edge:g}" for edge in edges), "inf"] if len(known) else []
    return Field(name, "number", tuple(f"[{a},{b})" for a, b in itertools.pairwise(bounds)), tuple(edges.tolist()))


def _number(column: pl.Series) -> pl.Series:
    """Days since 1970 for moments, the number itself otherwise; null stays null (NaN in NumPy)."""
    if column.dtype.is_temporal():
        return column.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64) / 86400.0
    return column.cast(pl.Float64)


def _with_zip3(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(zip3=pl.col("zip").str.head(3)) if "zip" in frame.columns else frame


def _key(frame: pl.DataFrame, keys: tuple[str, ...]) -> pl.Series:
    """ "city|state|country"; null when the finest part is unknown, "?" for an unknown coarser part."""
    parts = [pl.col(keys[0]), *(pl.col(key).fill_null("?") for key in keys[1:])]
    return frame.select(pl.concat_str(parts, separator="|").alias(keys[0])).to_series()

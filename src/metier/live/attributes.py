"""What filters ask for of jobs, as arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.data import Floats, Nums
from metier.data.posting import Posting
from metier.data.types import Times
from metier.features.assemble import seconds
from metier.features.distance import spellings, within
from metier.live.records import Filter

Value = TypeVar("Value", bound=np.generic)
Mask = NDArray[np.bool_]
Numbers = tuple[dict[str, int], ...]
"""Number of each city, state, country and employer in small letters."""
NAMES = ("city", "state", "country", "employer")


@dataclass(frozen=True)
class Attributes:
    """What filters ask for, n jobs; numbers are NaN and codes -1 where unknown."""

    start: Times
    end: Times
    salary: Times
    """the highest that is named"""
    level: Times
    remote: NDArray[np.int8]
    at: Floats
    """(n, 3)"""
    names: Nums
    """(n, 4) numbers of city, state, country and employer in small letters"""

    @classmethod
    def of(cls, table: pl.DataFrame, at: Floats) -> tuple["Attributes", Numbers]:
        """Of a bundle's jobs that are at (n, 3), and the numbers of all names."""
        times = seconds(table.select("start", "end"))
        offer = {name: table[name].cast(pl.Float64).to_numpy().copy() for name in ("salary_min", "salary_max", "level")}
        found = [_numbered(table[name]) for name in NAMES]
        attributes = cls(
            start=times[:, 0],
            end=times[:, 1],
            salary=np.fmax(offer["salary_min"], offer["salary_max"]),
            level=offer["level"],
            remote=table["remote"].cast(pl.Int8).fill_null(-1).to_numpy(),
            at=at,
            names=np.column_stack([codes for _, codes in found]).astype(np.int32),
        )
        return attributes, tuple(names for names, _ in found)

    @classmethod
    def of_postings(cls, postings: Sequence[Posting], at: Floats, numbers: Numbers) -> tuple["Attributes", Numbers]:
        """Of postings that are at (n, 3), and the numbers of all names, theirs among them."""
        numbers = tuple(dict(names) for names in numbers)
        codes = [
            [_number(names, getattr(one, name)) for names, name in zip(numbers, NAMES, strict=True)] for one in postings
        ]
        salaries = ([one.salary_min for one in postings], [one.salary_max for one in postings])
        return cls(
            start=_floats([one.start for one in postings]),
            end=_floats([one.end for one in postings]),
            salary=np.fmax(*map(_floats, salaries)),
            level=_floats([one.level for one in postings]),
            remote=np.array([-1 if one.remote is None else one.remote for one in postings], np.int8),
            at=at,
            names=np.array(codes, np.int32).reshape(len(postings), len(NAMES)),
        ), numbers

    def append(self, more: "Attributes") -> "Attributes":
        """These jobs, then others."""
        return Attributes(**{name: np.concatenate([values, vars(more)[name]]) for name, values in vars(self).items()})

    def put(self, rows: Nums, other: "Attributes") -> "Attributes":
        """The same with others in some rows."""
        new = {name: values.copy() for name, values in vars(self).items()}
        for name, values in vars(other).items():
            new[name][rows] = values
        return Attributes(**new)

    def keep(self, size: int, rows: Nums) -> "Attributes":
        """The first `size` of them, and of the others those of these numbers."""
        return Attributes(**{name: kept(values, size, rows) for name, values in vars(self).items()})

    def matching(self, filter: Filter, numbers: Numbers, home: Callable[[], Floats]) -> list[Mask]:
        """(n,) where each condition holds, words apart. An unknown value fulfils none; home : where (3,)."""
        masks = []
        for column, name in enumerate(NAMES):
            wanted = getattr(filter, name)
            if wanted is not None:
                spelled = spellings(wanted) if name == "state" else {wanted.strip().lower()}
                known = [numbers[column][one] for one in spelled if one in numbers[column]]
                masks.append(np.isin(self.names[:, column], known))
        if filter.within_km is not None:
            masks.append(within(home(), self.at, filter.within_km))
        if filter.remote is not None:
            masks.append(self.remote == int(filter.remote))
        bounds = [(filter.salary_min, self.salary, 1), (filter.level_min, self.level, 1)]
        bounds += [(filter.level_max, self.level, -1), (filter.posted_after, self.start, 1)]
        return masks + [sign * values >= sign * bound for bound, values, sign in bounds if bound is not None]


def kept(values: NDArray[Value], size: int, rows: Nums) -> NDArray[Value]:
    """The first `size` values, and of the others those of these numbers."""
    return np.concatenate([values[:size], values[size:][rows]])


def _numbered(names: pl.Series) -> tuple[dict[str, int], Nums]:
    """Number of each name in small letters, and (n,) numbers; -1 for null."""
    frame = pl.DataFrame({"name": names.str.strip_chars().str.to_lowercase()})
    known = frame.drop_nulls().unique().sort("name").with_row_index("number")
    codes = frame.join(known, on="name", how="left", maintain_order="left")["number"].cast(pl.Int32).fill_null(-1)
    return dict(zip(known["name"], known["number"], strict=True)), codes.to_numpy()


def _number(names: dict[str, int], name: str | None) -> int:
    return -1 if name is None else names.setdefault(name.strip().lower(), len(names))


def _floats(values: Sequence[float | None]) -> Times:
    return np.array([np.nan if value is None else value for value in values], np.float64)

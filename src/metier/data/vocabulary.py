"""The only translation between external ids and row numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from metier.data.types import Nums
from metier.errors import UnknownIdError


@dataclass(frozen=True)
class Vocabulary:
    """Unique external ids in row order.

    Parameters
    ----------
    name : what the ids name, used in messages ("person", "job").
    ids : (n,) unique strings; the id at position i has row number i.

    >>> jobs = Vocabulary("job", ["a", "b"])
    >>> jobs.number("b")
    1
    >>> jobs.numbers(["b", "zz"], missing="negative").tolist()
    [1, -1]
    """

    name: str
    ids: Sequence[str]
    _row: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(self.ids))
        object.__setattr__(self, "_row", {key: row for row, key in enumerate(self.ids)})
        if len(self._row) != len(self.ids):
            seen: set[str] = set()
            twice = next(key for key in self.ids if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise UnknownIdError(f"{self.name} id {twice!r} appears twice; ids must be unique")

    def __len__(self) -> int:
        return len(self.ids)

    def number(self, key: str) -> int:
        """Row number of one id; UnknownIdError names the id."""
        row = self._row.get(key)
        if row is None:
            raise UnknownIdError(f"unknown {self.name} id {key!r}; it is none of the {len(self):,} known ones")
        return row

    def numbers(self, keys: Iterable[str], *, missing: Literal["error", "negative"] = "error") -> Nums:
        """(n,) int32 row numbers; an unknown id raises, or becomes -1 with `missing="negative"`."""
        if missing == "error":
            return np.fromiter((self.number(key) for key in keys), dtype=np.int32)
        return np.fromiter((self._row.get(key, -1) for key in keys), dtype=np.int32)

"""What is known about users or items, as columns that models can multiply."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.data.types import CSR, Nums


@dataclass(frozen=True)
class Features:
    """A feature matrix whose columns are named and grouped into fields.

    Parameters
    ----------
    matrix : (n, f) CSR float32.
    names : (f,) column names, written "field=value"; two Features that share a field share its spelling.
    fields : (f,) int16, column -> position in `field_names`.
    field_names : the fields ("city", "degree", "title words", ...).
    """

    matrix: CSR
    names: tuple[str, ...]
    fields: NDArray[np.int16]
    field_names: tuple[str, ...]

    def __post_init__(self) -> None:
        columns = self.matrix.shape[1]
        if not (len(self.names) == len(self.fields) == columns):
            raise ValueError(f"{columns} columns, {len(self.names)} names, {len(self.fields)} fields")

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    @classmethod
    def empty(cls, rows: int) -> "Features":
        """(rows, 0) features: nothing is known."""
        return cls(CSR((rows, 0), dtype=np.float32), (), np.empty(0, np.int16), ())

    def field(self, name: str) -> "Features":
        """The columns of one field; no columns when the field is absent."""
        return self.select([name])

    def select(self, field_names: Sequence[str]) -> "Features":
        """The columns of the named fields, in column order; absent fields are left out."""
        kept = tuple(name for name in self.field_names if name in set(field_names))
        wanted = np.array([self.field_names.index(name) for name in kept], dtype=np.int16)
        columns = np.flatnonzero(np.isin(self.fields, wanted))
        renumbered = np.searchsorted(wanted, self.fields[columns]).astype(np.int16)
        return Features(CSR(self.matrix[:, columns]), tuple(self.names[c] for c in columns), renumbered, kept)

    def take(self, rows: Nums) -> CSR:
        """(len(rows), f) CSR; a row number of -1 gives an empty row."""
        known = np.maximum(rows, 0)
        taken = CSR(self.matrix[known]) if len(self) else CSR((len(rows), self.matrix.shape[1]), dtype=np.float32)
        if (rows < 0).any():
            keep = CSR(
                ((rows >= 0).astype(np.float32), (np.arange(len(rows)), np.arange(len(rows)))),
                shape=(len(rows), len(rows)),
            )
            taken = CSR(keep @ taken)
            taken.eliminate_zeros()
        return taken

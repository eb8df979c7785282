"""Postings that are one job: the same title, employer and place in normal form, and near-equal words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.data import Nums
from metier.data.posting import Posting
from metier.kernels.simhash import near_equal, simhash
from metier.live.attributes import kept

Prints = NDArray[np.uint64]


@dataclass(frozen=True)
class Reposts:
    """Which of n jobs are one.

    Parameters
    ----------
    keys : (n,) hash of title, employer and place; 0 for a job without title or text, which is like no other.
    cluster : (n,) row number of the first job of the same cluster; itself when alone.
    prints : (n,) fingerprints where one was needed so far, which `printed` (n,) says.
    """

    keys: Prints
    cluster: Nums
    prints: Prints
    printed: NDArray[np.bool_]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Reposts":
        """Of rows with title, text, employer, city, state and country."""
        keys = _keys(frame)
        rows, starts = _groups(keys, np.arange(len(keys), dtype=np.int32))
        prints, printed = np.zeros(len(frame), np.uint64), np.zeros(len(frame), np.bool_)
        prints[rows] = simhash(frame["text"].gather(rows).fill_null("").to_list())
        printed[rows] = True
        cluster = np.arange(len(frame), dtype=np.int32)
        cluster[rows] = rows[near_equal(prints[rows], starts)]
        return cls(keys, cluster, prints, printed)

    def add(self, postings: Sequence[Posting]) -> "Reposts":
        """These and more rows at the end, each alone."""
        keys, more = np.append(self.keys, _keys_of(postings)), len(postings)
        cluster = np.append(self.cluster, np.arange(len(self.keys), len(keys), dtype=np.int32))
        return Reposts(keys, cluster, np.pad(self.prints, (0, more)), np.pad(self.printed, (0, more)))

    def amend(self, rows: Nums, postings: Sequence[Posting], texts: "TextOf") -> "Reposts":
        """The same where these rows have another employer; whoever was or is like them is compared anew."""
        keys = self.keys.copy()
        keys[rows] = _keys_of(postings)
        moved = rows[keys[rows] != self.keys[rows]]
        return replace(self, keys=keys).compared(np.append(self.keys[moved], keys[moved]), texts)

    def keep(self, size: int, rows: Nums) -> "Reposts":
        """The first `size` rows, and of the others those of these numbers; one whose first is gone is alone."""
        place = np.full(len(self.keys), -1, np.int32)
        place[:size], place[size + rows] = np.arange(size), np.arange(size, size + len(rows))
        keys, cluster, prints, printed = (kept(values, size, rows) for values in vars(self).values())
        cluster = place[cluster]
        return Reposts(keys, np.where(cluster < 0, np.arange(len(keys), dtype=np.int32), cluster), prints, printed)

    def compared(self, keys: Prints, texts: "TextOf") -> "Reposts":
        """The same with all rows of these keys compared anew.

        Parameters
        ----------
        texts : gives the words of a row number.
        """
        near = np.flatnonzero(np.isin(self.keys, keys)).astype(np.int32)
        cluster, prints, printed = self.cluster.copy(), self.prints.copy(), self.printed.copy()
        cluster[near] = near
        near, starts = _groups(self.keys, near)
        for row in near[~printed[near]].tolist():
            prints[row] = simhash([texts(row)])[0]
        printed[near] = True
        cluster[near] = near[near_equal(prints[near], starts)]
        return Reposts(self.keys, cluster, prints, printed)


class TextOf:
    """The words of a job by row number: the bundle's table, then the postings that came later."""

    def __init__(self, table: pl.DataFrame, postings: Sequence[Posting]) -> None:
        self._texts, self._postings, self._size = table["text"], postings, len(table)

    def __call__(self, row: int) -> str:
        return self._postings[row - self._size].words if row >= self._size else self._texts[int(row)] or ""


def _groups(keys: Prints, rows: Nums) -> tuple[Nums, NDArray[np.int64]]:
    """Those of ascending rows whose key, not 0, another one has, key by key; where each group starts, and the end."""
    order = rows[np.argsort(keys[rows], kind="stable")]
    _, start, count = np.unique(keys[order], return_index=True, return_counts=True)
    several = (count > 1) & (keys[order][start] != 0)
    chosen = [order[a : a + n] for a, n in zip(start[several], count[several], strict=True)]
    starts = np.append(0, np.cumsum(count[several])).astype(np.int64)
    return np.concatenate([np.empty(0, np.int32), *chosen]), starts


def _keys_of(postings: Sequence[Posting]) -> Prints:
    columns = ("title", "employer", "city", "state", "country")
    frame = pl.DataFrame(
        {name: [getattr(one, name) for one in postings] for name in columns}
        | {"text": [one.words for one in postings]},
        schema=dict.fromkeys((*columns, "text"), pl.String),
    )
    return _keys(frame)


def _keys(frame: pl.DataFrame) -> Prints:
    """(n,) hash of title, employer and place in small letters, without signs; 0 where title or text is missing."""
    parts = [
        pl.col(name).fill_null("").str.to_lowercase().str.replace_all(r"[^\pL\pN]+", " ").str.strip_chars()
        for name in ("title", "employer", "city", "state", "country")
    ]
    title, text = (pl.col(name).fill_null("").str.strip_chars().str.len_chars() for name in ("title", "text"))
    silent = (title == 0) | (text <= title)  # the words of a posting begin with its title
    key = pl.concat_str(parts, separator="\x1f").hash(seed=0)
    return frame.select(pl.when(silent).then(pl.lit(0, pl.UInt64)).otherwise(key).alias("key")).to_series().to_numpy()

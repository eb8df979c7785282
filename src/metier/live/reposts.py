"""Postings that are one job: the same title, employer and place in normal form, and near-equal words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.data import Nums
from metier.data.posting import Posting
from metier.kernels.simhash import NEAR, near_equal, simhash

Prints = NDArray[np.uint64]


@dataclass(frozen=True)
class Reposts:
    """Which of n jobs are one.

    Parameters
    ----------
    keys : (n,) hash of title, employer and place; 0 for a job without title or text, which is like no other.
    cluster : (n,) row number of the first job of the same cluster; itself when alone.
    prints : fingerprints of the rows where one was needed so far.
    """

    keys: Prints
    cluster: Nums
    prints: dict[int, int]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Reposts":
        """Of rows with title, text, employer, city, state and country."""
        keys = _keys(frame)
        order = np.argsort(keys, kind="stable")
        _, start, count = np.unique(keys[order], return_index=True, return_counts=True)
        several = (count > 1) & (keys[order][start] != 0)
        starts = np.append(0, np.cumsum(count[several])).astype(np.int64)
        chosen = [order[a : a + n] for a, n in zip(start[several], count[several], strict=True)]
        rows = np.concatenate([np.empty(0, np.int64), *chosen])  # ascending inside each key
        prints = simhash(frame["text"].gather(rows).fill_null("").to_list())
        cluster = np.arange(len(frame), dtype=np.int32)
        cluster[rows] = rows[near_equal(prints, starts)]
        return cls(keys, cluster, dict(zip(rows.tolist(), prints.tolist(), strict=True)))

    def add(self, postings: Sequence[Posting], texts: "TextOf") -> "Reposts":
        """These and more rows at the end; a newcomer joins the first cluster that it belongs to.

        Parameters
        ----------
        texts : gives the words of a row number.
        """
        keys = np.append(self.keys, _keys_of(postings))
        rows = np.arange(len(self.keys), len(keys), dtype=np.int32)
        return replace(self, keys=keys, cluster=np.append(self.cluster, rows))._joined(rows, texts)

    def amend(self, rows: Nums, postings: Sequence[Posting], texts: "TextOf") -> "Reposts":
        """The same where these rows have another employer; whoever was or is like them is compared anew."""
        keys = self.keys.copy()
        keys[rows] = _keys_of(postings)
        moved = rows[keys[rows] != self.keys[rows]]
        touched = np.isin(self.keys, self.keys[moved]) | np.isin(keys, keys[moved])
        touched[moved] = True
        again = np.flatnonzero(touched).astype(np.int32)
        cluster = self.cluster.copy()
        cluster[again] = again
        return replace(self, keys=keys, cluster=cluster)._joined(again, texts)

    def _joined(self, rows: Nums, texts: "TextOf") -> "Reposts":
        """Each of these rows, ascending and still alone, in the first cluster before it that it belongs to."""
        cluster, prints, newcomers = self.cluster.copy(), dict(self.prints), set(rows.tolist())
        near = np.flatnonzero(np.isin(self.keys, self.keys[rows]) & (self.keys != 0))
        near = near[np.argsort(self.keys[near], kind="stable")]
        for alike in np.split(near, np.flatnonzero(np.diff(self.keys[near])) + 1):
            group = alike.tolist()
            for one in group if len(group) > 1 else []:
                if one not in prints:
                    prints[one] = int(simhash([texts(one)])[0])
            for place, row in enumerate(group if len(group) > 1 else []):
                if row in newcomers:
                    twins = (one for one in group[:place] if (prints[one] ^ prints[row]).bit_count() <= NEAR)
                    cluster[row] = cluster[next(twins, row)]
        return Reposts(self.keys, cluster, prints)

    def take(self, rows: Nums) -> "Reposts":
        """Some of them, in ascending order; what was one job stays one."""
        _, first, cluster = np.unique(self.cluster[rows], return_index=True, return_inverse=True)
        prints = {place: self.prints[row] for place, row in enumerate(rows.tolist()) if row in self.prints}
        return Reposts(self.keys[rows], first[cluster].astype(np.int32), prints)


class TextOf:
    """The words of a job by row number: the bundle's table, then the postings that came later."""

    def __init__(self, table: pl.DataFrame, postings: Sequence[Posting]) -> None:
        self._texts, self._postings, self._size = table["text"], postings, len(table)

    def __call__(self, row: int) -> str:
        return self._postings[row - self._size].words if row >= self._size else self._texts[int(row)] or ""


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

"""All jobs of a snapshot as arrays: those of the bundle first, then those that came later."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import polars as pl

from metier.data import Floats, Nums
from metier.data.posting import Posting
from metier.data.types import Times
from metier.errors import UnknownIdError
from metier.live.attributes import Attributes, Mask, Numbers, kept
from metier.live.records import Filter
from metier.live.reposts import Reposts, TextOf

NOBODY = np.empty(0, np.int32)


@dataclass(frozen=True)
class Board:
    """n jobs.

    Parameters
    ----------
    table : (I) rows of the bundle's jobs. posted : (n - I) later ones.
    ids : (I) of the bundle; rows : their row numbers; later : those of ids that came later.
    amended : row of the bundle's -> its posting, of other facts than in `table` and of the same words and place.
    gone : (n,) withdrawn, or replaced by a later posting with the same id.
    told : (n,) posted since the training, be it as they were.
    closed : (n,) of an older window than the newest, which nobody is asked about any more.
    """

    table: pl.DataFrame
    posted: tuple[Posting, ...]
    ids: Sequence[str]
    rows: Mapping[str, int]
    later: Mapping[str, int]
    numbers: Numbers
    attributes: Attributes
    amended: Mapping[int, Posting]
    gone: Mask
    told: Mask
    closed: Mask
    reposts: Reposts
    mentions: Callable[[str], Mask]
    """(I,) whether a word stands in each of the bundle's jobs"""
    record: Callable[[int], Posting]
    """a row of the bundle's"""

    @classmethod
    def of(cls, table: pl.DataFrame, at: Floats) -> "Board":
        """The bundle's jobs; at : (I, 3) where they are."""
        attributes, numbers = Attributes.of(table, at)
        windows = table["window"].cast(pl.Int32)
        closed = (windows < (windows.max() or 0)).fill_null(False).to_numpy()
        ids = table["id"].to_list()
        rows = {key: row for row, key in enumerate(ids)}
        times = np.column_stack([attributes.start, attributes.end])
        mentions = _mentions(table["text"])
        record = lru_cache(maxsize=4096)(lambda row: _posting(table, times, row))  # the same jobs are shown again
        none = np.zeros(len(table), np.bool_)
        reposts = Reposts.of(table)
        return cls(table, (), ids, rows, {}, numbers, attributes, {}, none, none, closed, reposts, mentions, record)

    def add(self, postings: Sequence[Posting], at: Floats) -> tuple["Board", Nums]:
        """These jobs and later ones, each id once; and which of the former and new later ones stay, in their new order.

        One whose id is known takes the older one's place. The later ones lie in the order of their ids and none is kept
        that was replaced, so that a board says what is offered and nothing of how that came about: two processes that
        heard of the same jobs in other portions answer alike to the last bit. A withdrawn posting stays: people applied
        to it, and that still says what they look for.
        """
        size = len(self.table)
        more, numbers = Attributes.of_postings(postings, at, self.numbers)
        gone, later, posted = self.gone.copy(), dict(self.later), (*self.posted, *postings)
        for row, one in enumerate(postings, start=len(gone)):
            old = later.get(one.id, self.rows.get(one.id))
            if old is not None:
                gone[old] = True
            later[one.id] = row
        stay = np.array([row - size for _, row in sorted(later.items())], np.int32)
        left = np.ones(len(posted), np.bool_)
        left[stay] = False
        left[len(self.posted) :] = True
        posted, reposts = tuple(posted[row] for row in stay.tolist()), self.reposts.add(postings)
        moved = reposts.keys[size:][left]
        return replace(
            self,
            posted=posted,
            later={one.id: row for row, one in enumerate(posted, start=size)},
            numbers=numbers,
            attributes=self.attributes.append(more).keep(size, stay),
            gone=kept(np.append(gone, np.zeros(len(postings), np.bool_)), size, stay),
            told=kept(np.append(self.told, np.ones(len(postings), np.bool_)), size, stay),
            closed=kept(np.append(self.closed, np.zeros(len(postings), np.bool_)), size, stay),
            reposts=reposts.keep(size, stay).compared(moved, TextOf(self.table, posted)),
        ), stay

    def amend(self, postings: Sequence[Posting]) -> "Board":
        """The same where jobs of the bundle have the words and the place that they had, but other dates, salary...

        They keep their rows, so whatever scores them still does; a later posting with the same id is gone, and left
        out by the next `add`.
        """
        rows = np.array([self.rows[one.id] for one in postings], np.int32)
        more, numbers = Attributes.of_postings(postings, self.attributes.at[rows], self.numbers)
        amended, later, gone = dict(self.amended), dict(self.later), self.gone.copy()
        for row, one in zip(rows.tolist(), postings, strict=True):
            amended[row] = one
            if one.id in later:
                gone[later.pop(one.id)] = True
        return replace(
            self,
            later=later,
            numbers=numbers,
            attributes=self.attributes.put(rows, more),
            amended=amended,
            gone=gone,
            reposts=self.reposts.amend(rows, postings, TextOf(self.table, self.posted)),
        ).again([one.id for one in postings])

    def changes(self, postings: Sequence[Posting]) -> tuple[list[Posting], list[Posting], list[str]]:
        """Postings that are to be added, those that amend one of the bundle's, and ids of those that say nothing new.

        Of two with equal ids the last counts.
        """
        added, amending, same = [], [], []
        for key, one in {one.id: one for one in postings}.items():
            row, first = self.row(key), self.rows.get(key)
            if row is not None and not self.closed[row] and self.posting(row) == one:
                same.append(key)
            elif first is not None and not self.closed[first] and self._reads(first, one):
                amending.append(one)
            else:
                added.append(one)
        return added, amending, same

    def _reads(self, row: int, posting: Posting) -> bool:
        """Whether a posting has the words and the place of a row of the bundle's."""
        known = self.record(row)
        place = all(getattr(known, name) == getattr(posting, name) for name in ("city", "state", "country", "zip"))
        return place and self.words(row) == posting.words

    def again(self, jobs: Sequence[str]) -> "Board":
        """The same with these offered again, where they were withdrawn."""
        gone, told = self.gone.copy(), self.told.copy()
        rows = [row for row in map(self.row, jobs) if row is not None]
        gone[rows], told[rows] = False, True
        return replace(self, gone=gone, told=told)

    def without(self, jobs: Sequence[str]) -> "Board":
        """The same with these withdrawn; an id that is not there is no error."""
        gone = self.gone.copy()
        gone[[row for row in map(self.row, jobs) if row is not None]] = True
        return replace(self, gone=gone)

    def row(self, job: str) -> int | None:
        """The row number of a job's latest posting, gone or not."""
        return self.later.get(job, self.rows.get(job))

    def there(self, job: str) -> int:
        """The row number of a job that is not withdrawn; UnknownIdError otherwise."""
        row = self.row(job)
        if row is None or self.gone[row]:
            raise UnknownIdError(f"no job {job!r}; cure: post it, or ask for one that is not withdrawn")
        return row

    def key(self, row: int) -> str:
        """The id of a row."""
        size = len(self.table)
        return self.posted[row - size].id if row >= size else self.ids[row]

    def posting(self, row: int) -> Posting:
        """A job as a record."""
        size = len(self.table)
        return self.posted[row - size] if row >= size else self.amended.get(row) or self.record(row)

    def words(self, row: int) -> str:
        """Title and text of a row."""
        return TextOf(self.table, self.posted)(row)

    def rows_of(self, job: str) -> list[int]:
        """Every row that a job is known by: the bundle's and the latest one."""
        return [row for row in (self.rows.get(job), self.later.get(job)) if row is not None]

    def twins(self, rows: Sequence[int]) -> Nums:
        """These rows and all that are one job with them."""
        found = [np.array(rows, np.int32)]
        for cluster in set(self.reposts.cluster[found[0]].tolist()):
            found.append(self._together(cluster))
        return np.concatenate(found)

    def newest(self, allowed: Mask) -> Mask:
        """Of the allowed rows that are one job only the newest."""
        rows, cluster = self._folds
        there = allowed[rows]
        rows, cluster = rows[there], cluster[there]
        kept = allowed.copy()
        kept[rows[1:][cluster[1:] == cluster[:-1]]] = False
        return kept

    def behind(self, row: int, allowed: Mask) -> tuple[int, ...]:
        """The other allowed rows that are one job with a row, newest first."""
        found = self._together(int(self.reposts.cluster[row])) if row in self._several else NOBODY
        return tuple(other for other in found[allowed[found]].tolist() if other != row)

    def _together(self, cluster: int) -> Nums:
        """The rows of a cluster, newest first; none where it has one row only."""
        rows, clusters = self._folds
        start, end = np.searchsorted(clusters, [cluster, cluster + 1])
        return rows[start:end]

    @cached_property
    def _several(self) -> frozenset[int]:
        """Rows that are not alone."""
        return frozenset(self._folds[0].tolist())

    @cached_property
    def _folds(self) -> tuple[Nums, Nums]:
        """Rows of clusters of two and more, by cluster and newest first; and their clusters."""
        cluster = self.reposts.cluster
        rows = np.flatnonzero(np.bincount(cluster, minlength=len(cluster))[cluster] > 1).astype(np.int32)
        age = -np.nan_to_num(self.attributes.start[rows], nan=-np.inf)
        rows = rows[np.lexsort((-rows, age, cluster[rows]))]
        return rows, cluster[rows]

    def posted_by(self, moment: float) -> float | None:
        """The newest start until a moment of the jobs that were posted since the training and are not withdrawn."""
        passed = int(np.searchsorted(self._starts, moment, side="right"))
        return float(self._starts[passed - 1]) if passed else None

    @cached_property
    def _starts(self) -> Times:
        """Of the jobs that were posted since the training and are not withdrawn, ascending; unknown ones last."""
        return np.sort(self.attributes.start[self.told & ~self.gone])

    def open(self, now: float) -> Mask:
        """(n,) not gone, not ended and not still to come; a date that is unknown hides no job."""
        moment, (known, mask) = int(np.searchsorted(self._changes, now, side="right")), self._opened
        if known != moment:
            start, end = self.attributes.start, self.attributes.end
            mask = ~self.gone & ~self.closed & ~(start > now) & ~(end < now)
            self.__dict__["_opened"] = moment, mask  # whichever thread comes last; all are right
        return mask.copy()

    @cached_property
    def _opened(self) -> tuple[int, Mask]:
        """The last answer of `open`, and how many moments of `_changes` had passed."""
        return -1, self.gone

    @cached_property
    def _changes(self) -> Times:
        """Moments at which a job opens, and right after which one closes, ascending."""
        return np.sort(np.concatenate([self.attributes.start, np.nextafter(self.attributes.end, np.inf)]))

    def matching(self, filter: Filter, home: Callable[[], Floats]) -> Mask | None:
        """(n,) where every condition holds; None without any. An unknown value fulfils none; home : where (3,)."""
        masks = self.attributes.matching(filter, self.numbers, home)
        for word in filter.words:
            masks.append(np.append(self.mentions(word), self._later_mentions(word)))
        return np.logical_and.reduce(masks) if masks else None

    @cached_property
    def _later_mentions(self) -> Callable[[str], Mask]:
        """(n - I,) `mentions` of the later jobs."""
        return _mentions(pl.Series([one.words for one in self.posted], dtype=pl.String))


def _mentions(texts: pl.Series) -> Callable[[str], Mask]:
    """(n,) whether a word stands in each of the texts; the answers for 64 words are kept."""
    return lru_cache(maxsize=64)(lambda word: texts.str.contains(_whole(word)).fill_null(False).to_numpy())


def _posting(table: pl.DataFrame, times: Times, row: int) -> Posting:
    one = table.row(row, named=True)
    one["start"], one["end"] = map(_known, times[row])
    title, text = one["title"] or "", one["text"] or ""
    kept = {name: value for name, value in one.items() if name not in ("window", "title", "text")}
    return Posting(title=title, text=text.removeprefix(title.strip()).lstrip("\n"), **kept)


def _whole(word: str) -> str:
    """A pattern of a word or phrase between other signs than letters and digits, in any case."""
    return rf"(?i)(?:^|[^\w+#]){re.escape(word.strip())}(?:$|[^\w+#])"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""What a ranker sees of a person and a posting: features of pairs, by group (docs/reference/ranker.md lists them)."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from metier.data import CSR, Dataset, Features, Floats, Nums, Query
from metier.data.types import Times
from metier.features.distance import columns, km, positions
from metier.features.level import levels
from metier.features.text import StaticEmbedder, Tfidf
from metier.kernels.pairs import dense_dot, echoes, entries, nearest_number, sparse_dot
from metier.kernels.product import product
from metier.kernels.similarity import strongest
from metier.models.base import Fitted
from metier.models.factorization import HistoryUse, in_order, past_shares

Group = Literal[
    "profile",
    "co-application",
    "factors",
    "session",
    "place",
    "attributes",
    "popularity",
    "time",
    "text",
    "level",
    "activity",
    "number",
]
GROUPS: tuple[Group, ...] = get_args(Group)
HOUR, DAY = 3600.0, 86400.0
SPANS = np.array([HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY])
SESSION = 6 * HOUR
"""Two applications of one person this far apart weigh 1/e as much as two at once."""
PAST = HistoryUse(decay=0.3, longest=50, power=0.5, silence=0.0)
WORDS = 48
"""Words kept of each text for the cosines."""


class Evidence(Fitted):
    """The features of pairs, fitted on a past. Columns are named "group: feature"."""

    links_: CSR  # (I, I) applications of one person to both, by nearness in time
    next_: CSR  # (I, I) how often the column came right after the row
    item_features_: CSR  # (I, f)
    attribute_counts_: CSR  # (I, g) applicants of each item by their attributes
    attribute_shares_: Floats  # (g,) share of all applications made by people with the attribute
    shared_: CSR  # (g, f) 1 where a person's column and a job's have the same name
    count_: Floats  # (I,)
    times_: Times  # (nnz,) by item, ascending
    start_: NDArray[np.int64]  # (I + 1,)
    spans_: Times  # (I, 2)
    number_: NDArray[np.int64]  # (I,) rank of the posting's number; empty when ids are no numbers
    around_: Times  # (I,) median time of the first applications to the postings numbered nearest
    at_: Floats  # (I, 3) where each posting is
    person_places_: Floats  # (g, 3) where each attribute column is
    level_: Floats  # (I,) seniority of the title
    words_: CSR  # (I, V)
    titles_: CSR  # (I, W)
    meanings_: Floats  # (I, 256)

    def fit(self, data: Dataset) -> "Evidence":
        """Count and encode; nothing is learned from answers here."""
        pairs, shape = data.interactions, data.shape
        self.count_ = np.bincount(pairs.items, minlength=shape[1]).astype(np.float32)
        order = np.lexsort((pairs.times, pairs.items))
        self.times_, self.start_ = pairs.times[order], np.searchsorted(pairs.items[order], np.arange(shape[1] + 1))
        self.spans_ = np.full((shape[1], 2), np.nan) if data.spans is None else data.spans
        self.links_, self.next_ = _sessions(data)
        jobs, people = data.item_features, data.user_features
        self.item_features_ = jobs.matrix
        self.item_field_names_, self.item_fields_ = jobs.field_names, jobs.fields
        self.user_field_names_, self.user_fields_ = people.field_names, people.fields
        self.shared_ = _shared(people, jobs)
        self.at_, self.person_places_ = positions(jobs.matrix, columns(jobs.names)), columns(people.names)
        self.attribute_counts_ = product(CSR(data.matrix.T), people.matrix)  # (I, U) @ (U, g)
        by_attribute = np.asarray(self.attribute_counts_.sum(axis=0), np.float32).ravel()
        self.attribute_shares_ = by_attribute / np.float32(max(len(pairs), 1))
        self.number_ = _numbers(data.items.ids)
        self.around_ = _around(self.number_, self.times_, self.start_)
        self._read(data)
        return self

    def _read(self, data: Dataset) -> None:
        """Encode the postings."""
        self.heard_ = int(any(data.user_texts))
        titles = [text.split("\n")[0] for text in data.item_texts]
        whole, short = Tfidf.fit(data.item_texts), Tfidf.fit(titles)
        self.vocabulary_, self.idf_ = whole.vocabulary, whole.idf
        self.title_vocabulary_, self.title_idf_ = short.vocabulary, short.idf
        self.words_, self.titles_ = strongest(whole.encode(data.item_texts), WORDS), short.encode(titles)
        self.meanings_ = StaticEmbedder().embed(data.item_texts)
        self.level_ = levels(titles)

    def near_numbers(self, query: Query, reach: int) -> CSR:
        """(b, I) postings numbered within `reach` places of one of the last eight of the history."""
        history = query.history
        if not len(self.number_):
            return CSR(history.shape, dtype=np.float32)
        by_number = np.argsort(self.number_)
        row = np.repeat(np.arange(len(query)), np.diff(history.indptr))
        recent = past_shares(query, PAST._replace(longest=8)).data > 0
        at = self.number_[history.indices[recent]][:, None] + np.arange(-reach, reach + 1)  # (h, 2 reach + 1)
        inside = (at >= 0) & (at < len(by_number))
        rows = np.repeat(row[recent], inside.sum(axis=1))
        return CSR((np.ones(len(rows), np.float32), (rows, by_number[at[inside]])), shape=history.shape)

    def features(self, query: Query, now: Times, row: Nums, item: Nums) -> dict[str, Floats]:
        """Name -> (p,) float32, NaN unknown, for pairs of people of the query and items; now : (b,) seconds."""
        past = past_shares(query, PAST)
        last = _latest(past)
        return (
            self._session(past, last, row, item)
            | self._fields(query, past, last, row, item)
            | self._attributes(query, row, item)
            | self._time(now, row, item)
            | self._text(query, past, last, row, item)
            | self._number(query, last, row, item)
            | {"activity: past applications": np.diff(query.history.indptr).astype(np.float32)[row]}
        )

    def _session(self, past: CSR, last: CSR, row: Nums, item: Nums) -> dict[str, Floats]:
        before = CSR(self.next_.T)
        return {
            "session: with the past": entries(product(past, self.links_), row, item),
            "session: with the last": entries(product(last, self.links_), row, item),
            "session: right after the last": entries(product(last, self.next_), row, item),
            "session: right before the last": entries(product(last, before), row, item),
            "session: next to the past": entries(product(past, CSR(self.next_ + before)), row, item),
        }

    def _fields(self, query: Query, past: CSR, last: CSR, row: Nums, item: Nums) -> dict[str, Floats]:
        """What the posting has in common with past postings and with the profile, field by field."""
        found = {"place: km to the last": km(positions(last, self.at_)[row], self.at_[item])}
        own = None if query.features is None else CSR(query.features @ self.shared_)  # (b, f)
        if query.features is not None:
            found["place: km to the profile"] = km(positions(query.features, self.person_places_)[row], self.at_[item])
        for number, name in enumerate(self.item_field_names_):
            mine = np.flatnonzero(self.item_fields_ == number)
            job = CSR(self.item_features_[:, mine])
            group = "place" if name in PLACE_FIELDS else "attributes"
            found[f"{group}: {name} of the past"] = sparse_dot(product(past, job), job, row, item)
            found[f"{group}: {name} of the last"] = sparse_dot(product(last, job), job, row, item)
            if name in self.user_field_names_ and own is not None:
                found[f"{group}: {name} of the profile"] = sparse_dot(CSR(own[:, mine]), job, row, item)
        return found

    def _attributes(self, query: Query, row: Nums, item: Nums) -> dict[str, Floats]:
        """Applicants who share an attribute with the person: their number, and its log ratio to what chance gives."""
        found: dict[str, Floats] = {}
        if query.features is None:
            return found
        for number, name in enumerate(self.user_field_names_):
            these = np.flatnonzero(self.user_fields_ == number)
            mine, theirs = CSR(query.features[:, these]), CSR(self.attribute_counts_[:, these])
            alike = sparse_dot(mine, theirs, row, item)
            expected = (mine @ self.attribute_shares_[these])[row] * self.count_[item]
            found[f"attributes: applicants with the same {name}"] = alike
            found[f"attributes: lift of {name}"] = np.log((alike + 0.5) / (expected + 0.5)).astype(np.float32)
        return found

    def _time(self, now: Times, row: Nums, item: Nums) -> dict[str, Floats]:
        moment = now[row]
        near, nearest, since = echoes(self.times_, self.start_, item, moment, SPANS)
        first = np.full(len(self.count_), np.nan)
        some = np.diff(self.start_) > 0
        first[some] = self.times_[self.start_[:-1][some]]
        found = {
            "popularity: applications": self.count_[item],
            **{f"popularity: within {span / HOUR:g} h": near[:, at] for at, span in enumerate(SPANS)},
            "time: days to the nearest application": nearest / DAY,
            "time: days since the latest application": since / DAY,
            "time: days since the first application": (moment - first[item]) / DAY,
            "number: days since postings numbered near opened": (moment - self.around_[item]) / DAY,
            "time: days since it opened": (moment - self.spans_[item, 0]) / DAY,
            "time: days until it closes": (self.spans_[item, 1] - moment) / DAY,
            "activity: days to the newest application": (np.nanmax(self.times_, initial=-np.inf) - moment) / DAY,
        }
        return {
            name: np.where(np.isfinite(values), values, np.nan).astype(np.float32) for name, values in found.items()
        }

    def _text(self, query: Query, past: CSR, last: CSR, row: Nums, item: Nums) -> dict[str, Floats]:
        spoken = np.zeros(len(self.count_), np.float32)
        spoken[:] = np.where(np.diff(self.words_.indptr) > 0, 1, np.nan)  # a posting without words: unknown, not unlike
        found = {
            "text: words of the past": sparse_dot(_unit(product(past, self.words_)), self.words_, row, item),
            "text: title of the past": sparse_dot(_unit(product(past, self.titles_)), self.titles_, row, item),
            "text: title of the last": sparse_dot(product(last, self.titles_), self.titles_, row, item),
            "text: meaning of the past": dense_dot(_unit_dense(past @ self.meanings_), self.meanings_, row, item),
        }
        if query.texts is not None and self.heard_:
            words = strongest(Tfidf(self.vocabulary_, self.idf_).encode(query.texts), WORDS)
            titles = Tfidf(self.title_vocabulary_, self.title_idf_).encode(query.texts)
            meanings = StaticEmbedder().embed(query.texts)
            silent = np.where([bool(text) for text in query.texts], np.float32(0), np.float32(np.nan))[row]
            heard = {
                "text: words of the person": sparse_dot(words, self.words_, row, item),
                "text: title in the words of the person": sparse_dot(titles, self.titles_, row, item),
                "text: meaning of the person": dense_dot(meanings, self.meanings_, row, item),
                "level: above the person": self.level_[item] - levels(query.texts)[row],
            }
            found |= {name: values + silent for name, values in heard.items()}
        found["level: of the posting"] = self.level_[item]
        return {name: np.asarray(values * spoken[item], np.float32) for name, values in found.items()}

    def _number(self, query: Query, last: CSR, row: Nums, item: Nums) -> dict[str, Floats]:
        if not len(self.number_):
            return {}
        return {
            "number: to the nearest of the past": nearest_number(query.history, self.number_, row, item),
            "number: to the last": nearest_number(last, self.number_, row, item),
        }


PLACE_FIELDS = ("city", "state", "country", "zip3")


def _latest(past: CSR) -> CSR:
    """(b, I) the most recent of each row's past jobs: 1, or without times all of them with even shares, because
    the order of the rows of a table says nothing."""
    row = np.repeat(np.arange(past.shape[0]), np.diff(past.indptr))
    best = np.zeros(past.shape[0], np.float32)
    np.maximum.at(best, row, past.data)
    newest = (past.data == best[row]).astype(np.float32)
    count = np.bincount(row, newest, minlength=past.shape[0])
    last = CSR(((newest / count[row]).astype(np.float32), past.indices, past.indptr), shape=past.shape, copy=True)
    last.eliminate_zeros()
    return last


def _sessions(data: Dataset) -> tuple[CSR, CSR]:
    """(I, I) sum over people of exp(-gap / SESSION) / ln(2 + applications), over sqrt(applicants of the column); and
    (I, I) counts of "right after"."""
    runs, size = in_order(data), len(data.items)
    pairs = data.interactions
    order = np.lexsort((pairs.items, np.nan_to_num(pairs.times, nan=-np.inf), pairs.users))
    times, counts = pairs.times[order], np.diff(runs.start)
    if not np.isfinite(times).all():
        return CSR((size, size), dtype=np.float32), CSR((size, size), dtype=np.float32)
    owner = np.repeat(np.arange(len(counts)), counts)
    begins = np.append(True, (owner[1:] != owner[:-1]) | (times[1:] != times[:-1]))[: len(times)]
    alone = begins & np.append(begins[1:], True)[: len(times)]  # applications at one moment have no order
    ahead = np.flatnonzero((owner[:-1] == owner[1:]) & alone[:-1] & alone[1:])
    follows = CSR((np.ones(len(ahead), np.float32), (runs.item[ahead], runs.item[ahead + 1])), shape=(size, size))
    rows, columns, weights = [], [], []
    for step in range(1, LONGEST + 1):  # pairs of one person, `step` applications apart
        a = np.flatnonzero(owner[:-step] == owner[step:])
        weight = np.exp((times[a] - times[a + step]) / SESSION) / np.log(2 + counts[owner[a]])
        rows.append(runs.item[a])
        columns.append(runs.item[a + step])
        weights.append(weight)
    linked = (np.concatenate(weights).astype(np.float32), (np.concatenate(rows), np.concatenate(columns)))
    forward = CSR(linked, shape=(size, size))
    links = CSR(forward + forward.T)
    applicants = np.bincount(pairs.items, minlength=size)
    links.data /= np.sqrt(np.maximum(applicants[links.indices], 1)).astype(np.float32)
    return links, follows


LONGEST = 30
"""Applications of one person further apart than this are no session."""


def _shared(people: Features, jobs: Features) -> CSR:
    """(g, f) 1 where a column of the people and one of the jobs have the same name."""
    column = {name: number for number, name in enumerate(jobs.names)}
    found = [(row, column[name]) for row, name in enumerate(people.names) if name in column]
    rows, columns = (np.array(side, np.int64) for side in zip(*found, strict=True)) if found else ([], [])
    return CSR((np.ones(len(found), np.float32), (rows, columns)), shape=(len(people.names), len(jobs.names)))


def _numbers(ids: Sequence[str]) -> NDArray[np.int64]:
    """(I,) rank of each id by its number; empty when an id is no number: boards number postings as they come in."""
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in ids):
        return np.empty(0, np.int64)
    rank = np.empty(len(ids), np.int64)
    rank[np.argsort(np.array(ids, np.int64), kind="stable")] = np.arange(len(ids))
    return rank


def _around(number: NDArray[np.int64], times: Times, start: NDArray[np.int64]) -> Times:
    """(I,) median over the 21 postings numbered nearest of the time of their first application; NaN without any."""
    if not len(number) or not len(times):
        return np.full(len(start) - 1, np.nan)
    first = np.full(len(number) + 20, np.nan)  # by number, padded on both sides
    some = np.diff(start) > 0
    first[10 + number[some]] = times[start[:-1][some]]
    near = np.lib.stride_tricks.sliding_window_view(first, 21)  # (I, 21)
    known = np.isfinite(near).any(axis=1)
    middle = np.full(len(number), np.nan)
    middle[known] = np.nanmedian(near[known], axis=1)
    return np.asarray(middle[number])


def _unit(rows: CSR) -> CSR:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scaled = rows.data / np.repeat(np.where(lengths > 0, lengths, 1), np.diff(rows.indptr))
    return CSR((scaled.astype(np.float32), rows.indices, rows.indptr), shape=rows.shape)


def _unit_dense(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)

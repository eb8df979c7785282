"""The conditional logit of `metier.models.profile`, ready for one person at a time over a whole catalogue.

w . x of a person and a posting is the sum of a product of text vectors, of a number that depends on the posting's place
alone, and of one that depends on the posting alone. Postings of one place lie side by side in a `VectorIndex`, so that
a place's number is worked out once; the sum is exact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metier.bundle import ProfilePart, profile_vectors, version
from metier.data import CSR, Floats, Nums, Query
from metier.data.posting import Posting
from metier.features.distance import position, spellings
from metier.features.encoder import PLACES
from metier.features.text import StaticEmbedder, Tfidf
from metier.live.records import Asker
from metier.live.scan import Question, Scan, Searched, Sites, from_place
from metier.live.shards import Shards
from metier.models.factorization import past_shares
from metier.models.profile import PAST, near
from metier.models.text_vectors import unit

Spot = tuple[str | None, str | None, str | None]
"""City, state and country; None unknown."""
DAY = 86_400.0
JUST = 1 / 24
"""Days that a posting has been open at least, as in the profile."""


class Encoded(NamedTuple):
    """m postings as the logit sees them."""

    vectors: Floats
    """(m, d) topics, which say most and are multiplied first, then static word vectors"""
    places: Nums
    """(m, 4) columns of city, state, country and zip3; -1 unknown"""
    at: Floats
    """(m, 3) where they are, 0 unknown"""
    appeal: Floats
    """(m, 2)"""

    def take(self, rows: Nums) -> "Encoded":
        """Some of them."""
        return Encoded(self.vectors[rows], self.places[rows], self.at[rows], self.appeal[rows])


class Matcher:
    """Built once from a bundle; never changed.

    Parameters
    ----------
    shards : the processes that search its jobs; without them they are searched here. With them the vectors of jobs stay
        on disk, and those of a few are read where somebody's past or reasons ask for them.
    """

    def __init__(self, part: ProfilePart, shards: Shards | None = None) -> None:
        model = part.profile
        self.jobs = len(part.job_table)
        self._weights = {heard: model.weights(heard=heard) for heard in (False, True)}
        self._terms = Tfidf(model.topics_.vocabulary_, model.topics_.idf_)
        self._axes = model.topics_.axes_
        self._prior = float(np.log(model.config.prior))
        self._fields = _place_fields(part)
        self._mine = _columns_of_people(part)
        self._spots = _spots(self._fields)
        times = part.interactions.times
        self.newest = float(np.nanmax(times)) if np.isfinite(times).any() else None
        """The newest application that it learned from, in seconds since 1970 UTC; None where no time is known."""
        self._days = float(model.appeal_[:, 1].mean()) if self.jobs else 0.0
        self._sites = Sites.of(part)
        self.appeal = model.appeal_
        self._topics = model.topic_.shape[1]
        self._scan: Searched
        if shards is None:
            self._scan = whole = Scan(part, self._sites)
            self._vectors: Callable[[Nums], Floats] = whole.vectors
        else:
            self._scan = shards.of(version(part.folder.name, part.digest), self._sites.group)
            self._vectors = profile_vectors(part)
        self._temperature = model.config.temperature
        self._sample = self._vectors(model.sample_)  # (p, d)

    def said(self, texts: Sequence[str]) -> Floats:
        """(b, d + t) what people say: `vectors`, and the topics of postings like these words."""
        words, topics = self.vectors(texts), self._sample[:, : self._topics]
        # One by one: a product of many rows rounds otherwise, and nobody's score may depend on who is beside them.
        like = [near(words[[row]], self._sample, topics, self._temperature) for row in range(len(words))]
        return np.hstack([words, np.concatenate([np.zeros((0, self._topics), np.float32), *like])])

    def ask(self, own: Floats, asker: Asker, past: Encoded, times: Sequence[float], *, heard: bool) -> Question:
        """A person as a question.

        Parameters
        ----------
        own : (d + t,) `said` of what counts of their words.
        past, times : (p) distinct postings applied to, and when, in seconds.
        heard : whether the weights are those of people with a history.
        """
        w, vector = self._weights[heard], self._worded(own, heard=heard)
        places = np.zeros(len(w.own_places) + 1, np.float32)
        asker = self.placed(asker)
        mine = self.place_columns(asker)
        places[mine] += w.own_places[mine]
        if len(times):
            shares = _shares(times)  # (p,)
            sums = shares @ past.vectors
            vector[: self._topics] += w.past[1] * unit(sums[None, : self._topics])[0]
            vector[self._topics :] += w.past[0] * unit(sums[None, self._topics :])[0]
            for column in past.places.T:
                known = column >= 0
                np.add.at(places, column[known], shares[known] * w.past_places[column[known]])
        home = position(asker)
        return Question(vector.astype(np.float32), places, home, float(w.far), w.appeal, heard)

    def _worded(self, own: Floats, *, heard: bool) -> Floats:
        """(d,) what words are multiplied with."""
        w = self._weights[heard]
        topics, meaning, like = np.split(own, [self._topics, len(own) - self._topics])
        return np.append(w.own[1] * topics + w.near * like, w.own[0] * meaning)

    def _of_words(self, vector: Floats) -> Question:
        """A question that nothing but words answer."""
        nothing = np.zeros(len(self._weights[False].own_places) + 1, np.float32)
        return Question(vector, nothing, np.zeros(3, np.float32), 0.0, np.zeros(2, np.float32), None)

    def best(self, question: Question, k: int, allowed: NDArray[np.bool_]) -> tuple[Nums, Floats]:
        """The k best of the bundle's jobs among those allowed (I,), and their scores; fewer where there are fewer."""
        return self._scan.best(question, k, allowed)

    def score(self, question: Question, jobs: Encoded) -> Floats:
        """(m,) scores."""
        place = from_place(question, jobs.places, jobs.at)
        # `@` would round a job by how many stand beside it, and processes that hold more or fewer would not agree.
        words = np.einsum("md,d->m", jobs.vectors, question.vector)
        return np.asarray(words + place + np.einsum("md,d->m", jobs.appeal, question.appeal), np.float32)

    def closest(self, own: Floats) -> Question:
        """A person's words alone as a question, weighed as those of somebody without a history: neither popularity nor
        place nor past counts.

        Parameters
        ----------
        own : (d + t,) `said` of what counts of their words.
        """
        return self._of_words(self._worded(own, heard=False).astype(np.float32))

    def alike(self, vector: Floats) -> Question:
        """A posting's (d,) vector as a question whose scores are the means of both cosines."""
        return self._of_words((vector / 2).astype(np.float32))

    def shares(self, alone: Question, whole: Question, job: Encoded) -> dict[str, float]:
        """Feature group -> magnitude of its part of the score of one job, over the sum of these; {} where all are 0.

        Parameters
        ----------
        alone, whole : the same person without and with past applications.
        """
        text = float(job.vectors[0] @ alone.vector)
        place = float(from_place(alone, job.places, job.at)[0])
        past = float(job.vectors[0] @ whole.vector) + float(from_place(whole, job.places, job.at)[0]) - text - place
        popularity, time = (job.appeal[0] * whole.appeal).tolist()
        parts = {"text": text, "past": past, "place": place, "popularity": popularity, "time": time}
        total = sum(map(abs, parts.values()))
        return {group: abs(part) / total for group, part in parts.items()} if total else {}

    def encoded(self, jobs: Nums) -> Encoded:
        """Jobs of the bundle by row number."""
        sites, group = self._sites, self._sites.group[jobs]
        return Encoded(self._vectors(jobs), sites.places[group], sites.at[group], self.appeal[jobs])

    def encode(self, postings: Sequence[Posting], known: Sequence[int]) -> Encoded:
        """Postings that came later; `known` is the bundle's row number of each that it knew under the same id, else -1.

        A new one has no applications and has been open from its start to the newest application of the training.
        """
        rows = np.array(known, np.int64)
        newest = np.nan if self.newest is None else self.newest
        days = np.log([max((newest - (one.start or np.nan)) / DAY, JUST) for one in postings])
        fresh = np.column_stack([np.full(len(rows), self._prior), np.where(np.isnan(days), self._days, days)])
        appeal = np.where(rows[:, None] >= 0, self.appeal[rows], fresh) if self.jobs else fresh
        places = [[self._fields[name].get(key, -1) for name, key in place_keys(one).items()] for one in postings]
        return Encoded(
            self.vectors([one.words for one in postings]),
            np.array(places, np.int32).reshape(len(postings), len(PLACES)),
            np.array([position(one) for one in postings], np.float32).reshape(-1, 3),
            appeal.astype(np.float32),
        )

    def vectors(self, texts: Sequence[str]) -> Floats:
        """(n, d) topics and static word vectors of texts, each of length 1."""
        topics = np.zeros((len(texts), self._axes.shape[1]), np.float32)
        if topics.size:
            for row, text in enumerate(texts):
                columns, weights = self._terms.terms(text)
                topics[row] = weights @ self._axes[columns]
        return np.hstack([unit(topics), StaticEmbedder().embed(texts)])

    def placed(self, one: Asker) -> Asker:
        """Somebody with their city and state as the jobs write them, and with the state and country that these have
        there. Unchanged where the jobs know no such place, or several."""
        for city in ((one.city or "").lower(), ""):
            spots = set[Spot]().union(*(self._spots.get((city, state), ()) for state in spellings(one.state or "")))
            found = [spot for spot in spots if one.country in (None, spot[2])]
            if len(found) == 1:
                (named, region, country), *_ = found
                return replace(one, city=named or one.city, state=region or one.state, country=country or one.country)
        return one

    def place_columns(self, one: Asker) -> Nums:
        """The place columns that are true of a person."""
        found = (self._mine[name].get(key, -1) for name, key in place_keys(one).items())
        return np.array([column for column in found if column >= 0], np.int32)


def _shares(times: Sequence[float]) -> Floats:
    """(p,) how much each past application counts."""
    moments = np.array(times, np.float64)
    pointer, column = np.array([0, len(moments)]), np.arange(len(moments))
    ones = CSR((np.ones(len(moments), np.float32), column, pointer), shape=(1, len(moments)))
    when = CSR((moments, column, pointer), shape=(1, len(moments)))
    return np.asarray(past_shares(Query(np.full(1, -1, np.int32), ones, times=when), PAST).data)


def place_keys(one: Asker | Posting) -> dict[str, str | None]:
    """The key of each place field as `metier.features.encoder` writes it; None where its finest part is unknown."""
    zip3 = one.zip[:3] if one.zip else None
    parts = {"city": one.city, "state": one.state, "country": one.country, "zip3": zip3}
    return {
        name: None if parts[keys[0]] is None else "|".join([str(parts[keys[0]]), *(parts[k] or "?" for k in keys[1:])])
        for name, keys in PLACES.items()
    }


def _place_fields(part: ProfilePart) -> dict[str, dict[str | None, int]]:
    """Place field -> key -> number of the column among the profile's place columns."""
    found: dict[str, dict[str | None, int]] = {name: {} for name in PLACES}
    number = 0
    for field in part.jobs.fields:
        if field.name in PLACES:
            found[field.name] = {value: number + at for at, value in enumerate(field.values)}
            number += len(field.values)
    return found


def _columns_of_people(part: ProfilePart) -> dict[str, dict[str | None, int]]:
    """The same for people: only what is a column of the people's features is compared."""
    jobs = _place_fields(part)
    known = {field.name: set(field.values) for field in part.people.fields if field.name in PLACES}
    return {
        name: {key: column for key, column in keys.items() if key in known.get(name, ())} for name, keys in jobs.items()
    }


def _spots(fields: Mapping[str, Mapping[str | None, int]]) -> dict[tuple[str, str], set[Spot]]:
    """City and state of the jobs in small letters, "" for either -> the places that are called so."""
    found: dict[tuple[str, str], set[Spot]] = {}
    for key in fields["city"]:
        if key and len(parts := [None if part == "?" else part for part in key.split("|")]) == 3:
            city, state, country = parts
            for known in {(state or "").lower(), ""}:
                found.setdefault(((city or "").lower(), known), set()).add((city, state, country))
    for key in fields["state"]:
        if key and len(parts := [None if part == "?" else part for part in key.split("|")]) == 2:
            found.setdefault(("", (parts[0] or "").lower()), set()).add((None, parts[0], parts[1]))
    return found

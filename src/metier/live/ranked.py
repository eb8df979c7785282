"""People with a history, by the ranker of the bundle. Its parts are read from disk when the first of them asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from metier import bundle
from metier.data import CSR, Floats, Nums, Query
from metier.errors import BundleError
from metier.features.encoder import PLACES
from metier.live.attributes import Mask
from metier.live.matching import place_keys
from metier.live.records import Asker
from metier.models.base import recommend
from metier.models.ranker import Ranker


@dataclass(frozen=True)
class Candid:
    """One person as the ranker is asked about them: row number (-1 unknown), text, and past jobs of the bundle.

    `learned` is False where a vector that was learned for them does not count (`Query.learned`).
    """

    user: int
    asker: Asker
    text: str
    items: Nums
    """(p,) row numbers"""
    times: Sequence[float]
    """(p,) seconds, NaN unknown"""
    learned: bool


class RankedPeople:
    """A ranker's bundle, loaded at most once, by whoever needs it first."""

    def __init__(self, folder: Path, digest: str) -> None:
        self._folder, self._digest, self._lock = folder, digest, Lock()

    @cached_property
    def _loaded(self) -> bundle.Bundle:
        with self._lock:
            loaded: bundle.Bundle | None = self.__dict__.get("_loaded")
            if loaded is None:
                loaded = bundle.load(self._folder)
                if bundle.digest(self._folder) != self._digest:
                    raise BundleError(f"{self._folder} is another bundle than at the start; cure: load it again")
                self.__dict__["_loaded"] = loaded
        return loaded

    def warm(self) -> None:
        """Load now."""
        self._loaded  # noqa: B018

    def best(self, one: Candid, k: int, allowed: Mask) -> tuple[Nums, Floats]:
        """The k best of the bundle's jobs among those allowed (I,), and their scores; fewer where there are fewer."""
        query = self._query([one])
        candidates = np.flatnonzero(allowed).astype(np.int32)
        found = recommend(self._loaded.model, query, k, candidates=candidates, exclude=query.history)
        items, scores = found.items[0], found.scores[0]
        return items[items >= 0], scores[items >= 0]

    def scores(self, people: Sequence[Candid], items: Nums) -> Floats:
        """(b, m) scores; NaN where it has none: somebody applied to the job, or no source names it among these."""
        return self._loaded.model.score(self._query(people), items)

    @property
    def each(self) -> int:
        """Jobs that are certain to be scored together: so many each source names."""
        return self._model.config.each

    def shares(self, one: Candid, items: Sequence[int]) -> dict[int, dict[str, float]]:
        """Item -> feature group -> its part of the score, as `Ranker.shares`."""
        return self._model.shares(self._query([one]), np.array(items, np.int32))

    @property
    def _model(self) -> Ranker:
        model = self._loaded.model
        if not isinstance(model, Ranker):
            raise BundleError(f"{self._folder} holds no ranker; cure: metier train DATASET --model ranker")
        return model

    def _query(self, people: Sequence[Candid]) -> Query:
        counts = [len(one.items) for one in people]
        shape = len(people), len(self._loaded.dataset.items)
        where = (
            np.repeat(np.arange(len(people)), counts),
            np.concatenate([one.items for one in people]) if people else np.empty(0, np.int32),
        )
        moments = np.concatenate([np.asarray(one.times, np.float64) for one in people])
        history = CSR((np.ones(sum(counts), np.float32), where), shape=shape)
        times = CSR((moments, where), shape=shape)
        for matrix in (history, times):
            matrix.sort_indices()
        users = np.array([one.user for one in people], np.int32)
        learned = np.array([one.learned for one in people], np.bool_)
        return Query(users, history, self._features(people, users), [one.text for one in people], times, learned)

    def _features(self, people: Sequence[Candid], users: Nums) -> CSR:
        """(b, f) attributes that the bundle knows, and the place that each person names now."""
        known = self._loaded.dataset.user_features
        dense = known.take(users).toarray()
        for row, one in enumerate(people):
            dense[row, self._of_place] = 0
            columns = (self._columns.get(f"{name}={key}") for name, key in place_keys(one.asker).items())
            dense[row, [column for column in columns if column is not None]] = 1
        return CSR(dense)

    @cached_property
    def _columns(self) -> dict[str, int]:
        """Number of each column of people's features by its name."""
        return {name: column for column, name in enumerate(self._loaded.dataset.user_features.names)}

    @cached_property
    def _of_place(self) -> NDArray[np.bool_]:
        """(f,) columns of places."""
        known = self._loaded.dataset.user_features
        return np.isin(known.fields, [number for number, name in enumerate(known.field_names) if name in PLACES])

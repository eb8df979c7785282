"""Where a ranker's candidates come from: several models, each asked for its best few, and their scores of them all."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from metier.data import CSR, Dataset, Floats, Nums, Query, Ranking
from metier.kernels.pairs import dense_dot, entries
from metier.models.base import Factored, Fitted, Neighbour, Recommender, recommend
from metier.models.registry import create

_log = logging.getLogger(__name__)


class Sources(Fitted):
    """Fitted candidate models by name; each is an attribute `<name>_` so that a bundle stores it."""

    def __init__(self, settings: dict[str, dict[str, Any]]) -> None:
        self.names = tuple(settings)
        for name, given in settings.items():
            setattr(self, _attribute(name), create(name, given))

    def __getitem__(self, name: str) -> Recommender:
        model: Recommender = vars(self)[_attribute(name)]
        return model

    def fit(self, data: Dataset, rng: np.random.Generator) -> "Sources":
        """Fit every model on the same data, each from a stream of its own."""
        for name, stream in zip(self.names, rng.spawn(len(self.names)), strict=True):
            _log.info("ranker: fitting %s", name)
            setattr(self, _attribute(name), self[name].fit(data, rng=stream))
        return self

    def lists(self, query: Query, each: int, open_: Nums | None = None) -> dict[str, Ranking]:
        """Name -> the `each` best open items of a model for every person, nothing of the history among them."""
        return {
            name: recommend(model, _asked(model, query), each, candidates=open_, exclude=query.history)
            for name, model in ((name, self[name]) for name in self.names)
        }

    def scores(self, query: Query, lists: dict[str, Ranking], row: Nums, item: Nums) -> dict[str, Floats]:
        """Name -> (p,): each model's score of the pairs, how far it is behind the best of the person's list, and the
        item's place in that list (from 1; one more than its length when it is not there)."""
        found: dict[str, Floats] = {}
        for name, best in lists.items():
            score = _pair_scores(self[name], _asked(self[name], query), row, item)
            places = _as_matrix(best, query.history.shape)
            place = entries(places, row, item)
            found[name] = score
            gap = score - best.scores[row, 0]
            # The best itself may be summed up in another order here; what is left of that is no distance.
            found[f"{name} behind"] = np.where(np.abs(gap) <= 1e-5 * np.abs(score), np.float32(0), gap)
            found[f"{name} place"] = np.where(np.isnan(place), np.float32(best.items.shape[1] + 1), place)
        return found


def union(lists: Iterable[Ranking], extra: CSR, history: CSR, open_: Nums) -> tuple[Nums, Nums]:
    """(p,) rows, ascending, and (p,) items: everything in the lists and every stored entry of `extra` (b, I) that is
    open and not in the history."""
    shape = history.shape
    named = CSR((np.ones(extra.nnz, np.float32), extra.indices, extra.indptr), shape=shape)
    for best in lists:
        named = CSR(named + _as_matrix(best, shape))
    allowed = np.zeros(shape[1], np.bool_)
    allowed[open_] = True
    row = np.repeat(np.arange(shape[0], dtype=np.int32), np.diff(named.indptr))
    taken = np.isin(row.astype(np.int64) * shape[1] + named.indices, _cells(history))
    kept = allowed[named.indices] & ~taken
    order = np.lexsort((named.indices[kept], row[kept]))
    return row[kept][order], named.indices[kept][order].astype(np.int32)


def _asked(model: Recommender, query: Query) -> Query:
    """The query as a model gets it: whose vector does not count is unknown to it. A neighbour model has no vectors and
    needs the row number, else it takes the person's own past for that of somebody alike."""
    if query.learned is None or isinstance(model, Neighbour):
        return query
    return replace(query, users=np.where(query.learned, query.users, np.int32(-1)))


def _as_matrix(best: Ranking, shape: tuple[int, int]) -> CSR:
    """(b, I) the place of each listed item, from 1."""
    row, place = np.nonzero(best.items >= 0)
    return CSR(((place + 1).astype(np.float32), (row, best.items[row, place])), shape=shape)


def _pair_scores(model: Recommender, query: Query, row: Nums, item: Nums) -> Floats:
    """(p,) `model.score` of the pairs alone, by the model's face."""
    if isinstance(model, Factored):
        return dense_dot(model.query_vectors(query), model.item_vectors(), row, item)
    if isinstance(model, Neighbour):
        return entries(model.score_sparse(query), row, item)
    asked, column = np.unique(item, return_inverse=True)
    return np.asarray(model.score(query, asked.astype(np.int32))[row, column], np.float32)


def _cells(matrix: CSR) -> np.ndarray:
    """Row number times width plus column of each stored entry."""
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return np.asarray(row * matrix.shape[1] + matrix.indices)


def _attribute(name: str) -> str:
    return name.replace("-", "_") + "_"

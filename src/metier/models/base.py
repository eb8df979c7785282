"""What a recommender is, and the one function that turns scores into rankings.

A model answers `score`. Three optional faces make ranking the whole catalogue fast without a second contract:
`Factored` (scores are inner products), `Neighbour` (scores are sparse) and `Grouped` (many people have the same
scores). The contract suite in `metier.testing.contract` checks that a face agrees with `score`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from pydantic import BaseModel, ConfigDict

from metier.data import CSR, Dataset, Floats, Nums, Query, Ranking
from metier.errors import NotFittedError
from metier.kernels.mips import catalogue, top_products
from metier.kernels.topk import top_k, top_k_sparse

SCORES = 2**26
"""Scores held at a time: bounds the memory of ranking at 256 MB, whatever the number of jobs."""


class ModelConfig(BaseModel):
    """Base of every model's settings: frozen, checked, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@runtime_checkable
class Recommender(Protocol):
    """A model that scores items for people.

    Attributes that `fit` learns end in an underscore and are arrays, CSR matrices, strings, numbers, or tuples of
    strings; `metier.bundle` stores exactly those.
    """

    @property
    def config(self) -> ModelConfig:
        """The settings it was made with; each model has its own class of them."""
        ...

    scores_new_users: ClassVar[bool]
    """Whether a person with row number -1 gets scores (from history, features or texts)."""
    scores_new_items: ClassVar[bool]
    """Whether an item without any interaction in training gets scores."""

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Learn from everything in `data`; all randomness comes from `rng`."""
        ...

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) float32 scores of `items` ((m,) row numbers; all I when None); NaN means "cannot score"."""
        ...


class Fitted:
    """Mixin: reading a learned attribute (`name_`) before `fit` raises NotFittedError."""

    def __getattr__(self, name: str) -> Any:
        # Python comes here only for attributes that are not set.
        if name.endswith("_") and not name.startswith("_"):
            raise NotFittedError(
                f"{type(self).__name__} has no {name!r} yet: it was asked before `fit`; "
                "cure: call fit(data, rng=...) or load a trained model"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class Factored(Fitted):
    """Mixin for models whose score is `query_vectors @ item_vectors.T`."""

    @abstractmethod
    def query_vectors(self, query: Query) -> Floats:
        """(b, d) float32; a row of NaN means "cannot score this person"."""

    @abstractmethod
    def item_vectors(self) -> Floats:
        """(I, d) float32; a row of NaN means "cannot score this item"."""

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) inner products."""
        vectors = self.item_vectors()
        return self.query_vectors(query) @ (vectors if items is None else vectors[items]).T  # (b, d) @ (d, m)


class Neighbour(Fitted):
    """Mixin for models that reach only some items: an entry that is absent cannot be scored."""

    @abstractmethod
    def score_sparse(self, query: Query) -> CSR:
        """(b, I) CSR float32."""

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) scores, NaN where the model has no evidence."""
        return densify(self.score_sparse(query), items)


class Grouped(Fitted):
    """Mixin for models that tell people apart by a group alone, such as where they live."""

    @abstractmethod
    def groups(self, query: Query) -> Nums:
        """(b,) int32 numbers; people of one number have the same scores."""

    @abstractmethod
    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) scores, equal rows for people of one group."""


def densify(scores: CSR, items: Nums | None = None) -> Floats:
    """(b, m) float32 of a (b, I) CSR, NaN where no entry is stored (a stored 0 stays 0)."""
    dense = np.full(scores.shape, np.nan, dtype=np.float32)
    rows = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    dense[rows, scores.indices] = scores.data
    return dense if items is None else dense[:, items]


def recommend(
    model: Recommender,
    query: Query,
    k: int,
    *,
    candidates: Nums | None = None,
    exclude: CSR | None = None,
    seed: int = 0,
) -> Ranking:
    """The k best items for each person of a query.

    Parameters
    ----------
    candidates : (m,) row numbers that may be recommended; all when None.
    exclude : (b, I) CSR whose stored entries are never recommended; usually `query.history`.
    seed : draws the order of equal scores (`tie_order`), so no id order can flatter a model.

    Returns
    -------
    Ranking of (b, k), padded with -1 and NaN where fewer items could be scored.
    """
    n_items = int(query.history.shape[1])
    tie = tie_order(n_items, seed)
    open_ = np.arange(n_items, dtype=np.int32) if candidates is None else np.unique(candidates)  # (m,)
    if exclude is None:
        exclude = CSR(query.history.shape, dtype=np.float32)
    size = min(1024, SCORES // max(len(open_), 1))  # people at a time
    if isinstance(model, Grouped):
        return _recommend_groups(model, query, k, open_, exclude, tie, max(1, size))
    if isinstance(model, Neighbour):
        allowed = np.isin(np.arange(n_items), open_)
        size = 1024

        def best(part: Query, banned: CSR) -> tuple[Nums, Floats]:
            return top_k_sparse(model.score_sparse(part), banned, allowed, tie, k)
    elif isinstance(model, Factored):
        jobs = catalogue(model.item_vectors(), open_, tie)
        size = 8192

        def best(part: Query, banned: CSR) -> tuple[Nums, Floats]:
            return top_products(jobs, model.query_vectors(part), banned, k)
    else:
        # Only candidates are scored; their columns are numbered back at the end.
        everything, numbers = np.ones(len(open_), np.bool_), np.append(open_, np.int32(-1))

        def best(part: Query, banned: CSR) -> tuple[Nums, Floats]:
            columns, found = top_k(model.score(part, open_), CSR(banned[:, open_]), everything, tie[open_], k)
            return numbers[columns], found

    ranking = Ranking(np.full((len(query), k), -1, np.int32), np.full((len(query), k), np.nan, np.float32))
    for rows in _batches(len(query), max(1, size)):
        ranking.items[rows], ranking.scores[rows] = best(take(query, rows), CSR(exclude[rows]))
    return ranking


def _recommend_groups(model: Grouped, query: Query, k: int, open_: Nums, exclude: CSR, tie: Nums, size: int) -> Ranking:
    """`recommend`, each group ranked once and its members' excluded items dropped from the list, which is long enough.

    Parameters
    ----------
    open_ : (m,) candidates. size : groups, or people, at a time.
    """
    _, first, group = np.unique(model.groups(query), return_index=True, return_inverse=True)
    banned = np.diff(exclude.indptr)
    longest = np.zeros(len(first), np.int64)
    np.maximum.at(longest, group, banned)
    items = np.full((len(query), k), -1, np.int32)
    scores = np.full((len(query), k), np.nan, np.float32)
    everything, nothing = np.ones(len(open_), np.bool_), CSR((size, len(open_)), dtype=np.float32)
    numbers, by_group = np.append(open_, np.int32(-1)), np.argsort(group, kind="stable")
    edge = np.searchsorted(group[by_group], np.arange(len(first) + 1))
    for some in _batches(len(first), size):
        asked = model.score(take(query, first[some].astype(np.int32)), open_)
        depth = k + int(longest[some].max(initial=0))
        columns, best = top_k(asked, CSR(nothing[: len(some)]), everything, tie[open_], depth)
        members = by_group[edge[some[0]] : edge[some[-1] + 1]]
        for rows in (members[part] for part in _batches(len(members), size)):
            at = group[rows] - some[0]
            found, value = numbers[columns[at]], best[at]  # (r, depth)
            taken = np.repeat(np.arange(len(rows)) * len(tie), banned[rows]) + exclude[rows].indices
            gone = np.isin(np.arange(len(rows))[:, None] * len(tie) + found, taken) | (found < 0)
            left = np.argsort(gone, axis=1, kind="stable")[:, :k]
            keep = ~np.take_along_axis(gone, left, axis=1)
            items[rows] = np.where(keep, np.take_along_axis(found, left, axis=1), -1)
            scores[rows] = np.where(keep, np.take_along_axis(value, left, axis=1), np.nan)
    return Ranking(items, scores)


def merged(parts: Sequence[Ranking], k: int, n_items: int, *, seed: int = 0) -> Ranking:
    """The k best of rankings of the same people over parts of the items that share none.

    Bit for bit what `recommend` over all these items gives, where each part holds its own k best and the model scores
    an item without regard to which others are asked for (as `Factored` and `Neighbour` models do).

    Parameters
    ----------
    n_items : of the whole catalogue, whose row numbers all parts use.
    seed : as in `recommend`.
    """
    items = np.concatenate([one.items for one in parts], axis=1)  # (b, sum of k)
    scores = np.concatenate([one.scores for one in parts], axis=1)
    tie = np.append(tie_order(n_items, seed), np.int32(n_items))  # the last is that of -1
    best = np.lexsort((tie[items], -scores, items < 0), axis=1)[:, :k]
    missing = k - best.shape[1]
    return Ranking(
        np.pad(np.take_along_axis(items, best, axis=1), ((0, 0), (0, max(0, missing))), constant_values=-1),
        np.pad(np.take_along_axis(scores, best, axis=1), ((0, 0), (0, max(0, missing))), constant_values=np.nan),
    )


@lru_cache(maxsize=8)
def tie_order(n_items: int, seed: int) -> Nums:
    """(I,) a seeded permutation, not to be written to: among equal scores the smaller number comes first."""
    return np.random.default_rng([seed, 0x7E1]).permutation(n_items).astype(np.int32)


def take(query: Query, rows: Nums) -> Query:
    """Some rows of a query."""
    return Query(
        users=query.users[rows],
        history=CSR(query.history[rows]),
        features=None if query.features is None else CSR(query.features[rows]),
        texts=None if query.texts is None else [query.texts[row] for row in rows],
        times=None if query.times is None else CSR(query.times[rows]),
        learned=None if query.learned is None else query.learned[rows],
    )


def _batches(n: int, size: int) -> Iterator[Nums]:
    for start in range(0, n, size):
        yield np.arange(start, min(start + size, n), dtype=np.int32)

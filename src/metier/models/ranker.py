"""The ranker: candidates from several models, judged together by everything that is known of person and posting."""

import logging
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from metier.data import CSR, Dataset, Floats, Nums, Query
from metier.data.types import Times
from metier.models.base import Fitted, ModelConfig, take
from metier.models.evidence import Evidence, Group
from metier.models.learning_to_rank import ConditionalLogit, lambdamart
from metier.models.lessons import Lesson, lessons, moments, newest
from metier.models.search import Search
from metier.models.sources import Sources, union

_log = logging.getLogger(__name__)
BATCH = 1024
"""People whose candidates are judged at a time."""
NEAR = 8
"""Postings on each side of a past one, in the order of their numbers, that become candidates."""
GROUP_OF_SOURCE: dict[str, Group] = {
    "rp3beta": "co-application",
    "user-knn": "co-application",
    "item-knn": "co-application",
    "ials": "factors",
    "fm": "factors",
    "content": "text",
    "profile": "profile",
}


class RankerConfig(ModelConfig):
    """Where candidates come from, what is learned from, and how."""

    sources: tuple[str, ...] = tuple(GROUP_OF_SOURCE)
    """Models of the registry that name candidates; their scores are features."""
    source_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of a source over its defaults."""
    each: Annotated[int, Search(40, 150, log=True)] = Field(default=80, ge=1)
    """Candidates that each source names."""
    cuts: int = Field(default=3, ge=1)
    """Earlier cut-offs to learn from; the sources are fitted once for each, and once more on everything."""
    cold: float = Field(default=0.05, ge=0, le=1)
    """Share of the lessons' people who are asked as if they were new (where all have a past)."""
    negatives: int = Field(default=100, ge=1)
    """Candidates not chosen that are kept of each lesson's person, drawn at random."""
    most_lessons: int = Field(default=20_000, ge=1)
    """People to learn from in all cuts together; more are sampled."""
    rounds: Annotated[int, Search(50, 400, log=True)] = Field(default=200, ge=1)
    """Trees at most; never more than a third of the people to learn from."""
    learning_rate: Annotated[float, Search(0.01, 0.1, log=True)] = Field(default=0.03, gt=0)
    """Shrinkage of each tree."""
    leaves: Annotated[int, Search(7, 63, log=True)] = Field(default=31, ge=2)
    """Leaves of each tree at most; never more than a fortieth of the people to learn from."""
    min_leaf: Annotated[int, Search(20, 500, log=True)] = Field(default=100, ge=1)
    """Fewest pairs in a leaf."""
    columns: Annotated[float, Search(0.2, 1.0)] = Field(default=0.3, gt=0, le=1)
    """Share of the features that each tree may use."""
    rows: float = Field(default=0.8, gt=0, le=1)
    """Share of the pairs that each tree sees."""
    reg: Annotated[float, Search(0.1, 30, log=True)] = Field(default=10.0, ge=0)
    """L2 on the values of leaves."""
    linear_reg: Annotated[float, Search(0.1, 100, log=True)] = Field(default=10.0, ge=0)
    """L2 on the weights of the conditional logit."""
    without: tuple[Group, ...] = ()
    """Feature groups that are left out, for ablations."""


class Ranker(Fitted):
    """LambdaMART (Burges 2010; LightGBM, Ke et al. 2017) over the union of several models' candidates.

    Each person's candidates are the best jobs of every source and the jobs numbered next to past ones. A pair is
    described by the features of `metier.models.evidence` and by each source's score, its distance to the best score
    and its place. A conditional logit over these features comes first, its score is one more feature of the trees.

    Both learn from earlier cut-offs inside the data (`metier.models.lessons`): sources and features are fitted on what
    came before each cut, the answers are what followed. For the real question they are fitted on everything. A job
    that no source names is not scored (NaN); what a person applied to is never named.
    """

    config: RankerConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = True

    sources_: Sources
    evidence_: Evidence
    names_: tuple[str, ...]  # of the features, "group: feature"
    trees_: str  # LightGBM's text; empty when there was nothing to learn from
    asked_: Times  # (U,) when each known user is asked; NaN right after their last interaction
    newest_: float

    def __init__(self, config: RankerConfig = RankerConfig()) -> None:
        self.config = config
        self.sources_, self.evidence_ = self._sources(), Evidence()

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Learn from the earlier cuts, then fit sources and features on everything."""
        self.names_, features, label, row = self._examples(data, rng)
        _log.info("ranker: learning the order from %s candidates", f"{len(label):,}")
        self._learn(features, label, row, seed=int(rng.integers(2**31)))
        _log.info("ranker: the market as it is")
        self.sources_, self.evidence_ = self._sources().fit(data, rng), Evidence().fit(data)
        self.newest_ = newest(data)
        self.asked_ = np.full(len(data.users), np.nan) if data.asked is None else data.asked
        return self

    def _learn(self, features: Floats, label: NDArray[np.int8], row: Nums, *, seed: int) -> None:
        """Weights and trees from examples as `_examples` gives them."""
        config = self.config
        logit = ConditionalLogit.fit(features, label, row, reg=config.linear_reg)
        self.mean_, self.spread_, self.weights_ = logit.mean, logit.spread, logit.weights
        first = logit.score(features)
        taught = len(np.unique(row[label == 1]))  # people who chose a candidate
        self.trees_ = lambdamart(
            np.column_stack([features, first]),
            label,
            row,
            seed=seed,
            rounds=min(config.rounds, max(1, taught // 3)),
            learning_rate=config.learning_rate,
            num_leaves=min(config.leaves, max(4, taught // 40)),
            min_data_in_leaf=config.min_leaf,
            feature_fraction=config.columns,
            bagging_fraction=config.rows,
            lambda_l2=config.reg,
        )

    def _examples(
        self, data: Dataset, rng: np.random.Generator
    ) -> tuple[tuple[str, ...], Floats, NDArray[np.int8], Nums]:
        """Names (F), features (p, F), labels (p,) and ascending person numbers (p,) of all lessons together."""
        parts = []
        for number, lesson in enumerate(lessons(data, self.config.cuts, self.config.cold, rng), start=1):
            _log.info("ranker: the market as it was, %d of %d", number, self.config.cuts)
            parts.append(self._learnable(lesson, rng))
        if not parts:
            return (), np.empty((0, 0), np.float32), np.empty(0, np.int8), np.empty(0, np.int32)
        names = tuple(dict.fromkeys(name for found, *_ in parts for name in found))
        ends = np.cumsum([0, *(row.max(initial=-1) + 1 for *_, row in parts)])
        return (
            names,
            np.concatenate([_columns(found, names) for found, *_ in parts]),
            np.concatenate([label for _, label, _ in parts]),
            np.concatenate([row + end for (*_, row), end in zip(parts, ends[:-1], strict=True)]).astype(np.int32),
        )

    def score(self, query: Query, items: Nums | None = None) -> Floats:
        """(b, m) scores of the candidates among `items`, NaN for the rest; of fewer items more become candidates."""
        asked = np.arange(query.history.shape[1], dtype=np.int32) if items is None else items
        scores = np.full((len(query), len(asked)), np.nan, np.float32)
        column = np.full(query.history.shape[1], -1, np.int64)
        column[asked] = np.arange(len(asked))
        now = moments(query, self.asked_, self.newest_)
        for start in range(0, len(query), BATCH):
            rows = np.arange(start, min(start + BATCH, len(query)), dtype=np.int32)
            found, row, item = self._described(self.sources_, self.evidence_, take(query, rows), now[rows], asked)
            scores[start + row, column[item]] = self._judge(found, len(row))
        return scores

    def _judge(self, found: dict[str, Floats], pairs: int) -> Floats:
        """(p,) the trees' scores. Where there was nothing to learn from, the sources' places: sum of 1 / (60 + place)
        (reciprocal rank fusion, Cormack, Clarke & Buettcher 2009)."""
        if not self.trees_ or not pairs:
            places = [values for name, values in found.items() if name.endswith(" place")]
            return np.asarray(sum((1 / (60 + place) for place in places), np.zeros(pairs)), np.float32)
        features = _columns(found, self.names_)
        first = ConditionalLogit(self.mean_, self.spread_, self.weights_).score(features)
        return np.asarray(_booster(self.trees_).predict(np.column_stack([features, first])), np.float32)

    def shares(self, query: Query, items: Nums) -> dict[int, dict[str, float]]:
        """Item -> group -> its part of one person's score, magnitudes that sum to 1; {} where it is not scored.

        A group's part is the sum of its features' contributions to the trees (SHAP values of trees, Lundberg et al.
        2020; LightGBM's pred_contrib). What the conditional logit contributes is dealt out by its own w z.
        """
        now = moments(query, self.asked_, self.newest_)
        found, row, scored = self._described(self.sources_, self.evidence_, query, now, np.sort(items))
        answers: dict[int, dict[str, float]] = {item: {} for item in items.tolist()}
        if not self.trees_ or not len(row):
            return answers
        features = _columns(found, self.names_)
        logit = ConditionalLogit(self.mean_, self.spread_, self.weights_)
        parts = _booster(self.trees_).predict(np.column_stack([features, logit.score(features)]), pred_contrib=True)
        terms = np.abs(logit.terms(features))
        first, size = terms / np.maximum(terms.sum(axis=1, keepdims=True), 1e-9), len(self.names_)
        own = parts[:, :size] + parts[:, [size]] * first  # (p, F)
        groups = [name.split(":")[0] for name in self.names_]
        kinds = list(dict.fromkeys(groups))
        sums = np.abs(own @ np.equal.outer(groups, kinds))  # (p, groups)
        whole = sums.sum(axis=1)
        for item, row_sums, total in zip(scored.tolist(), sums, whole, strict=True):
            if total:
                answers[item] = dict(zip(kinds, (row_sums / total).tolist(), strict=True))
        return answers

    def _learnable(self, lesson: Lesson, rng: np.random.Generator) -> tuple[dict[str, Floats], NDArray[np.int8], Nums]:
        """Features, labels and rows of a lesson, thinned to about `negatives` candidates a person."""
        config = self.config
        most = -(-config.most_lessons // config.cuts)
        chosen = np.arange(len(lesson.query), dtype=np.int32)
        if len(chosen) > most:
            chosen = np.sort(rng.choice(len(chosen), most, replace=False)).astype(np.int32)
        sources, evidence = self._sources().fit(lesson.past, rng), Evidence().fit(lesson.past)
        parts, labels, rows = [], [], []
        for start in range(0, len(chosen), BATCH):
            asked = chosen[start : start + BATCH]
            query, answers = take(lesson.query, asked), CSR(lesson.answers[asked])
            open_ = np.flatnonzero(_open(lesson, asked)).astype(np.int32)
            found, row, item = self._described(sources, evidence, query, lesson.now[asked], open_)
            label = np.asarray(answers[row, item] > 0).ravel().astype(np.int8)
            share = np.minimum(1.0, config.negatives / np.maximum(np.bincount(row, minlength=len(asked)), 1))
            kept = (label == 1) | (rng.random(len(row)) < share[row])
            parts.append({name: values[kept] for name, values in found.items()})
            labels.append(label[kept])
            rows.append(row[kept] + start)
        names = tuple(parts[0])
        return (
            {n: np.concatenate([one[n] for one in parts]) for n in names},
            np.concatenate(labels),
            np.concatenate(rows),
        )

    def _described(
        self, sources: Sources, evidence: Evidence, query: Query, now: Times, open_: Nums
    ) -> tuple[dict[str, Floats], Nums, Nums]:
        """Candidates as pairs, and their features."""
        each, shape = self.config.each, query.history.shape
        lists = sources.lists(query, each)
        # Of few open jobs the best must be named among these; what a score is compared with stays the whole catalogue.
        named = lists if len(open_) == shape[1] else sources.lists(query, each, open_)
        near = (
            evidence.near_numbers(query, NEAR) if "number" not in self.config.without else CSR(shape, dtype=np.float32)
        )
        row, item = union(named.values(), near, query.history, open_)
        scored = sources.scores(query, lists, row, item)
        found = {f"{GROUP_OF_SOURCE.get(name.split(' ')[0], 'factors')}: {name}": v for name, v in scored.items()}
        found |= evidence.features(query, now, row, item)
        return {n: v for n, v in found.items() if n.split(":")[0] not in self.config.without}, row, item

    def _sources(self) -> Sources:
        return Sources({name: self.config.source_settings.get(name, {}) for name in self.config.sources})


@lru_cache(maxsize=4)
def _booster(text: str) -> Any:
    """Trees from LightGBM's text, read once."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _open(lesson: Lesson, asked: Nums) -> NDArray[np.bool_]:
    """(I,) items that were open to some of the people asked."""
    spans = lesson.past.spans
    if spans is None or np.isnan(lesson.now[asked]).any():
        return np.ones(lesson.answers.shape[1], np.bool_)
    now = lesson.now[asked]
    return np.asarray(~(spans[:, 0] > now.max()) & ~(spans[:, 1] < now.min()))


def _columns(found: dict[str, Floats], names: tuple[str, ...]) -> Floats:
    """(p, F) in the order of `names`; a feature that is absent now is unknown.

    Values keep 16 of their 24 bits: sums over the same numbers differ in the last bits with the number of jobs asked
    for, and a tree must not split between such twins.
    """
    pairs = len(next(iter(found.values()))) if found else 0
    if not names:
        return np.empty((pairs, 0), np.float32)
    absent = np.full(pairs, np.nan, np.float32)
    bits = np.column_stack([found.get(name, absent) for name in names]).view(np.int32)
    return np.asarray(((bits + 0x80) & ~0xFF).view(np.float32))

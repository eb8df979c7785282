"""Can weak résumés be told from strong ones, by what, and would chance do as well?

LGIR (Du et al., AAAI 2024) gates its repair of weak résumés with a classifier whose labels are counts of applications.
Here such labels stand beside ones that are about the text, each text beside the profile and the counts, and each figure
beside its null.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from metier.data.splits import Protocol
from metier.data.tables import Tables
from metier.enrich.quality.cases import Case, LabelName, Text, gather_cases
from metier.enrich.quality.config import QualityConfig
from metier.enrich.quality.detectors import Detector, calibrated, deal, out_of_fold
from metier.enrich.quality.features import Matrix, count_features, profile_features, sameness, text_features
from metier.enrich.quality.measures import (
    Bin,
    auc,
    auc_interval,
    brier,
    calibration_error,
    permutation_null,
    reliability,
)
from metier.evaluate.statistics import holm
from metier.features.text import Embedder
from metier.models.shots import STRONG, UNLABELLED, Cuts
from metier.sources.market.truth import Truth

FeatureSet = Literal["counts", "completeness", "text", "text + completeness", "all"]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Row:
    """One detector on one set of features under one label.

    Parameters
    ----------
    text : whose vector the features hold; "" for none.
    people, strong : labelled ones, and those of them that are strong.
    auc, low, high : out of fold, with its 95 % interval.
    null_low, null_high, p : 95 % of the AUCs of a linear detector on permuted labels, and the share of them that reach
        its AUC on the true ones, Holm-adjusted over the feature sets; the same for all detectors of a feature set.
    brier, ece, bins : of the calibrated probabilities.
    by_definition : the features hold the very number that the label is made of.
    """

    label: LabelName
    text: str
    features: FeatureSet
    detector: Detector
    people: int
    strong: int
    auc: float
    low: float
    high: float
    null_low: float
    null_high: float
    p: float
    brier: float
    ece: float
    by_definition: bool
    bins: list[Bin]


@dataclass(frozen=True)
class Study:
    """All rows, and what is needed to read them.

    cuts : κ2 and κ1 as numbers of applications. sameness : (label, text) -> mean cosine of two people's texts.
    true_skills : whether content labels rest on what the market knows of people. left_out : why a text has no rows.
    """

    config: QualityConfig
    people: int
    cuts: Cuts
    true_skills: bool
    sameness: dict[tuple[LabelName, str], float]
    left_out: list[str]
    rows: list[Row]

    def row(self, label: LabelName, text: str, features: FeatureSet, detector: Detector) -> Row:
        """The row of that name."""
        asked = (label, text, features, detector)
        return next(row for row in self.rows if (row.label, row.text, row.features, row.detector) == asked)

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        alike = [{"label": label, "text": text, "cosine": value} for (label, text), value in self.sameness.items()]
        return {
            "settings": self.config.model_dump(),
            "people": self.people,
            "cuts": asdict(self.cuts),
            "true_skills": self.true_skills,
            "sameness": alike,
            "left_out": self.left_out,
            "rows": [asdict(row) for row in self.rows],
        }


def study(
    tables: Tables,
    protocol: Protocol,
    config: QualityConfig,
    embedder: Embedder,
    *,
    truth: Truth | None = None,
    completions: Mapping[str, pl.DataFrame] | None = None,
    progress: Progress = lambda done, total, what: None,
) -> Study:
    """Judge every detector on every set of features under both labels, from what was known before the cut-off.

    Parameters
    ----------
    truth : of the synthetic market: people are complete with the skills they really have, which no table says.
    completions : name -> `metier.enrich.texts.TEXTS` of the same protocol, made by a prompt that does not see the jobs
        applied to. Judged under count labels only: no model wrote about people whose facts were left out.
    progress : told how many feature sets are done.

    Raises
    ------
    UsageError : there are too few weak or strong people.
    """
    cases = gather_cases(tables, protocol, config, truth=truth, completions=completions)
    both = (cases.count, cases.content)
    alike = {
        (case.label, name): sameness(_of_judged(text), embedder) for case in both for name, text in case.texts.items()
    }
    sets = [(case, *one) for case in both for one in _feature_sets(case, embedder)]
    rows: list[Row] = []
    with threadpool_limits(1):  # the matrices are small: more threads only wait for each other
        for done, (case, name, features, matrix) in enumerate(sets):
            progress(done, len(sets), " ".join(filter(None, (case.label, "labels:", name, features))))
            rows += _rows(case, name, features, matrix, config)
    return Study(config, len(cases.count.people), cases.cuts, truth is not None, alike, cases.left_out, _adjusted(rows))


def _of_judged(text: Text) -> list[str]:
    return [text.texts[row] for row in np.flatnonzero(text.judged)]


def _feature_sets(case: Case, embedder: Embedder) -> Iterator[tuple[str, FeatureSet, Matrix]]:
    """Text, features and (n, f) numbers. Under count labels "all" would hold the label itself, so it is not there."""
    complete, counts = profile_features(case.people)[0], count_features(case.counts)
    yield "", "counts", counts
    yield "", "completeness", complete
    for name, text in case.texts.items():
        vectors = text_features(text.texts, embedder)
        yield name, "text", vectors
        yield name, "text + completeness", np.column_stack([vectors, complete])
        if case.label == "content":
            yield name, "all", np.column_stack([vectors, complete, counts])


def _rows(case: Case, name: str, features: FeatureSet, matrix: Matrix, config: QualityConfig) -> Iterator[Row]:
    rng = np.random.default_rng([config.seed, 2])
    judged = case.texts[name].judged if name else case.labels != UNLABELLED
    matrix, labels = matrix[judged], case.labels[judged]
    fold = deal(labels, config.folds, config.seed)
    null = permutation_null(matrix, labels, fold, permutations=config.permutations, rng=rng)
    for detector in get_args(Detector):
        scores = out_of_fold(detector, matrix, labels, fold, config.seed)
        chance = calibrated(scores, labels, fold)
        low, high = auc_interval(labels, scores, resamples=config.resamples, rng=rng)
        bins = reliability(labels, chance)
        yield Row(
            label=case.label,
            text=name,
            features=features,
            detector=detector,
            people=len(labels),
            strong=int((labels == STRONG).sum()),
            auc=float(auc(labels, scores[:, None])[0]),
            low=low,
            high=high,
            null_low=null.low,
            null_high=null.high,
            p=null.p,
            brier=brier(labels, chance),
            ece=calibration_error(bins),
            by_definition=case.label == "count" and features == "counts",
            bins=bins,
        )


def _adjusted(rows: list[Row]) -> list[Row]:
    """Rows with Holm's correction over the feature sets, those by definition apart."""
    p = {(row.label, row.text, row.features): row.p for row in rows if not row.by_definition}
    adjusted = dict(zip(p, holm(np.array(list(p.values()))), strict=True))
    return [replace(row, p=float(adjusted.get((row.label, row.text, row.features), row.p))) for row in rows]

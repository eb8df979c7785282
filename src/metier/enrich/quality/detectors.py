"""Detectors of weak résumés, always judged on people they were not fitted to.

People are dealt into folds once; a score comes from a detector that was fitted to the other folds, and its probability
from a calibration that was fitted to the scores of the other folds (Platt 1999; cross-fitting).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metier.enrich.quality.features import Matrix
from metier.models.shots import Labels

Detector = Literal["logistic regression", "gradient boosting", "neural net"]
Scores = NDArray[np.float64]
STRENGTH = 0.01
"""Inverse weight of the logistic regression's penalty, for standardised features."""
TREES: Mapping[str, Any] = MappingProxyType(
    {
        "n_estimators": 80,
        "num_leaves": 7,
        "learning_rate": 0.1,
        "min_child_samples": 20,
        "max_bin": 63,
        "colsample_bytree": 0.5,
    }
)
NET: Mapping[str, Any] = MappingProxyType(
    {"hidden_layer_sizes": (16,), "alpha": 1.0, "learning_rate_init": 3e-3, "batch_size": 128, "max_iter": 25}
)


def make_detector(kind: Detector, seed: int) -> Any:
    """An unfitted scikit-learn classifier; all three are small, since the people are few."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    match kind:
        case "logistic regression":
            return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=300))
        case "neural net":
            return make_pipeline(StandardScaler(), MLPClassifier(**NET, random_state=seed))
        case "gradient boosting":
            from lightgbm import LGBMClassifier

            fixed: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "n_jobs": 1, "verbosity": -1}
            return LGBMClassifier(**TREES, **fixed, random_state=seed)


def deal(labels: Labels, folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) a fold for each person, the shares of weak and strong the same in all of them."""
    from sklearn.model_selection import StratifiedKFold

    fold = np.empty(len(labels), np.int64)
    for number, (_, held) in enumerate(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels)):
        fold[held] = number
    return fold


def out_of_fold(kind: Detector, features: Matrix, labels: Labels, fold: NDArray[np.int64], seed: int) -> Scores:
    """(n,) log-odds that each person is strong, by detectors fitted to the people of the other folds."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    scores = np.empty(len(labels))
    for number in range(fold.max() + 1):
        held = fold == number
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the net stops early on purpose
            fitted = make_detector(kind, seed).fit(features[~held], labels[~held])
        chance = np.clip(fitted.predict_proba(features[held])[:, 1], 1e-6, 1 - 1e-6)
        scores[held] = np.log(chance / (1 - chance))
    return scores


def calibrated(scores: Scores, labels: Labels, fold: NDArray[np.int64]) -> Scores:
    """(n,) probabilities: a sigmoid of the log-odds, fitted to the other folds."""
    from sklearn.linear_model import LogisticRegression

    chance = np.empty(len(labels))
    for number in range(fold.max() + 1):
        held = fold == number
        sigmoid = LogisticRegression(C=1e6).fit(scores[~held, None], labels[~held])
        chance[held] = sigmoid.predict_proba(scores[held, None])[:, 1]
    return chance


def out_of_fold_ridge(features: Matrix, targets: NDArray[np.float64], fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, p) scores of p ridge regressions at once, each fitted to the other folds.

    One decomposition of the features serves every column of `targets` (n, p), so that hundreds of permutations cost
    little more than one. The penalty is the one of `logistic regression` near a probability of one half, where the
    logistic loss curves by 1/4.
    """
    scores = np.empty_like(targets)
    for number in range(fold.max() + 1):
        held = fold == number
        mean, spread = features[~held].mean(axis=0), features[~held].std(axis=0)
        z = (features - mean) / np.where(spread > 0, spread, 1.0)
        known, wanted = z[~held], targets[~held] - targets[~held].mean(axis=0)
        penalty = 4 / STRENGTH * np.eye(z.shape[1])
        weights = np.linalg.solve(known.T @ known + penalty, known.T @ wanted)  # (f, p)
        scores[held] = z[held] @ weights
    return scores

"""The metrics against trec_eval, a brute-force rewriting, and cases worked by hand."""

import numpy as np
import pytest
import pytrec_eval
from numpy.typing import NDArray

from metier.data import CSR
from metier.evaluate import metrics
from metier.kernels.topk import top_k

ITEMS = 40


def random_lists(rng: np.random.Generator, people: int, k: int) -> tuple[NDArray[np.int32], list[set[int]]]:
    """Lists from scores with many ties, unscored jobs and people without any list, and each person's relevant jobs."""
    scores = rng.integers(0, 5, (people, ITEMS)).astype(np.float32)
    scores[rng.random((people, ITEMS)) < rng.random((people, 1))] = np.nan
    scores[rng.random(people) < 0.1] = np.nan
    nothing = CSR((people, ITEMS), dtype=np.float32)
    tie = rng.permutation(ITEMS).astype(np.int32)
    items, _ = top_k(scores, nothing, np.ones(ITEMS, np.bool_), tie, k)
    sizes = rng.integers(1, ITEMS, people)
    return items, [set(rng.choice(ITEMS, size, replace=False).tolist()) for size in sizes]


def hits_of(items: NDArray[np.int32], truth: list[set[int]]) -> NDArray[np.bool_]:
    return np.array([[item in relevant for item in row] for row, relevant in zip(items.tolist(), truth, strict=True)])


@pytest.mark.parametrize("k", [1, 2, 5, 10, 25])
def test_1000_random_runs_agree_with_trec_eval(k: int) -> None:
    """200 runs for each of five cuts; depth is beyond the cut, so cutting is tested as well."""
    items, truth = random_lists(np.random.default_rng(k), people=200, k=30)
    assert (items[:, 0] < 0).any()
    assert (items[:, -1] < 0).any()
    hits, relevant = hits_of(items, truth), np.array([len(jobs) for jobs in truth])
    qrels = {str(person): {str(job): 1 for job in jobs} for person, jobs in enumerate(truth)}
    lists = {
        str(person): {str(job): float(-place) for place, job in enumerate(row) if job >= 0}
        for person, row in enumerate(items.tolist())
    }
    cut = {person: {job: score for job, score in run.items() if score > -k} for person, run in lists.items()}
    names = {f"map_cut_{k}": "map_trec", f"recall_{k}": "recall", f"P_{k}": "precision", f"ndcg_cut_{k}": "ndcg"}
    judge = pytrec_eval.RelevanceEvaluator(qrels, {f"{name.rsplit('_', 1)[0]}.{k}" for name in names})
    theirs = judge.evaluate(lists)
    first = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
    for name, ours in names.items():
        expected = [theirs.get(str(person), {}).get(name, 0.0) for person in range(len(truth))]
        np.testing.assert_allclose(metrics.METRICS[ours](hits, relevant, k), expected, rtol=0, atol=1e-9)
    expected = [first.get(str(person), {}).get("recip_rank", 0.0) for person in range(len(truth))]
    np.testing.assert_allclose(metrics.reciprocal_rank(hits, relevant, k), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 5, 10, 25])
def test_average_precision_is_its_definition(k: int) -> None:
    items, truth = random_lists(np.random.default_rng(100 + k), people=200, k=30)
    expected = []
    for row, relevant in zip(items.tolist(), truth, strict=True):
        found, total = 0, 0.0
        for place, job in enumerate(row[:k], start=1):
            if job in relevant:
                found += 1
                total += found / place
        expected.append(total / min(k, len(relevant)))
    ours = metrics.average_precision(hits_of(items, truth), np.array([len(jobs) for jobs in truth]), k)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_the_four_conventions_differ() -> None:
    """The field divides by min(k, R), by R, by the hits found, or by k; ours are the first two and no other.

    Hits at places 1 and 3: the sum is 1 + 2/3. With R = 3, k = 4 the hits and k stand out, with R = 6 the R.
    """
    hits, total = np.array([[True, False, True, False]]), 1 + 2 / 3
    for relevant, trimmed, trec in ((3, total / 3, total / 3), (6, total / 4, total / 6)):
        given = np.array([relevant])
        assert metrics.average_precision(hits, given, 4)[0] == pytest.approx(trimmed)
        assert metrics.average_precision_trec(hits, given, 4)[0] == pytest.approx(trec)
    assert metrics.average_precision(hits, np.array([3]), 4)[0] != pytest.approx(total / 2)  # by hits found
    assert metrics.average_precision(hits, np.array([3]), 4)[0] != pytest.approx(total / 4)  # by k


@pytest.mark.parametrize("name", ["map", "ndcg", "mrr"])
def test_perfect_is_one_and_reversed_is_less(name: str) -> None:
    metric, relevant = metrics.METRICS[name], np.array([1, 3, 10])
    perfect = np.arange(10) < relevant[:, None]
    np.testing.assert_allclose(metric(perfect, relevant, 5), 1.0)
    backwards = metric(perfect[:, ::-1], relevant, 10)
    assert (backwards[:2] < 0.5).all()
    assert backwards[2] == pytest.approx(1.0)  # everything is relevant: no order is wrong


def test_recall_and_precision_of_perfect_lists() -> None:
    perfect = np.arange(10) < np.array([[1], [3], [10]])
    relevant = np.array([1, 3, 10])
    np.testing.assert_allclose(metrics.recall(perfect, relevant, 5), [1.0, 1.0, 0.5])
    np.testing.assert_allclose(metrics.precision(perfect, relevant, 5), [0.2, 0.6, 1.0])


@pytest.mark.parametrize("name", metrics.METRICS)
def test_no_recommendations_score_zero(name: str) -> None:
    nothing = np.zeros((2, 5), np.bool_)
    assert metrics.METRICS[name](nothing, np.array([1, 7]), 5).tolist() == [0.0, 0.0]
    assert metrics.METRICS[name](np.zeros((1, 0), np.bool_), np.array([2]), 5).tolist() == [0.0]


def test_random_order_scores_its_expectation() -> None:
    """One relevant job among N in random order: E[AP@k] = H_k / N, H_k the k-th harmonic number."""
    rng, people, n, k = np.random.default_rng(5), 20_000, 50, 25
    hits = rng.integers(n, size=people)[:, None] == np.arange(k)
    scores = metrics.average_precision(hits, np.ones(people, np.int64), k)
    expected = (1 / np.arange(1, k + 1)).sum() / n
    assert scores.mean() == pytest.approx(expected, abs=4 * scores.std() / np.sqrt(people))


def test_people_without_relevant_jobs_are_refused() -> None:
    with pytest.raises(ValueError, match="leave the others out"):
        metrics.average_precision(np.zeros((1, 3), np.bool_), np.array([0]), 3)
    with pytest.raises(ValueError, match="k must be at least 1"):
        metrics.recall(np.zeros((1, 3), np.bool_), np.array([1]), 0)


def test_exposure_counts_the_first_k_places_of_candidates() -> None:
    items = np.array([[4, 2, 0], [4, -1, -1]], np.int32)
    counts = metrics.exposure(items, np.array([0, 2, 4, 5], np.int32), 2)
    assert counts.tolist() == [0, 1, 2, 0]
    assert metrics.coverage(counts) == 0.5


def test_gini_is_half_the_relative_mean_difference() -> None:
    x = np.random.default_rng(1).integers(0, 9, 30)
    pairs = np.abs(x[:, None] - x[None, :]).mean()
    assert metrics.gini(x) == pytest.approx(pairs / (2 * x.mean()))
    assert np.isnan(metrics.gini(np.zeros(3, np.int64)))

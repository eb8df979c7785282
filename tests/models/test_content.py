"""Content: cosines of texts, from the history, from the person's own words, and of both."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from metier.data import CSR, Query
from metier.models.base import recommend
from metier.models.content import Content, ContentConfig

JOBS = [
    "night nurse in a hospital",
    "nurse for children, hospital ward",
    "welder of steel pipes",
    "pipe fitter and welder",
    "teacher of mathematics",
    "",
]
PEOPLE = ["I weld steel", "a nurse", "", "school teacher of mathematics", "nurse nurse welder", ""]


@pytest.fixture
def data(build):
    matrix = np.zeros((6, 6), np.float32)
    matrix[[0, 1, 1, 2, 4], [2, 0, 1, 4, 3]] = 1
    return build(matrix, user_texts=PEOPLE, item_texts=JOBS)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_tfidf_scores_match_the_oracle(data, rng, weight):
    vectorizer = TfidfVectorizer(sublinear_tf=True).fit(JOBS)
    jobs, own = (vectorizer.transform(texts).toarray() for texts in (JOBS, PEOPLE))
    past = unit(data.matrix.toarray() @ jobs)
    both = (past.any(axis=1) & own.any(axis=1))[:, None]
    wish = unit(np.where(both, (1 - weight) * past + weight * own, past + own))
    expected = wish @ jobs.T
    expected[~wish.any(axis=1)] = np.nan
    expected[:, 5] = np.nan
    model = Content(ContentConfig(profile_weight=weight)).fit(data, rng=rng)
    scores = model.score(data.query(np.arange(6, dtype=np.int32)))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("encoder", ["tfidf", "embedding"])
def test_a_new_person_is_matched_by_their_words(data, rng, encoder):
    model = Content(ContentConfig(encoder=encoder)).fit(data, rng=rng)
    words = ["a teacher who loves mathematics", "nurse, hospital", "I am a welder"]
    query = Query(np.full(3, -1, np.int32), CSR((3, 6), dtype=np.float32), texts=words)
    assert recommend(model, query, 1).items[:, 0].tolist()[:2] in ([4, 0], [4, 1])
    assert recommend(model, query, 1).items[2, 0] in (2, 3)
    silent = Query(query.users, query.history)
    assert np.isnan(model.score(silent)).all()


def test_embedding_scores_are_cosines(data, rng):
    model = Content(ContentConfig(encoder="embedding")).fit(data, rng=rng)
    scores = model.score(data.query(np.arange(6, dtype=np.int32)))
    assert scores.dtype == np.float32
    assert scores[0, 2] == pytest.approx(1, abs=1e-5), "a history of one job is that job's vector"
    assert np.isnan(scores[5]).all()
    assert np.isnan(scores[:, 5]).all()


def test_postings_without_a_word_leave_nothing_to_score(build, rng):
    silent = build()
    assert np.isnan(Content().fit(silent, rng=rng).score(silent.query(np.arange(6, dtype=np.int32)))).all()

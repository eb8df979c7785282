"""TF-IDF equals scikit-learn's and survives storage as plain attributes; embeddings are unit vectors, offline."""

import logging
import socket
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from metier.features.text import StaticEmbedder, Tfidf

WORDS = st.sampled_from(["nurse", "Nurse,", "night", "welder", "a", "öl", "C++", "3rd", "steel-pipe", "", "간호사"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=8)


@given(TEXTS, TEXTS)
@settings(max_examples=100, deadline=None)
def test_encoding_equals_scikit_learn(seen, asked):
    encoder = Tfidf.fit(seen)
    again = Tfidf(tuple(encoder.vocabulary), encoder.idf.copy())
    if not encoder.vocabulary:
        assert again.encode(asked).shape == (len(asked), 0)
        return
    expected = TfidfVectorizer(sublinear_tf=True).fit(seen)
    for one in (encoder, again):
        found = one.encode(asked)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.toarray(), expected.transform(asked).toarray(), rtol=1e-6)
    assert encoder.vocabulary == tuple(expected.get_feature_names_out())


def test_weights_by_hand():
    """Two texts; "pipe" is in both (idf 1), "steel" in one (idf 1 + ln(3/2)) where it stands twice."""
    encoder = Tfidf.fit(["steel steel pipe", "pipe"])
    steel, pipe = (1 + np.log(2)) * (1 + np.log(3 / 2)), 1.0
    expected = np.array([pipe, steel]) / np.hypot(pipe, steel)
    np.testing.assert_allclose(encoder.encode(["steel steel pipe"]).toarray()[0], expected, rtol=1e-6)


@pytest.mark.parametrize("texts", [[], [""], ["a", "!"]])
def test_texts_without_a_word(texts):
    assert Tfidf.fit(texts).encode(["nurse", ""]).shape == (2, 0)


def test_embeddings_are_near_for_near_meanings(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the embedder went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    vectors = StaticEmbedder().embed(["registered nurse", "hospital nursing staff", "welding of steel pipes", " "])
    assert vectors.shape == (4, 256)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], rtol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    assert StaticEmbedder().embed([]).shape == (0, 256)


@pytest.mark.parametrize("text", ["nurse", "Registered nurse, 12 years.\n\n  Café 🚑", "x" * 5000])
def test_a_text_alone_has_the_vector_that_it_has_in_company(text):
    together = StaticEmbedder().embed([text, "hospital nursing staff " * 50])
    np.testing.assert_array_equal(StaticEmbedder().embed([text])[0], together[0])


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_one_text_alone_has_the_row_it_has_among_others(seen, asked):
    encoder = Tfidf.fit(seen)
    for text in asked:
        columns, weights = encoder.terms(text)
        row = encoder.encode([text]).toarray()[0]
        np.testing.assert_allclose(weights, row[columns], rtol=1e-6)
        assert set(columns.tolist()) == set(np.flatnonzero(row).tolist())


def test_word_vectors_leave_the_logging_of_the_process_alone():
    """Their package calls `logging.basicConfig`; a first start would then print every library's chatter."""
    told = "import logging; from metier.features.text import StaticEmbedder; StaticEmbedder().embed(['nurse'])"
    told += "; print(logging.getLogger().handlers, logging.getLogger().level)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == f"[] {logging.WARNING}"

"""Review-AFM hears what a new person says, whichever way the texts meet, and is AFM where they do not."""

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from metier.data import CSR, Dataset, Query
from metier.data.splits import folds
from metier.features.assemble import assemble
from metier.features.text import StaticEmbedder
from metier.models.afm import AFM
from metier.models.afm_training import AFMConfig
from metier.models.base import recommend
from metier.models.review_afm import ReviewAFM, ReviewAFMConfig
from metier.testing.worlds import small_town

QUICK: dict[str, Any] = {
    "pretraining_epochs": 4,
    "epochs": 8,
    "embedding_size": 16,
    "learning_rate": 0.05,
    "attention_size": 7,
    "attention_rate": 0.1,
    "negatives": 8,
    "job_text": False,  # no words: what is heard comes through the vectors of the texts
    "attributes": False,
    "text_rate": 0.1,
}
METHODS = get_args(ReviewAFMConfig.model_fields["interaction"].annotation)


def town() -> Dataset:
    return assemble(next(iter(folds(small_town(people=300), "temporal"))).train).dataset


def fitted(data: Dataset, method: str, **settings: Any) -> ReviewAFM:
    config = ReviewAFMConfig(interaction=method, **QUICK | settings)
    return ReviewAFM(config).fit(data, rng=np.random.default_rng(0))


@pytest.mark.parametrize("method", METHODS)
def test_a_new_person_is_ranked_by_what_they_say(method: str) -> None:
    """Of people with a text and nothing else; a quarter of the jobs are of each trade."""
    data = town()
    cold = np.flatnonzero(np.diff(data.matrix.indptr) == 0)[:60]
    texts = [data.user_texts[person] for person in cold]
    strangers = Query(np.full(60, -1, np.int32), CSR((60, len(data.items)), dtype=np.float32), texts=texts)
    best = recommend(fitted(data, method), strangers, 5).items
    trades = [text.split()[3] for text in texts]
    hits = [trade in data.item_texts[item] for trade, row in zip(trades, best, strict=True) for item in row]
    print(method, np.mean(hits))
    if method == "none":
        assert np.mean(hits) < 0.5
    else:
        assert np.mean(hits) > 0.7


@pytest.mark.parametrize("method", METHODS)
def test_a_job_never_applied_to_is_scored_by_its_text(method: str) -> None:
    data = town()
    new = np.flatnonzero(np.bincount(data.interactions.items, minlength=len(data.items)) == 0).astype(np.int32)
    scores = fitted(data, method).score(data.query(np.arange(20, dtype=np.int32)), new)
    assert np.isfinite(scores).all()
    assert (scores.std(axis=0) > 0).all() == (method != "none")


def test_without_interaction_it_is_afm() -> None:
    data = town()
    asked = data.query(np.arange(20, dtype=np.int32))
    plain = AFM(AFMConfig(**{name: value for name, value in QUICK.items() if name != "text_rate"}))
    scores = plain.fit(data, rng=np.random.default_rng(0)).score(asked)
    np.testing.assert_array_equal(fitted(data, "none").score(asked), scores)


def test_the_addend_is_learned_beside_the_machine() -> None:
    """Who says nothing is scored by the machine alone."""
    data = town()
    asked = data.query(np.arange(20, dtype=np.int32))
    model = fitted(data, "product")
    machine = AFM.score(model, asked)
    silent = replace(asked, texts=[""] * len(asked))
    np.testing.assert_array_equal(model.score(silent), AFM.score(model, silent))
    texts = model.interaction_.scores(StaticEmbedder().embed(asked.texts), model.texts_)
    np.testing.assert_allclose(model.score(asked), machine + texts, rtol=1e-5)
    assert texts.std(axis=1).min() > 0.1

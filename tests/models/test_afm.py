"""AFM is FM under even attention, the paper's equation otherwise, and it finds the pairs of fields that matter."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from metier.data import Dataset, Tables
from metier.data.splits import folds
from metier.features.assemble import assemble
from metier.kernels.afm_rank import afm_scores_reference
from metier.models.afm import AFM
from metier.models.afm_training import AFMConfig
from metier.models.base import recommend
from metier.models.factorization import HistoryUse, past_shares
from metier.models.fm import FM, FMConfig
from metier.testing.worlds import checkerboard, small_town

QUICK: dict[str, Any] = {
    "pretraining_epochs": 3,
    "epochs": 2,
    "learning_rate": 0.05,
    "attention_rate": 0.1,
    "embedding_size": 8,
    "attention_size": 5,
    "negatives": 6,
}


def town() -> Dataset:
    return assemble(next(iter(folds(small_town(), "temporal"))).train).dataset


def fitted(data: Dataset, **settings: Any) -> AFM:
    return AFM(AFMConfig(**QUICK | settings)).fit(data, rng=np.random.default_rng(0))


@pytest.mark.parametrize("settings", [{}, {"attribute_length": 0.5, "past_scale": 0.0}, {"ids": False, "history": 0}])
def test_starts_as_the_factorization_machine_it_was_trained_from(settings: dict[str, Any]) -> None:
    """Same seed, same numbering: before the first pass with attention both give the same scores."""
    data = town()
    asked = data.query(np.arange(120, dtype=np.int32))
    config = FMConfig(epochs=3, embedding_size=8, negatives=6, **settings)
    fm = FM(config).fit(data, rng=np.random.default_rng(0))
    afm = fitted(data, epochs=0, **settings)
    np.testing.assert_allclose(afm.score(asked), fm.score(asked), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("paper", [False, True])
def test_even_attention_with_p_of_ones_is_the_mean_of_the_pairs(paper: bool) -> None:
    """Rendle's pairwise term by the square of the sum, over the number of pairs."""
    data = town()
    model = fitted(data, pairs_inside_person=paper, pairs_inside_job=paper)
    model.relevance_[:], model.attention_[-1] = 0, 1
    if paper:
        model.job_parts_ = model._inner_parts()
    asked = data.query(np.arange(9, dtype=np.int32))
    people, jobs = model.person_fields(asked)[:, None], model.values_[model.job_values_][None]
    together = [people.sum(axis=2), jobs.sum(axis=2)]  # (9, 1, k) and (1, I, k)
    pairwise, pairs = (together[0] * together[1]).sum(axis=-1), people.shape[2] * jobs.shape[2]
    if paper:
        squares = (people**2).sum(axis=(2, 3)) + (jobs**2).sum(axis=(2, 3))
        pairwise = (((together[0] + together[1]) ** 2).sum(axis=-1) - squares) / 2
        fields = people.shape[2] + jobs.shape[2]
        pairs = fields * (fields - 1) // 2
    np.testing.assert_allclose(model.score(asked), pairwise / pairs + model.job_biases_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("inside_person", [False, True])
@pytest.mark.parametrize("inside_job", [False, True])
def test_ranking_score_is_the_equation_pair_by_pair(inside_person: bool, inside_job: bool) -> None:
    data = town()
    model = fitted(data, pairs_inside_person=inside_person, pairs_inside_job=inside_job, temperature=0.1)
    asked, items = data.query(np.array([3, 50, 119], dtype=np.int32)), np.array([5, 0, 71, 5], dtype=np.int32)
    head = model.attention_, model.attention_bias_, model.relevance_, model.temperature_
    jobs = model.values_, model.job_values_[items], inside_job, model.job_biases_[items]
    expected = afm_scores_reference(model.person_fields(asked), inside_person, *jobs, *head)
    np.testing.assert_allclose(model.score(asked, items), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("paper", [False, True])
def test_attention_varies_and_sums_to_one(paper: bool) -> None:
    data = town()
    model = fitted(data, pairs_inside_person=paper, pairs_inside_job=paper, temperature=0.02, epochs=25)
    shares = model.attention(data.query(np.arange(8, dtype=np.int32)), 3)
    fields = model.persons_ + model.job_values_.shape[1]
    pairs = fields * (fields - 1) // 2 if paper else model.persons_ * model.job_values_.shape[1]
    assert shares.shape == (8, fields, fields)
    np.testing.assert_allclose(shares.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert ((shares > 0).sum(axis=(1, 2)) == pairs).all()
    assert shares[shares > 0].std() > 0.02 / pairs, "all pairs get the same attention"


def test_past_applications_are_one_field() -> None:
    """The bag of FM, over all that is known of the past jobs; the target is not among them."""
    data = town()
    asked = data.query(np.arange(30, dtype=np.int32))
    model = fitted(data)
    config = model.config
    shares = past_shares(asked, HistoryUse(config.history_decay, config.history, config.history_power, config.silence))
    fields = model.person_fields(asked)
    np.testing.assert_allclose(fields[:, -1], shares @ model.past_vectors_, rtol=1e-4, atol=1e-6)
    together = model.values_[model.job_values_].sum(axis=1)
    assert 0 < np.abs(model.past_vectors_ - together).max() < 0.5 * np.abs(together).max()  # and a little of their own
    assert fitted(data, history=0).persons_ == model.persons_ - 1


def test_recovers_the_checkerboard() -> None:
    fold = next(iter(folds(checkerboard(), "given")))
    data = assemble(fold.train).dataset
    config = AFMConfig(attributes=False, job_text=False, person_text=False)
    model = AFM(config).fit(data, rng=np.random.default_rng(0))
    asked = data.query(data.users.numbers(fold.truth["person"]))
    best = recommend(model, asked, 1, exclude=asked.history).items[:, 0]
    assert np.mean(best == data.items.numbers(fold.truth["job"])) > 0.9


def one_pair_matters(seed: int = 0, people: int = 400, jobs: int = 120) -> Tables:
    """People apply by trade alone; three more columns of people and two of jobs are chance."""
    rng = np.random.default_rng(seed)
    trade, wanted = rng.integers(0, 8, people), rng.integers(0, 8, jobs)
    pairs = [
        (f"p{person}", f"j{job}", "test" if place == 0 else "train")
        for person in range(people)
        for place, job in enumerate(rng.choice(np.flatnonzero(wanted == trade[person]), 3, replace=False))
    ]

    def noise(n: int) -> list[str]:
        return [f"v{value}" for value in rng.integers(0, 12, n)]

    return Tables.build(
        people=pl.DataFrame(
            {"id": [f"p{i}" for i in range(people)], "trade": [f"t{t}" for t in trade]}
            | {name: noise(people) for name in ("a", "b", "c")}
        ),
        jobs=pl.DataFrame(
            {"id": [f"j{i}" for i in range(jobs)], "wanted": [f"t{t}" for t in wanted]}
            | {name: noise(jobs) for name in ("d", "e")}
        ),
        interactions=pl.DataFrame(pairs, schema=["person", "job", "split"], orient="row"),
    )


def test_attention_finds_the_pair_that_matters() -> None:
    """Of twelve pairs of fields one decides: it gets most of the attention, and people get jobs of their trade."""
    data = assemble(next(iter(folds(one_pair_matters(), "given"))).train).dataset
    settings = {"ids": False, "history": 0, "silence": 0.0, "past_scale": 0.0, "temperature": 0.02}
    model = fitted(data, epochs=40, average_from=20, **settings)
    asked = data.query(np.arange(400, dtype=np.int32))
    shares = np.mean([model.attention(asked, job).mean(axis=0) for job in range(10)], axis=0)
    shares = shares[: model.persons_, model.persons_ :]  # (4, 3)
    decides = data.user_features.field_names.index("trade"), data.item_features.field_names.index("wanted")
    assert shares.shape == (4, 3)
    assert shares[decides] > 0.5
    best = recommend(model, asked, 5, exclude=asked.history).items
    trade, wanted = (
        side.field(name).matrix.argmax(axis=1)
        for side, name in ((data.user_features, "trade"), (data.item_features, "wanted"))
    )
    assert np.mean(wanted[best] == trade[:, None]) > 0.99

"""Ranking by merged parts gives the scores of the definition, pair by pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.kernels.afm_rank import (
    afm_scores,
    afm_scores_reference,
    attend_reference,
    distinct,
    inner_parts,
    no_parts,
)


def world(seed: int, persons: int = 3, own: int = 4, sharpness: float = 1.0, size: int = 6, width: int = 5):
    """Five people, seven jobs whose fields share eleven values, and an attention."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32)

    people, values, jobs = draw(5, persons, size), draw(11, size), rng.integers(0, 11, (7, own)).astype(np.int32)
    head = draw(width + 1, size), draw(width), draw(width) * np.float32(sharpness), np.float32(0.7)
    return people, values, jobs, draw(7), head


@pytest.mark.parametrize("inside_person", [False, True])
@pytest.mark.parametrize("inside_job", [False, True])
@given(st.integers(0, 1000), st.integers(1, 4), st.integers(1, 4), st.sampled_from([0.0, 1.0, 30.0]))
@settings(max_examples=12, deadline=None)
def test_scores_equal_their_twin(
    inside_person: bool, inside_job: bool, seed: int, persons: int, own: int, sharp: float
):
    people, values, jobs, linear, head = world(seed, persons, own, sharp)
    parts = inner_parts(values, jobs, *head) if inside_job else no_parts(len(jobs))
    mine = afm_scores(people, inside_person, values, jobs, parts, linear, *head)
    twin = afm_scores_reference(people, inside_person, values, jobs, inside_job, linear, *head)
    np.testing.assert_allclose(mine, twin, rtol=1e-3, atol=1e-3)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_attention_varies_and_sums_to_one_over_the_pairs(seed: int) -> None:
    _, values, _, _, head = world(seed)
    share, paid = attend_reference(values[:-1] * values[1:], *head)
    assert share.shape == paid.shape == (10,)
    assert share.sum() == pytest.approx(1, abs=1e-5)
    assert share.std() > 1e-3


def test_more_values_than_a_block() -> None:
    people, _, _, _, head = world(3)
    rng = np.random.default_rng(0)
    values, jobs = rng.standard_normal((300, 6), dtype=np.float32), np.arange(300, dtype=np.int32).reshape(150, 2)
    scores = afm_scores(people, False, values, jobs, no_parts(150), np.zeros(150, np.float32), *head)
    twin = afm_scores_reference(people, False, values, jobs, False, np.zeros(150, np.float32), *head)
    np.testing.assert_allclose(scores, twin, rtol=1e-3, atol=1e-3)


def test_distinct_numbers_and_their_places() -> None:
    used, places = distinct(np.array([[7, 3], [3, 9]], np.int32))
    assert used.tolist() == [3, 7, 9]
    assert places.tolist() == [[1, 0], [0, 2]]

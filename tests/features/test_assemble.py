"""Moments of a dataset: when people are asked, when postings are open."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from metier.data import Tables
from metier.data.splits import folds
from metier.features.assemble import assemble
from metier.testing.worlds import small_town

START = datetime(2012, 4, 1)
EPOCH = 1333238400.0
"""START in seconds since 1970 UTC, whatever the time zone of the machine."""
DAY = 86400.0


def board() -> Tables:
    return Tables.build(
        people=pl.DataFrame({"id": ["a", "b", "c", "d"], "window": [2, 1, 1, None]}),
        jobs=pl.DataFrame({"id": ["i", "j"], "start": [START, None], "end": [None, START + timedelta(days=3)]}),
        interactions=pl.DataFrame(
            {
                "person": ["a", "b", "c", "c"],
                "job": ["i", "i", "i", "j"],
                "time": [START + timedelta(days=n) for n in (9, 1, 2, 0.5)],
            }
        ),
    )


def test_by_default_each_person_has_a_moment_of_their_own():
    assert assemble(board()).dataset.asked is None


def test_a_cut_off_is_everybodys():
    asked = assemble(board(), START + timedelta(days=4)).dataset.asked
    np.testing.assert_array_equal(asked, np.full(4, EPOCH + 4 * DAY))


def test_the_newest_interaction_is_that_of_the_own_window():
    """In the order of the people table; a window without an interaction has no moment."""
    asked = assemble(board(), "newest").dataset.asked
    np.testing.assert_array_equal(asked, EPOCH + DAY * np.array([9, 2, 2, np.nan]))


def test_postings_open_and_close():
    spans = assemble(board()).dataset.spans
    np.testing.assert_array_equal(spans, [[EPOCH, np.nan], [np.nan, EPOCH + 3 * DAY]])


def test_a_fold_hands_its_cut_off_over():
    (fold,) = folds(small_town(), "temporal")
    data = assemble(fold.train, fold.cutoff).dataset
    np.testing.assert_array_equal(data.asked, np.full(len(data.users), EPOCH + 5 * DAY))
    assert data.interactions.times.max() < EPOCH + 5 * DAY

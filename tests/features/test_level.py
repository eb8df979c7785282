"""Seniority from the words of a title."""

import numpy as np
import pytest

from metier.features.level import levels


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("Nurse", 1),
        ("SENIOR NURSE", 2),
        ("Sr. Accountant", 2),
        ("Engineer III", 2),
        ("Engineer I", 0),
        ("Jr Developer", 0),
        ("Sales Manager Trainee", 3),  # the highest word decides
        ("Assistant", 1),
        ("International Buyer", 1),  # no "intern" inside a word
        ("Leader of songs", 1),
        ("Vice President", 3),
    ],
)
def test_the_words_of_a_title(title, level):
    assert levels([title]).tolist() == [level]


def test_several_lines_are_averaged_and_nothing_is_unknown():
    np.testing.assert_array_equal(
        levels(["Nurse\nHead Nurse\n", "", " \n "]), np.array([2, np.nan, np.nan], np.float32)
    )
    assert levels([]).shape == (0,)
    assert levels(["Nurse"]).dtype == np.float32

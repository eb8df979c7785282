"""A thousand pairs, each differing in what its kind says and in nothing else."""

import re

import numpy as np
import pytest

from metier.operate.resume_pairs import draw_pairs
from metier.sources.documents.recognise import candidate

PRONOUNS = {"she", "her", "ms.", "he", "him", "his", "mr.", "they", "them", "their", "mx."}


@pytest.fixture(scope="module")
def pairs():
    return draw_pairs(1000, rng=np.random.default_rng(0))


def words(text):
    return re.findall(r"[^\s,;|()/]+", text)


def differing(pair):
    one, other = words(pair.one), words(pair.other)
    assert len(one) == len(other)
    return [(a, b) for a, b in zip(one, other, strict=True) if a != b]


def test_kinds_in_turn_and_nothing_left_open(pairs):
    assert len(pairs) == 1000
    assert {kind: sum(pair.kind == kind for pair in pairs) for kind in {pair.kind for pair in pairs}} == {
        "name": 250,
        "pronoun": 250,
        "name and pronoun": 250,
        "school": 250,
    }
    assert not [pair for pair in pairs if re.search(r"[{}]", pair.one + pair.other)]
    assert len({pair.one for pair in pairs}) == 1000
    assert all(pair.groups[0] != pair.groups[1] for pair in pairs)


def test_pairs_differ_in_what_their_kind_says(pairs):
    for pair in pairs:
        if pair.kind == "school":
            assert candidate(pair.one).contact == candidate(pair.other).contact
            continue
        for one, other in differing(pair):
            is_pronoun = {one.lower(), other.lower()} <= PRONOUNS
            assert is_pronoun or pair.kind != "pronoun", (one, other)
            assert not is_pronoun or pair.kind != "name", (one, other)
            assert is_pronoun or one[0].isupper() or "@example.org" in one, (one, other)
    assert sum(bool(differing(pair)) for pair in pairs if pair.kind == "name") == 250


def test_the_same_seed_gives_the_same_pairs(pairs):
    assert draw_pairs(12, rng=np.random.default_rng(0)) == pairs[:12]

"""Fingerprints and their clusters against plain Python."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.kernels.simhash import NEAR, near_equal, near_equal_reference, simhash, simhash_reference

TEXT = (
    "We are looking for a registered nurse for our clinic in Dayton who cares for patients on the ward, keeps the "
    "records, works in shifts and speaks with families. You have a licence, two years of experience and patience. We "
    "offer a good salary, health insurance, thirty days of holidays and a team that laughs. Apply with your papers. "
) * 2


@given(st.lists(st.text(alphabet="abc A9é.,-\n", max_size=60), max_size=8))
@settings(max_examples=60, deadline=None)
def test_equals_the_reference(texts):
    np.testing.assert_array_equal(simhash(texts), simhash_reference(texts))


def test_near_equal_texts_are_near_and_others_far():
    a, b, c, d = simhash([TEXT, TEXT.replace("thirty", "28").upper(), TEXT[::-1], ""]).tolist()
    assert (a ^ b).bit_count() <= NEAR < 20 < (a ^ c).bit_count()
    assert d == 0


@given(st.lists(st.integers(0, 63), min_size=1, max_size=12), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_clusters_equal_the_reference(bits, cut):
    prints = np.array([(1 << bit) - 1 for bit in bits], np.uint64)
    starts = np.array([0, min(cut, len(bits)), len(bits)], np.int64)
    np.testing.assert_array_equal(near_equal(prints, starts), near_equal_reference(prints, starts))


def test_chains_are_one_cluster_and_ranges_are_not_mixed():
    prints = np.array([0, 2**NEAR - 1, 2 ** (2 * NEAR) - 1, 0], np.uint64)
    assert near_equal(prints, np.array([0, 3, 4])).tolist() == [0, 0, 0, 3]

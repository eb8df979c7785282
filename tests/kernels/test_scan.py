"""The scan of bytes against the product with every row."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.kernels.scan import BLOCK, Bias, VectorIndex


@st.composite
def problems(draw):
    """Rows of very different lengths, copies, near copies, zeros and NaN, in groups of which some are empty."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, size = draw(st.integers(1, 600)), draw(st.sampled_from([1, 2, 17, 64]))
    vectors = rng.standard_normal((rows, size)) * 10.0 ** rng.integers(-draw(st.sampled_from([0, 6])), 1, (rows, 1))
    copied = rng.integers(0, rows, rows // 2)
    vectors[: len(copied)] = vectors[copied] * (1 + draw(st.sampled_from([0, 1e-7])) * rng.random((len(copied), 1)))
    if draw(st.booleans()):
        vectors = np.rint(vectors)
    vectors[rng.random(rows) < draw(st.sampled_from([0.0, 0.2, 1.0])), 0] = np.nan
    groups = rng.integers(-1, draw(st.sampled_from([1, 6])), rows).astype(np.int32)
    bias = draw(st.sampled_from([1.0, 100.0])) * rng.standard_normal(rows)
    index = VectorIndex.build(
        vectors.astype(np.float32),
        groups,
        rng.permutation(rows).astype(np.int32),
        draw(st.none() | st.integers(0, size)),
        near=draw(st.sampled_from([None, -bias])),
    )
    asked = draw(st.none() | st.lists(st.integers(0, 9)).map(lambda each: np.array(each, np.int32)))
    banned = rng.integers(0, rows, draw(st.sampled_from([0, rows]))).astype(np.int32)
    query = rng.standard_normal(size) * draw(st.sampled_from([0.0, 1e-5, 1.0, 1e5]))
    more = {
        "allowed": rng.random(rows) < draw(st.sampled_from([0.02, 0.9])),
        "offsets": (10.0 * rng.standard_normal(6)).astype(np.float32),
        "bias": Bias.of(bias[index.items]),
    }
    more = {name: values for name, values in more.items() if draw(st.booleans())}
    return (index, query.astype(np.float32), draw(st.integers(1, 40)), asked, banned), more


@given(problems())
@settings(max_examples=120, deadline=None)
def test_equals_the_reference(problem):
    (index, *question), more = problem
    found, expected = index.query(*question, **more), index.query_reference(*question, **more)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6)
    assert (found[0].dtype, found[1].dtype) == (np.int32, np.float32)


@pytest.mark.parametrize(
    ("best", "other", "query"),
    [
        ([127, 0.499], [113, 0.45], [0, 1]),  # bytes say 0 and 0.89: rounding of the rows
        ([1, 1, 0], [1, 0, 114 / 127], [65534, 0.99, 1.01]),  # 65534 and 65535.8: rounding of the query to steps of 2
        ([2] * 3000, [1.9] * 3000, [7] * 3000),  # full-sized codes would overflow the sum
    ],
    ids=["rows", "query", "sum"],
)
def test_rounding_to_whole_numbers_hides_nothing(best, other, query):
    index = VectorIndex.build(np.array([other, best], np.float32))
    assert index.query(np.array(query, np.float32), 1)[0].tolist() == [1]


@pytest.fixture(scope="module")
def index():
    rng = np.random.default_rng(0)
    return VectorIndex.build(rng.standard_normal((2000, 32), np.float32), rng.integers(-1, 20, 2000).astype(np.int32))


def test_only_rows_of_the_groups_are_found_and_rows_without_a_group_only_without_a_filter(index):
    query, everything = np.ones(32, np.float32), index.query(np.ones(32, np.float32), 2000)[0]
    assert sorted(everything.tolist()) == list(range(2000))
    grouped = index.query(query, 2000, np.arange(20, dtype=np.int32))[0]
    assert set(index.items[: index.starts[0]].tolist()) == set(everything.tolist()) - set(
        grouped[grouped >= 0].tolist()
    )
    some = index.query(query, 2000, np.array([4, 4, 11, 99], np.int32))[0]
    rows = np.r_[index.starts[4] : index.starts[5], index.starts[11] : index.starts[12]]
    assert sorted(some[some >= 0].tolist()) == sorted(index.items[rows].tolist())


def test_the_index_is_arrays_alone_and_any_thread_may_ask(index):
    again = VectorIndex(*(np.copy(part) if isinstance(part, np.ndarray) else part for part in astuple(index)))
    queries = np.random.default_rng(1).standard_normal((64, 32), np.float32)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda query: again.query(query, 10), queries))
    for query, (items, scores) in zip(queries, answers, strict=True):
        expected = index.query(query, 10)
        np.testing.assert_array_equal(items, expected[0])
        np.testing.assert_array_equal(scores, expected[1])


def test_an_offset_lifts_its_group_and_a_bias_its_row(index):
    query, offsets, bias = np.ones(32, np.float32), np.zeros(20, np.float32), np.zeros(2000, np.float32)
    offsets[7] = 1000
    bias[index.starts[7]] = 500
    items, scores = index.query(query, 5, offsets=offsets, bias=Bias.of(bias))
    assert set(items.tolist()) <= set(index.items[index.starts[7] : index.starts[8]].tolist())
    assert items[0] == index.items[index.starts[7]]
    row = index.rows(2000)[items[0]]
    assert scores[0] == pytest.approx(1500 + index.vectors[row].sum(), abs=1e-3)


def test_a_block_is_read_while_its_longest_row_could_come_in():
    vectors, bias = np.zeros((2 * BLOCK, 4), np.float32), np.ones(2 * BLOCK, np.float32)
    vectors[BLOCK], bias[BLOCK] = [0, 10, 0, 0], -8.5
    bias[BLOCK + 1 :] = -30
    index = VectorIndex.build(vectors, near=-bias)
    items, scores = index.query(np.array([0, 1, 0, 0], np.float32), 2, bias=Bias.of(bias[index.items]))
    assert (items.tolist(), scores.tolist()) == ([BLOCK, 0], [1.5, 1.0])


def test_infinities_find_nothing_and_are_not_found(index):
    assert (index.query(np.full(32, np.inf, np.float32), 3)[0] == -1).all()
    vectors = np.array([[np.inf, 0], [1, 1], [-np.inf, np.nan]], np.float32)
    assert VectorIndex.build(vectors).query(np.ones(2, np.float32), 2)[0].tolist() == [1, -1]


def test_sizes_and_groups_are_checked(index):
    for vector, k in [(np.ones(31, np.float32), 1), (np.ones((1, 32), np.float32), 1), (np.ones(32, np.float32), 0)]:
        with pytest.raises(ValueError, match="do not fit"):
            index.query(vector, k)
    with pytest.raises(ValueError, match="group -1 cannot be asked for; cure"):
        index.query(np.ones(32, np.float32), 1, np.array([-1, 3], np.int32))
    with pytest.raises(ValueError, match="do not fit"):
        VectorIndex.build(np.ones((3, 2), np.float32), np.zeros(2, np.int32))
    for short in ({"allowed": np.ones(1999, np.bool_)}, {"offsets": np.ones(19)}, {"bias": Bias.of(np.ones(1999))}):
        with pytest.raises(ValueError, match="do not fit"):
            index.query(np.ones(32, np.float32), 1, **short)

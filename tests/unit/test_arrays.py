import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from visrec.arrays import Ragged, top_k, unit_vectors

few_values = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 1.0, np.inf])
"""Few different values, so that there are ties."""
rows = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


def ragged_of(lists: list[list[int]]) -> Ragged:
    return Ragged(
        offsets=np.cumsum([0, *map(len, lists)]), values=np.array([v for row in lists for v in row], np.int64)
    )


def test_rows_of_different_lengths_come_one_after_the_other() -> None:
    ragged = Ragged(offsets=np.array([0, 2, 2, 5]), values=np.array([10, 11, 20, 21, 22]))
    owner, entries = ragged.gather(np.array([2, 1, 0, 2]))
    assert owner.tolist() == [0, 0, 0, 2, 2, 3, 3, 3]
    assert ragged.values[entries].tolist() == [20, 21, 22, 10, 11, 20, 21, 22]


def test_no_rows() -> None:
    owner, entries = Ragged(offsets=np.array([0, 2]), values=np.array([1, 2])).gather(np.array([], np.int64))
    assert owner.tolist() == entries.tolist() == []


@given(rows, st.data())
def test_gathered_rows_equal_those_of_a_list_of_lists(lists: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8)) if lists else []
    ragged = ragged_of(lists)
    owner, entries = ragged.gather(np.array(chosen, np.int64))
    expected = [(place, value) for place, row in enumerate(chosen) for value in lists[row]]
    assert list(zip(owner.tolist(), ragged.values[entries].tolist(), strict=True)) == expected


@given(rows, st.integers(0, 6))
def test_last_entries_of_each_row(lists: list[list[int]], num: int) -> None:
    ragged = ragged_of(lists)
    last = ragged.last(num)
    kept = [ragged.values[last.row(row)].tolist() for row in range(len(last))]
    assert kept == [row[max(len(row) - num, 0) :] for row in lists]


@pytest.mark.parametrize("chunked", [False, True])
def test_from_arrow_lists(chunked: bool) -> None:
    array = pa.array([["a", "b"], None, [], ["c"]], pa.list_(pa.string()))
    lists = pa.chunked_array([array[:1], array[1:]]) if chunked else array
    ragged = Ragged.from_lists(lists)
    assert len(ragged) == 4
    assert [ragged.row(row).tolist() for row in range(4)] == [["a", "b"], [], [], ["c"]]
    assert ragged.offsets.dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data(), k=st.integers(1, 9))
def test_top_k_equals_a_stable_descending_sort(
    dtype: type[np.float32] | type[np.float64], data: st.DataObject, k: int
) -> None:
    shape = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)
    scores: NDArray[np.floating] = data.draw(hnp.arrays(dtype, shape, elements=few_values))
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert top_k(scores, k).tolist() == expected.tolist()


def test_ties_go_to_the_lower_column() -> None:
    scores = np.array([[1, 2, 2, 2, 0], [0, 0, 0, 0, 0]], np.float32)
    assert top_k(scores, 2).tolist() == [[1, 2], [0, 1]]


def test_top_k_of_nothing() -> None:
    assert top_k(np.zeros((2, 0)), 3).shape == (2, 0)
    assert top_k(np.zeros((0, 4)), 3).shape == (0, 3)


@given(hnp.arrays(np.float32, (4, 3), elements=st.floats(-100, 100, width=32)))
def test_unit_vectors_have_length_1_and_keep_their_direction(vectors: NDArray[np.float32]) -> None:
    vectors[np.abs(vectors) < 1e-3] = 0  # squares of smaller numbers underflow
    units = unit_vectors(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), lengths[:, 0] > 0, atol=1e-6)
    np.testing.assert_allclose(units * lengths, vectors, rtol=1e-5, atol=1e-5)


def test_zero_vectors_stay_zero() -> None:
    units = unit_vectors(np.array([[0, 0], [0, 2]], np.float32))
    assert units.tolist() == [[0, 0], [0, 1]]
    assert units.dtype == np.float32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.data.splits import (
    TEST,
    TRAIN,
    VALIDATION,
    cold_item_marks,
    cold_items,
    global_time_marks,
    leave_one_out_marks,
)


@pytest.mark.parametrize(
    ("length", "marks"), [(0, []), (1, [0]), (2, [0, 0]), (3, [0, 1, 2]), (5, [0, 0, 0, 1, 2])]
)
def test_leave_one_out_needs_a_history(length: int, marks: list[int]) -> None:
    assert leave_one_out_marks(length).tolist() == marks


def test_global_time_cuts_belong_to_the_later_part() -> None:
    times = np.array([5, 10, 15, 20, 25])
    assert global_time_marks(times, 10, 20).tolist() == [TRAIN, VALIDATION, VALIDATION, TEST, TEST]


def test_cold_items_are_the_first_of_the_permutation() -> None:
    order = np.random.RandomState(3).permutation(20)
    test, validation = cold_items(20, seed=3, share=0.1)
    assert test.tolist() == sorted(order[:2])
    assert validation.tolist() == sorted(order[2:4])


@given(
    items=st.lists(st.integers(0, 29), max_size=50),
    seed=st.integers(0, 100),
    share=st.floats(0.01, 0.49),
)
def test_cold_marks_are_a_partition_by_item(items: list[int], seed: int, share: float) -> None:
    test, validation = cold_items(30, seed, share)
    assert not set(test) & set(validation)
    marks = cold_item_marks(np.array(items, np.int32), 30, seed, share)
    for item, mark in zip(items, marks, strict=True):
        assert mark == (TEST if item in test else VALIDATION if item in validation else TRAIN)

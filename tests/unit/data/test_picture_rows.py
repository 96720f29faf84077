import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from visrec.data.images import PictureRows

# Rows 0, 3 and 4 show item 1, row 1 shows item 3, row 2 shows item 0; item 2 has none.
ITEM_OF_ROW = np.array([1, 3, 0, 1, 1])


def test_rows_are_grouped_by_item_and_the_first_is_the_main_one() -> None:
    pictures = PictureRows.of_rows(ITEM_OF_ROW, num_items=4)
    assert pictures.main_I.tolist() == [2, 0, -1, 1]
    assert pictures.counts_I.tolist() == [1, 3, 1, 1]
    assert pictures.has_picture_I.tolist() == [True, True, False, True]
    owner, rows = pictures.gather(np.array([3, 1, 2, 1]))
    assert owner.tolist() == [0, 1, 1, 1, 2, 3, 3, 3]
    assert rows.tolist() == [1, 0, 3, 4, -1, 0, 3, 4]
    assert pictures.pick(np.array([1, 1, 1, 2, 0]), np.array([2, 0, 1, 0, 0])).tolist() == [4, 0, 3, -1, 2]


def test_rows_without_a_picture_belong_to_no_item() -> None:
    usable = np.array([False, False, True, True, True])
    pictures = PictureRows.of_rows(ITEM_OF_ROW, num_items=4, usable_R=usable)
    assert pictures.main_I.tolist() == [2, 3, -1, -1]
    assert pictures.more.values.tolist() == [4]
    nothing = PictureRows.of_rows(ITEM_OF_ROW, num_items=4, usable_R=np.zeros(5, bool))
    assert not nothing.has_picture_I.any() and nothing.one_at_most


def test_one_each() -> None:
    pictures = PictureRows.one_each(np.array([5, -1, 2], np.int32))
    assert pictures.one_at_most and len(pictures) == 3
    owner, rows = pictures.gather(np.array([2, 0]))
    assert (owner.tolist(), rows.tolist()) == ([0, 1], [2, 5])


@given(st.lists(st.integers(0, 5), max_size=20), st.lists(st.integers(0, 5), max_size=8))
def test_agrees_with_lists(item_of_row: list[int], asked: list[int]) -> None:
    pictures = PictureRows.of_rows(np.array(item_of_row, np.int64), num_items=6)
    expected = [[row for row, item in enumerate(item_of_row) if item == one] or [-1] for one in asked]
    index = np.array(asked, np.int64)
    owner, rows = pictures.gather(index)
    assert rows.tolist() == [row for part in expected for row in part]
    assert owner.tolist() == [place for place, part in enumerate(expected) for _ in part]
    last = pictures.pick(index, pictures.counts_I[index] - 1)
    assert last.tolist() == [part[-1] for part in expected]

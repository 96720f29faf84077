from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.reports.style import spread


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_labels_keep_apart_in_order_and_inside(heights: list[float]) -> None:
    placed = spread({str(k): h for k, h in enumerate(heights)}, step=0.1, low=0.0, high=1.0)
    values = list(placed.values())
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(values))
    assert max(values) <= 1.0
    assert [heights[int(k)] for k in placed] == sorted(heights)


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread({"a": 0.2, "b": 0.8}, step=0.1, low=0.0, high=1.0) == pytest.approx({"a": 0.2, "b": 0.8})

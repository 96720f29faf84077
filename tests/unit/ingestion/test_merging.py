import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from visrec.ingestion.rules import first_known, merge

# user, item, time, weight
VISIT = [
    (0, 1, 0, 0.2),  # seen
    (0, 2, 5, 1.0),  # another item in between
    (0, 1, 10, 1.0),  # clicked
    (0, 1, 25, 3.0),  # into the cart
    (0, 1, 60, 1.0),  # a later visit
    (1, 1, 12, 1.0),  # another user
    (0, 1, 61, -1.0),  # as strong as the click before: the first stays
]


def _merge(rows: list[tuple[int, int, int, float]], window: float) -> list[int]:
    table = np.array(rows, np.float64).reshape(-1, 4)
    user, item, time, weight = table.T
    representative = merge(
        user.astype(np.int32), item.astype(np.int32), time.astype(np.int64), weight.astype(np.float32), window
    )
    return [int(r) for r in representative]


def test_the_strongest_of_a_visit_stands_for_it() -> None:
    assert _merge(VISIT, 20) == [3, 1, 3, 3, 4, 5, 4]
    assert _merge(VISIT, 0) == list(range(7))
    assert _merge([], 20) == []


def test_a_value_comes_from_the_earliest_that_has_one() -> None:
    representative = np.array([3, 1, 3, 3, 4])
    times = np.array([30, 1, 20, 40, 50])
    assert first_known(np.array([7, -1, 8, -1, 9]), representative, times, -1).tolist() == [7, -1, 8, 8, 9]
    assert first_known(np.array([7, -1, 8, 5, 9]), representative, times, -1)[3] == 5


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.integers(0, 2), st.integers(0, 40), st.sampled_from([0.0, 0.2, 1.0, -1.0])
        ),
        max_size=25,
    ),
    st.integers(0, 10),
)
def test_merging_what_is_left_merges_nothing(rows: list[tuple[int, int, int, float]], window: int) -> None:
    representative = _merge(rows, window)
    assert all(representative[r] == r for r in representative)
    for row, r in enumerate(representative):
        assert rows[row][:2] == rows[r][:2]
        assert abs(rows[r][3]) >= abs(rows[row][3])
    left = [row for k, row in enumerate(rows) if representative[k] == k]
    assert _merge(left, window) == list(range(len(left)))

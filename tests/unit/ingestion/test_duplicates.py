import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from visrec.ingestion.rules import exact_duplicates, near_duplicates

# user, item, kind, time, event id
ROWS = [
    (0, 5, 1, 100, 7),
    (0, 5, 1, 100, 8),  # same content under another id
    (0, 6, 1, 200, 7),  # same id, other item: a basket
    (0, 5, 2, 100, 7),  # same id, other kind
    (0, 6, 1, 900, 7),  # same id, item and kind
    (1, 5, 1, 100, 7),  # same id, other user
    (0, 5, 2, 100, -1),  # other kind
    (0, -1, 1, 100, -1),  # unknown item: another one,
    (0, -1, 1, 100, -1),  # since unknown items have no index
    (0, 5, 2, 100, -1),
]


def _exact(rows: list[tuple[int, int, int, int, int]]) -> NDArray[np.bool_]:
    user, item, kind, time, event = np.array(rows, np.int32).reshape(-1, 5).T
    return exact_duplicates(user, item, kind.astype(np.int8), time.astype(np.int64), event)


def _near(rows: list[tuple[int, int, int, int, int]], window: int) -> NDArray[np.bool_]:
    user, item, kind, time, _ = np.array(rows, np.int32).reshape(-1, 5).T
    return near_duplicates(user, item, kind.astype(np.int8), time.astype(np.int64), window)


def test_exact_duplicates_by_hand() -> None:
    assert _exact(ROWS).tolist() == [
        *[False, True, False, False, True],
        *[False, True, False, False, True],
    ]


def test_near_duplicates_by_hand() -> None:
    times = np.array([3500, 0, 900, 1700, 5000, 900])
    users = np.zeros(6, np.int32)
    items = np.array([1, 1, 1, 1, 1, 2], np.int32)
    kinds = np.zeros(6, np.int8)
    # item 1 in order of time: 0, 900 and 1700 (each within 1000 of the one before), 3500, 5000
    assert near_duplicates(users, items, kinds, times, 1000).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert not near_duplicates(users, items, kinds, times, 0).any()


_rows = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(-1, 2), st.integers(0, 1), st.integers(0, 20), st.integers(-1, 3)
    ),
    max_size=30,
)


@given(_rows, st.integers(0, 5))
def test_what_is_left_has_no_duplicates(rows: list[tuple[int, int, int, int, int]], window: int) -> None:
    left = [row for row, twin in zip(rows, _exact(rows), strict=True) if not twin]
    assert not _exact(left).any()
    known = [row for row in left if row[1] >= 0]
    rest = [row for row, near in zip(known, _near(known, window), strict=True) if not near]
    assert not _near(rest, window).any()
    assert {row[:3] for row in rest} == {row[:3] for row in known}  # something of each kind stays

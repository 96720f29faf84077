from bisect import bisect_right

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from visrec.ingestion.stages.shuffle import num_ranges, number_ranges, range_starts


def test_number_of_ranges() -> None:
    assert [num_ranges(n) for n in (1, 60_000, 100_000, 10**6, 10**9)] == [2, 2, 2, 8, 1000]


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(2, 6))
def test_ranges_are_in_order_and_balanced(users: list[int], num: int) -> None:
    starts = range_starts([str(u) for u in users], num, integers=True)
    assert starts == sorted(starts)
    assert len(starts) == num - 1
    numbered = number_ranges(pa.table({"user_id": [str(u) for u in users]}), starts, integers=True)
    numbers = numbered.column("range").to_pylist()
    assert numbers == [bisect_right(starts, u) for u in users]
    sizes = [numbers.count(r) for r in range(num)]
    heaviest = max(users.count(u) for u in users)
    assert max(sizes) <= len(users) / num + heaviest + 1

from dataclasses import replace

import numpy as np
from tests.support.snapshots import HOUR_MS, sequences_of

from visrec.releases import PopularItems

DAY_HOURS = 24


def test_known_answer() -> None:
    # 28 days of log. Item 2: eight old events; item 1: three in the last week; item 0: none; item 3: one a week ago.
    block = sequences_of([[2] * 8, [1, 1, 1], [3]])
    start = block.times[0]
    hours = [0, 1, 2, 3, 4, 5, 6, 7, 28 * DAY_HOURS, 27 * DAY_HOURS, 26 * DAY_HOURS, 21 * DAY_HOURS]
    block = replace(block, times=start + np.array(hours) * HOUR_MS)
    popularity = PopularItems.fit(lambda: [block], 5)
    # Long-run rates a week: item 2 has 8 / 4, item 1 has 3 / 4, item 3 has 1 / 4; the mean with the last week's count.
    assert popularity.items.tolist() == [1, 2, 3, 0, 4]
    np.testing.assert_allclose(popularity.events_per_week, [(3 + 0.75) / 2, 1.0, 0.125, 0, 0])


def test_blocks_change_nothing() -> None:
    whole = PopularItems.fit(lambda: [sequences_of([[0, 1], [1, 2], [1]])], 3)
    parts = PopularItems.fit(lambda: [sequences_of([[0, 1]]), sequences_of([[1, 2], [1]])], 3)
    assert whole.items.tolist() == parts.items.tolist() == [1, 0, 2]


def test_without_any_event_the_order_is_that_of_the_catalogue() -> None:
    assert PopularItems.fit(lambda: [], 3).items.tolist() == [0, 1, 2]

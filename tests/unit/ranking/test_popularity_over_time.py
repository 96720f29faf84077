import numpy as np
from tests.support.snapshots import HOUR_MS, START_MS, sequences_of

from visrec.arrays import DAY_MS
from visrec.ranking.item_features import PopularityOverTime

ITEMS = np.array([0, 1], np.int32)


def test_counts_what_came_before() -> None:
    # Events an hour apart: item 0 in hour 0, item 1 in hour 30, which is the second day.
    block = sequences_of([[0, *range(2, 31), 1], [0]])
    curve = PopularityOverTime.fit(lambda: [block], 40)
    assert (curve.start, curve.width, curve.end) == (START_MS, curve.width, START_MS + 2 * curve.width)
    assert curve.before(ITEMS, START_MS).tolist() == [0, 0]
    assert curve.before(ITEMS, START_MS + curve.width).tolist() == [2, 0]
    assert curve.before(ITEMS, START_MS + 30 * HOUR_MS + 1).tolist() == [2, 0]
    assert curve.before(ITEMS, START_MS + 365 * DAY_MS).tolist() == [2, 1]
    assert curve.between(ITEMS, START_MS + curve.width, START_MS + 365 * DAY_MS).tolist() == [0, 1]


def test_no_events() -> None:
    curve = PopularityOverTime.fit(lambda: [sequences_of([[]])], 2)
    assert curve.before(ITEMS, START_MS).tolist() == [0, 0]


def test_the_moment_itself_never_counts() -> None:
    block = sequences_of([[0, 1, 0, 1, 1]])
    curve = PopularityOverTime.fit(lambda: [block], 2)
    for time in block.times.tolist():
        known = curve.before(ITEMS, time)
        assert (known <= [np.sum((block.items == i) & (block.times < time)) for i in ITEMS]).all()

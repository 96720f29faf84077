"""Small catalogues and pasts for tests of the ranker.

facts = make_facts(num_items=4, prices=[1, 2, None, 4])
past = make_past([0, 1], refused=[2])
"""

from collections.abc import Sequence

import numpy as np
from tests.support.snapshots import HOUR_MS, START_MS

from visrec.arrays import DAY_MS, Ragged
from visrec.ranking.item_facts import ItemFacts
from visrec.ranking.user_state import PopularityOverTime, UserState

NOW = START_MS + 10 * DAY_MS


def make_facts(
    *,
    vectors: Sequence[Sequence[float]] | None = None,
    num_items: int = 4,
    categories: Sequence[Sequence[int]] | None = None,
    prices: Sequence[float | None] | None = None,
    created: Sequence[int | None] | None = None,
    counts_a_day: Sequence[Sequence[int]] | None = None,
    neighbours: dict[int, dict[int, float]] | None = None,
    appeal: Sequence[float] | None = None,
) -> ItemFacts:
    """Facts of a few items; what is not told is missing. Vectors: those of the unit circle, an eighth turn apart.

    `counts_a_day` [I][days] from `START_MS` on; `neighbours` item -> its neighbours and their closeness.
    """
    angles = np.arange(num_items) * np.pi / 4
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lists = categories or [[] for _ in range(num_items)]
    codes = np.array([c for row in lists for c in row], np.int32)
    num_categories = int(codes.max(initial=-1)) + 1
    near = [(neighbours or {}).get(item, {}) for item in range(num_items)]
    counts = np.array(counts_a_day if counts_a_day is not None else [[0]] * num_items, np.int32)
    return ItemFacts(
        vectors_ID=np.asarray(circle if vectors is None else vectors, np.float32),
        biases_I=np.arange(num_items, dtype=np.float32),
        categories=Ragged(offsets=np.cumsum([0, *map(len, lists)]), values=codes),
        category_share_G=(np.bincount(codes, minlength=num_categories) / num_items).astype(np.float32),
        log_prices_I=np.log1p(_with_nan(prices, num_items)).astype(np.float32),
        created_I=_with_nan(created, num_items),
        popularity=PopularityOverTime(
            start=START_MS,
            width=DAY_MS,
            before_IB=np.c_[np.zeros(num_items, np.int32), counts.cumsum(1)].astype(np.int32),
        ),
        neighbours=Ragged(
            offsets=np.cumsum([0, *map(len, near)]),
            values=np.array([j for row in near for j in row], np.int32),
        ),
        closeness=np.array([value for row in near for value in row.values()], np.float32),
        appeal_I=None if appeal is None else np.array(appeal, np.float32),
    )


def make_past(
    items: Sequence[int],
    *,
    refused: Sequence[int] = (),
    viewed: Sequence[int] = (),
    time: int = NOW,
) -> UserState:
    """A past whose last positive was an hour ago, the others an hour before each other."""
    hours = np.arange(len(items), 0, -1)
    return UserState(
        items=np.array(items, np.int32),
        times=time - hours * HOUR_MS,
        refused=np.array(refused, np.int32),
        viewed=np.array(viewed, np.int32),
        time=time,
    )


def _with_nan(
    values: Sequence[float | None] | None, num_items: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    told = [None] * num_items if values is None else values
    return np.array([np.nan if value is None else value for value in told], np.float64)

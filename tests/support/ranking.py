"""Small catalogues and user states for tests of the ranker.

items = make_item_features(num_items=4, prices=[1, 2, None, 4])
user = make_user([0, 1], negatives=[2])
"""

from collections.abc import Sequence

import numpy as np
from tests.support.snapshots import HOUR_MS, START_MS

from visrec.arrays import DAY_MS, Ragged
from visrec.ranking.item_features import ItemFeatures, PopularityOverTime
from visrec.ranking.user_state import UserState

NOW = START_MS + 10 * DAY_MS


def make_item_features(
    *,
    vectors: Sequence[Sequence[float]] | None = None,
    num_items: int = 4,
    categories: Sequence[Sequence[int]] | None = None,
    prices: Sequence[float | None] | None = None,
    created: Sequence[int | None] | None = None,
    counts_a_day: Sequence[Sequence[int]] | None = None,
    neighbours: dict[int, dict[int, float]] | None = None,
    log_ctr: Sequence[float] | None = None,
    attributes: Sequence[Sequence[int]] | None = None,
    members: dict[str, slice] | None = None,
) -> ItemFeatures:
    """Features of a few items; what is not given is missing. Vectors lie on the unit circle, an eighth turn apart.

    `counts_a_day` [I][days] from `START_MS` on; `neighbours` item -> its neighbours and their similarities.
    """
    angles = np.arange(num_items) * np.pi / 4
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lists = categories or [[] for _ in range(num_items)]
    codes, category_share_G = _codes_and_shares(lists)
    worded = attributes or [[] for _ in range(num_items)]
    words, attribute_share_A = _codes_and_shares(worded)
    near = [(neighbours or {}).get(item, {}) for item in range(num_items)]
    counts = np.array(counts_a_day if counts_a_day is not None else [[0]] * num_items, np.int32)
    return ItemFeatures(
        vectors_ID=np.asarray(circle if vectors is None else vectors, np.float32),
        biases_I=np.arange(num_items, dtype=np.float32),
        categories=Ragged(offsets=np.cumsum([0, *map(len, lists)]), values=codes),
        category_share_G=category_share_G,
        attributes=Ragged(offsets=np.cumsum([0, *map(len, worded)]), values=words),
        attribute_share_A=attribute_share_A,
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
        similarities=np.array([value for row in near for value in row.values()], np.float32),
        log_ctr_I=None if log_ctr is None else np.array(log_ctr, np.float32),
        members=members or {},
    )


def make_user(
    items: Sequence[int],
    *,
    negatives: Sequence[int] = (),
    viewed: Sequence[int] = (),
    time: int = NOW,
    query: Sequence[float] | None = None,
) -> UserState:
    """A user whose last positive was an hour ago, the others an hour before each other."""
    hours = np.arange(len(items), 0, -1)
    return UserState(
        items=np.array(items, np.int32),
        times=time - hours * HOUR_MS,
        negatives=np.array(negatives, np.int32),
        viewed=np.array(viewed, np.int32),
        time=time,
        query_D=None if query is None else np.array(query, np.float32),
    )


def _codes_and_shares(
    lists: Sequence[Sequence[int]],
) -> tuple["np.ndarray[tuple[int], np.dtype[np.int32]]", "np.ndarray[tuple[int], np.dtype[np.float32]]"]:
    """Entries of all lists, and the share of the lists with each."""
    codes = np.array([code for row in lists for code in row], np.int32)
    return codes, (np.bincount(codes) / len(lists)).astype(np.float32)


def _with_nan(
    values: Sequence[float | None] | None, num_items: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    given = [None] * num_items if values is None else values
    return np.array([np.nan if value is None else value for value in given], np.float64)

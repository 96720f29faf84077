"""How an item does when it is shown, by itself: positives compared with what its places on the page let expect.

What stands at the top of a page is looked at more often, so a plain click rate says as much of the place as of the
item. Here each row of the log counts as the mean share of positives of its position (the denominator of the
clicks-over-expected-clicks estimate of Zhang and Jones 2007), and the ratio is drawn towards 1 where rows are few.
"""

import numpy as np
from numpy.typing import NDArray

from visrec.config import SplitConfig
from visrec.data.held_out import Part, is_known
from visrec.data.interactions import read_log
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import cold_item_marks

MAX_POSITIONS = 50
"""Places further down count as this one."""
_PRIOR = 5.0
_NEVER = int(np.iinfo(np.int64).max)


def position_slot(positions: NDArray[np.int32]) -> NDArray[np.int64]:
    """0 where the position is unknown, else 1 + position, at most `MAX_POSITIONS`."""
    return np.clip(positions + 1, 0, MAX_POSITIONS).astype(np.int64)


def fit_clicks_over_expected(
    snapshot: Snapshot, split: SplitConfig, part: Part | None
) -> NDArray[np.float32] | None:
    """Log of positives over expected positives of each item, float32 [I]; None where the log holds positives only.

    Rows count up to each user's last known positive and before the first one that is hidden in this part: what is
    judged, and the impressions that a ranker learns from (they come after), must not be part of their own feature. Of
    users from whom nothing is hidden all rows count, under `global_time` those before the cut in time; under
    `cold_items` no row of a hidden item does. Part None, as for a release: all rows.
    """
    shown_IP = np.zeros((snapshot.num_items, MAX_POSITIONS + 1), np.int32)
    positives_IP = np.zeros_like(shown_IP)
    end = _end(snapshot, split, part)
    for block in snapshot.sequences(split):
        log = read_log(snapshot, block)
        counts = np.ones(len(log.items), np.bool_)
        if part is not None:
            counts = log.times < _ends(block, part, end)[log.row_of_event]
            if split.protocol == "cold_items":
                marks = cold_item_marks(log.items, snapshot.num_items, split.cold_seed, split.cold_share)
                counts &= is_known(marks, part)
        slots = position_slot(log.positions)
        np.add.at(shown_IP, (log.items[counts], slots[counts]), 1)
        taken = counts & (log.weights > 0)
        np.add.at(positives_IP, (log.items[taken], slots[taken]), 1)
    if (positives_IP == shown_IP).all():
        return None
    rate_P = positives_IP.sum(0) / np.maximum(shown_IP.sum(0), 1)
    expected_I = shown_IP @ rate_P
    return np.asarray(np.log((positives_IP.sum(1) + _PRIOR) / (expected_I + _PRIOR)), np.float32)


def _end(snapshot: Snapshot, split: SplitConfig, part: Part | None) -> int:
    """Time from which on rows of users from whom nothing is hidden do not count."""
    if part is None or split.protocol != "global_time":
        return _NEVER
    validation_from, test_from = snapshot.facts.global_time_cuts
    return test_from if part == "test" else validation_from


def _ends(block: Sequences, part: Part, end: int) -> NDArray[np.int64]:
    """Time from which on the rows of each user of a block do not count, int64 [U]."""
    known = is_known(block.marks, part)
    last_U = np.full(len(block), -_NEVER)
    np.maximum.at(last_U, block.row_of_event[known], block.times[known])
    first_U = np.full(len(block), _NEVER)
    np.minimum.at(first_U, block.row_of_event[~known], block.times[~known])
    return np.where(first_U < _NEVER, np.minimum(last_U + 1, first_U), end)

"""How an item does when it is shown, by itself: positives compared with what its places on the page let expect.

What stands at the top of a page is looked at more often, so a plain click rate says as much of the place as of the
item. Here each row of the log counts as the mean share of positives of its position (the denominator of the
clicks-over-expected-clicks estimate of Zhang and Jones 2007), and the ratio is drawn towards 1 where rows are few.
"""

import numpy as np
from numpy.typing import NDArray

from visrec.config import SplitConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.held_out import Part, known_events
from visrec.ranking.log import read_log

MAX_POSITIONS = 50
"""Places further down count as this one."""
_PRIOR = 5.0


def position_slot(positions: NDArray[np.int32]) -> NDArray[np.int64]:
    """0 where the position is unknown, else 1 + position, at most `MAX_POSITIONS`."""
    return np.clip(positions + 1, 0, MAX_POSITIONS).astype(np.int64)


def fit_appeal(snapshot: Snapshot, split: SplitConfig, part: Part | None) -> NDArray[np.float32] | None:
    """Log of positives over expected positives of each item, float32 [I]; None where the log holds positives only.

    Positives that are held out in this part do not count, nor the rows in which they are.
    """
    shown_IP = np.zeros((snapshot.num_items, MAX_POSITIONS + 1), np.int32)
    positives_IP = np.zeros_like(shown_IP)
    for block in snapshot.sequences(split):
        log = read_log(snapshot, block)
        known = block if part is None else known_events(block, part)
        pairs = known.row_of_event * snapshot.num_items + known.items
        positive = log.weights > 0
        counts = ~positive | np.isin(log.row_of_event * snapshot.num_items + log.items, pairs)
        slots = position_slot(log.positions)
        np.add.at(shown_IP, (log.items[counts], slots[counts]), 1)
        taken = counts & positive
        np.add.at(positives_IP, (log.items[taken], slots[taken]), 1)
    if (positives_IP == shown_IP).all():
        return None
    rate_P = positives_IP.sum(0) / np.maximum(shown_IP.sum(0), 1)
    expected_I = shown_IP @ rate_P
    return np.asarray(np.log((positives_IP.sum(1) + _PRIOR) / (expected_I + _PRIOR)), np.float32)

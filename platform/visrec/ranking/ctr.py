"""Position-debiased item CTR: clicks over expected clicks (COEC; Zhang and Jones 2007).

Items at the top of a page are examined more often, so a plain click rate measures the position as much as the item.
COEC divides an item's positives by those that its positions let expect: each impression counts as the mean click rate
of its position. The ratio is shrunk towards 1 where impressions are few.

Shape suffixes: I items, P positions (slot 0: unknown), U users.
"""

import numpy as np
from numpy.typing import NDArray

from visrec.config import SplitConfig
from visrec.data.held_out import Part, is_known
from visrec.data.interactions import read_interactions
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import cold_item_marks

MAX_POSITIONS = 50
"""Positions further down share the last slot."""
_PRIOR = 5.0
"""Expected clicks added to both sides of the ratio."""
_NEVER = int(np.iinfo(np.int64).max)


def position_slot(positions: NDArray[np.int32]) -> NDArray[np.int64]:
    """0 where the position is unknown, else 1 + position, at most `MAX_POSITIONS`."""
    return np.clip(positions + 1, 0, MAX_POSITIONS).astype(np.int64)


def fit_clicks_over_expected(
    snapshot: Snapshot, split: SplitConfig, part: Part | None
) -> NDArray[np.float32] | None:
    """Log COEC of each item, float32 [I]; None where the log holds positives only, so that no rate is known.

    Rows count up to each user's last known positive and before the first one that is hidden in this part, so that
    neither the held-out events nor the impressions that the ranker is trained on (they come after) leak into the
    feature. Of users without hidden events all rows count, under `global_time` those before the cut in time; under
    `cold_items` no row of a hidden item counts.

    Args:
        snapshot: Whose log is counted.
        split: Split of the checkpoint.
        part: Part whose events are hidden; None counts all rows, as for a release.
    """
    shown_IP = np.zeros((snapshot.num_items, MAX_POSITIONS + 1), np.int32)
    positives_IP = np.zeros_like(shown_IP)
    cut = _time_cut(snapshot, split, part)
    for block in snapshot.sequences(split):
        log = read_interactions(snapshot, block)
        counts = np.ones(len(log.items), np.bool_)
        if part is not None:
            counts = log.times < _end_times(block, part, cut)[log.row_of_event]
            if split.protocol == "cold_items":
                marks = cold_item_marks(log.items, snapshot.num_items, split.cold_seed, split.cold_share)
                counts &= is_known(marks, part)
        slots = position_slot(log.positions)
        np.add.at(shown_IP, (log.items[counts], slots[counts]), 1)
        positive = counts & (log.weights > 0)
        np.add.at(positives_IP, (log.items[positive], slots[positive]), 1)
    if (positives_IP == shown_IP).all():
        return None
    rate_P = positives_IP.sum(0) / np.maximum(shown_IP.sum(0), 1)
    expected_I = shown_IP @ rate_P
    return np.asarray(np.log((positives_IP.sum(1) + _PRIOR) / (expected_I + _PRIOR)), np.float32)


def _time_cut(snapshot: Snapshot, split: SplitConfig, part: Part | None) -> int:
    """Time from which on rows of users without hidden events do not count."""
    if part is None or split.protocol != "global_time":
        return _NEVER
    validation_from, test_from = snapshot.facts.global_time_cuts
    return test_from if part == "test" else validation_from


def _end_times(block: Sequences, part: Part, cut: int) -> NDArray[np.int64]:
    """Time from which on the rows of each user of a block do not count, int64 [U]."""
    known = is_known(block.marks, part)
    last_known_U = np.full(len(block), -_NEVER)
    np.maximum.at(last_known_U, block.row_of_event[known], block.times[known])
    first_hidden_U = np.full(len(block), _NEVER)
    np.minimum.at(first_hidden_U, block.row_of_event[~known], block.times[~known])
    return np.where(first_hidden_U < _NEVER, np.minimum(last_known_U + 1, first_hidden_U), cut)

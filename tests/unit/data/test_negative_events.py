"""Negative events: those of the users of a block, in order of time, and no others."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.snapshots import START_MS, make_snapshot

from visrec.config import EventKind, SplitConfig
from visrec.data.interactions import read_negative_events
from visrec.storage import ArtifactStore

T = START_MS
REJECTIONS: list[tuple[int, int, int, EventKind]] = [
    (0, 4, T + 20, "skip"),
    (0, 3, T + 10, "dislike"),
    (2, 0, T + 5, "hide"),
    (2, 1, T + 5, "view"),  # weight 0.2: no rejection
]


@pytest.mark.parametrize("block_users", [1, 2, 100])
def test_blocks_hold_the_rejections_of_their_users(tmp_path: Path, block_users: int) -> None:
    snapshot = make_snapshot(
        ArtifactStore(str(tmp_path)), [[0, 1, 2], [4], [3, 2]], num_items=5, rejections=REJECTIONS
    )
    found: list[list[tuple[int, int, float]]] = []
    for block in snapshot.sequences(SplitConfig(), block_users=block_users):
        events = read_negative_events(snapshot, block)
        assert len(events.offsets) == len(block) + 1
        for a, b in zip(events.offsets[:-1], events.offsets[1:], strict=True):
            columns = (events.items[a:b], events.times[a:b] - T, events.strengths[a:b])
            found.append(list(zip(*(c.tolist() for c in columns), strict=True)))
    assert found == [[(3, 10, 1.0), (4, 20, 0.5)], [], [(0, 5, 1.0)]]


def test_some_users_of_a_block(tmp_path: Path) -> None:
    snapshot = make_snapshot(
        ArtifactStore(str(tmp_path)), [[0, 1, 2], [4], [3, 2]], num_items=5, rejections=REJECTIONS
    )
    (block,) = snapshot.sequences(SplitConfig())
    assert read_negative_events(snapshot, block.take(np.array([1, 2]))).items.tolist() == [0]
    none = read_negative_events(snapshot, block.take(np.array([], np.int64)))
    assert (none.offsets.tolist(), none.items.tolist()) == ([0], [])

"""Events of blocks: read as they were written, and cut to the last of each user."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.support.snapshots import START_MS, make_snapshot

from visrec.config import EVENT_KINDS, EventKind, SplitConfig
from visrec.data.interactions import NO_POSITION, InteractionBlock, read_interactions
from visrec.storage import ArtifactStore


def test_events_are_in_order_and_have_no_position_where_the_log_has_none(tmp_path: Path) -> None:
    further: list[tuple[int, int, int, EventKind]] = [(1, 0, START_MS + 5, "hide"), (0, 4, START_MS, "skip")]
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[2, 1], [3]], num_items=5, rejections=further)
    (block,) = snapshot.sequences(SplitConfig())
    events = read_interactions(snapshot, block)
    assert events.offsets.tolist() == [0, 3, 5]
    assert events.items.tolist() == [2, 4, 1, 3, 0]  # of one time: as the snapshot has them
    assert [EVENT_KINDS[kind] for kind in events.kinds] == ["click", "skip", "click", "click", "hide"]
    assert events.weights.tolist() == [1.0, -0.5, 1.0, 1.0, -1.0]
    assert events.positions.tolist() == [NO_POSITION] * 5
    assert events.items[events.of_user(1)].tolist() == [3, 0]
    assert read_interactions(snapshot, block, positives=False).items.tolist() == [4, 0]
    some = read_interactions(snapshot, block.take(np.array([1])))
    assert (some.offsets.tolist(), some.items.tolist()) == ([0, 2], [3, 0])
    none = read_interactions(snapshot, block.take(np.array([], np.int64)))
    assert (none.offsets.tolist(), none.items.tolist()) == ([0], [])


def test_the_last_negatives_and_impressions_are_kept_by_themselves() -> None:
    """Three users: many impressions after two negatives, nothing, one negative among positives."""
    weights = np.array([-1, -1, 0, 0, 0, 1, -1, 1], np.float32)
    places = np.arange(len(weights))
    block = InteractionBlock(
        offsets=np.array([0, 5, 5, 8]),
        items=places.astype(np.int32),
        kinds=np.zeros(8, np.int8),
        weights=weights,
        times=places.astype(np.int64),
        positions=np.full(8, NO_POSITION, np.int32),
    )
    one, two = block.last_reactions(1), block.last_reactions(2)
    assert (one.items.tolist(), one.offsets.tolist()) == ([1, 4, 6], [0, 2, 2, 3])
    assert (two.items.tolist(), two.offsets.tolist()) == ([0, 1, 3, 4, 6], [0, 4, 4, 5])
    assert two.weights.tolist() == [-1, -1, 0, 0, -1]


def test_events_of_one_time_keep_the_order_of_the_snapshot(tmp_path: Path) -> None:
    times = [[START_MS, START_MS, START_MS, START_MS + 1]]
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2, 3]], num_items=4, times=times)
    path = next((Path(str(snapshot.location)) / "interactions.parquet").iterdir())
    pq.write_table(pq.read_table(path).take(pa.array([2, 0, 1, 3])), path)
    (block,) = snapshot.sequences(SplitConfig())
    assert read_interactions(snapshot, block).items.tolist() == [2, 0, 1, 3]

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.snapshots import START_MS, make_snapshot, sequences_of

from visrec.config import SplitConfig
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TEST, TRAIN, VALIDATION, cold_items
from visrec.storage import ArtifactStore

HISTORIES = [[0, 1, 2, 3], [4], [3, 0], [1, 4, 0]]


def _lists(block: Sequences) -> list[list[int]]:
    return [block.items[a:b].tolist() for a, b in zip(block.offsets[:-1], block.offsets[1:], strict=True)]


@pytest.mark.parametrize("block_users", [1, 3, 100])
@pytest.mark.parametrize("users_per_part", [2, 100])
def test_blocks_hold_every_user_in_order(tmp_path: Path, block_users: int, users_per_part: int) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = make_snapshot(workspace, HISTORIES, num_items=5, users_per_part=users_per_part)
    blocks = list(snapshot.sequences(SplitConfig(), block_users=block_users))
    assert [h for block in blocks for h in _lists(block)] == HISTORIES
    assert np.concatenate([b.user_index for b in blocks]).tolist() == [0, 1, 2, 3]
    marks = [m for block in blocks for m in block.marks.tolist()]
    assert marks == [TRAIN, TRAIN, VALIDATION, TEST, TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION, TEST]
    ids = [user for part in snapshot.user_ids() for user in part.to_pylist()]
    assert ids == ["u00000", "u00001", "u00002", "u00003"]


def test_cold_item_marks_follow_the_seed(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), HISTORIES, num_items=5)
    split = SplitConfig(protocol="cold_items", cold_seed=1, cold_share=0.2)
    (block,) = snapshot.sequences(split)
    test, validation = cold_items(5, 1, 0.2)
    assert set(block.items[block.marks == TEST]) <= set(test)
    assert set(block.items[block.marks == VALIDATION]) <= set(validation)
    assert (block.marks > 0).sum() == np.isin(block.items, [*test, *validation]).sum() > 0


def test_facts_and_catalogue(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), HISTORIES, num_items=5)
    assert (snapshot.num_users, snapshot.num_items) == (4, 5)
    assert snapshot.items.column("num_positives").to_pylist() == [3, 2, 1, 2, 2]
    assert snapshot.image_rows.tolist() == [0, 1, 2, 3, 4]
    assert (snapshot.image_facts.height, snapshot.image_facts.width) == (8, 8)


def test_pictures_of_items(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    images = np.zeros((5, 8, 8, 3), np.uint8)
    further = [[3, 4], [], []]
    snapshot = make_snapshot(
        workspace, [[0, 1, 2]], num_items=3, images=images, further_pictures=further, name="several"
    )
    assert snapshot.picture_rows.gather(np.array([1, 0]))[1].tolist() == [1, 0, 3, 4]
    assert make_snapshot(workspace, [[0, 1]], num_items=2).picture_rows.one_at_most
    path = str(snapshot.artifact.location / "items.parquet")
    pq.write_table(snapshot.items.drop_columns("more_image_rows"), path)  # as before items could have several
    old = Snapshot(snapshot.artifact).picture_rows
    assert (old.main_I.tolist(), old.one_at_most) == ([0, 1, 2], True)


@given(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=6), st.data())
def test_where_and_take_agree_with_lists(histories: list[list[int]], data: st.DataObject) -> None:
    block = sequences_of(histories)
    kept = block.where(block.items % 2 == 0)
    assert _lists(kept) == [[i for i in h if i % 2 == 0] for h in histories]
    assert kept.row_of_event.tolist() == [u for u, h in enumerate(histories) for i in h if i % 2 == 0]
    rows = data.draw(st.lists(st.integers(0, len(histories) - 1), max_size=8)) if histories else []
    assert _lists(block.take(np.array(rows, np.int64))) == [histories[r] for r in rows]


def test_an_empty_part_of_a_cut_in_time_names_its_cause(tmp_path: Path) -> None:
    times = [[START_MS] * 3]
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2]], num_items=3, times=times)
    note = snapshot.empty_part_note(SplitConfig(protocol="global_time"))
    assert note.startswith(": validation and test both begin at 2023-11-14T22:13:20Z: ")
    assert "training.split.protocol: leave_one_out" in note
    assert snapshot.empty_part_note(SplitConfig()) == ""
    apart = make_snapshot(ArtifactStore(str(tmp_path)), [list(range(20))], num_items=20, name="apart")
    note = apart.empty_part_note(SplitConfig(protocol="global_time"))
    assert note.startswith(": validation begins at 2023-11-1")

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.support.snapshots import checkerboard_snapshot, sequences_of

from visrec.config import SplitConfig
from visrec.data.held_out import KnownEvents, Part, hold_out, ranked_items
from visrec.data.splits import TEST, TRAIN, VALIDATION, cold_items
from visrec.storage import ArtifactStore

HISTORIES = [[4, 5, 6, 7], [1, 2], [3, 8], [9]]
MARKS = [[TRAIN, TRAIN, VALIDATION, TEST], [TRAIN, TEST], [TRAIN, VALIDATION], [TEST]]


def test_test_part_knows_train_and_validation() -> None:
    held_out = hold_out(sequences_of(HISTORIES, MARKS), "test")
    assert held_out.histories.user_index.tolist() == held_out.targets.user_index.tolist() == [0, 1]
    assert held_out.histories.items.tolist() == [4, 5, 6, 1]
    assert held_out.targets.items.tolist() == [7, 2]


def test_validation_part_knows_train_only() -> None:
    held_out = hold_out(sequences_of(HISTORIES, MARKS), "validation")
    assert held_out.histories.user_index.tolist() == [0, 2]
    assert held_out.histories.items.tolist() == [4, 5, 3]
    assert held_out.targets.items.tolist() == [6, 8]


def test_time_is_that_of_the_first_held_out_event() -> None:
    block = sequences_of([[0, 1, 2, 3]], [[TRAIN, TEST, TEST, TEST]])
    assert hold_out(block, "test").times.tolist() == [block.times[1]]


def test_only_cold_items_are_ranked_under_their_protocol() -> None:
    split = SplitConfig(protocol="cold_items", cold_seed=3, cold_share=0.2)
    test, validation = cold_items(30, 3, 0.2)
    expected_of: dict[Part, NDArray[np.int32]] = {"test": test, "validation": validation}
    for part, expected in expected_of.items():
        found = ranked_items(split, 30, part)
        assert found is not None and np.array_equal(found, expected)
    assert ranked_items(SplitConfig(), 30, "test") is None


def test_known_events_can_be_iterated_again(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=5, num_items=12)
    known = KnownEvents(artifact=snapshot.artifact, split=SplitConfig(), part="validation", block_users=2)
    first, second = list(known), list(known)
    assert [len(block) for block in first] == [2, 2, 1]
    assert sum(len(block.items) for block in first) == 5 * 4  # six of each user's group, two of them held out
    assert np.array_equal(first[0].items, second[0].items)


def test_a_release_knows_all_events(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=5, num_items=12)
    known = KnownEvents(artifact=snapshot.artifact, split=SplitConfig(), part=None, block_users=2)
    assert sum(len(block.items) for block in known) == 5 * 6

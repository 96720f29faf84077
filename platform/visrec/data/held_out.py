"""Train, validation and test views of blocks: known events, held-out events, and the items that are ranked.

part         known (fitted on, history)   held out (ranked)
validation   train                        validation
test         train and validation         test
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from visrec.config import SplitConfig
from visrec.data.schemas import USERS_PER_ROW_GROUP
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TEST, TRAIN, VALIDATION, cold_items
from visrec.storage import Artifact

Part = Literal["test", "validation"]

_KNOWN_MARKS = {"validation": (TRAIN,), "test": (TRAIN, VALIDATION)}
_HELD_OUT_MARK = {"validation": VALIDATION, "test": TEST}


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """Histories and held-out events of users who have both; row k of either is the same user.

    Attributes:
        histories: Known events, the input of a scorer; rankings leave their items out.
        targets: Held-out events, one or more a user.
    """

    histories: Sequences
    targets: Sequences

    def __len__(self) -> int:
        return len(self.histories)

    @property
    def times(self) -> NDArray[np.int64]:
        """Time of each user's first held-out event in milliseconds: int64 [U]."""
        return self.targets.times[self.targets.offsets[:-1]]


def hold_out(block: Sequences, part: Part) -> HeldOut:
    """Split a block into histories and held-out events; users that lack either are left out."""
    histories = known_events(block, part)
    targets = block.where(block.marks == _HELD_OUT_MARK[part])
    rows = np.flatnonzero((np.diff(histories.offsets) > 0) & (np.diff(targets.offsets) > 0))
    return HeldOut(histories=histories.take(rows), targets=targets.take(rows))


def known_events(block: Sequences, part: Part) -> Sequences:
    """Events before the part: all that a scorer may be fitted on or condition on."""
    return block.where(is_known(block.marks, part))


def is_known(marks: NDArray[np.int8], part: Part) -> NDArray[np.bool_]:
    """Whether each event, by its split mark, comes before the part: bool [N]."""
    return np.isin(marks, _KNOWN_MARKS[part])


def ranked_items(split: SplitConfig, num_items: int, part: Part) -> NDArray[np.int32] | None:
    """Item indices that are ranked: under `cold_items` the part's cold items among themselves, else None for all."""
    if split.protocol != "cold_items":
        return None
    test, validation = cold_items(num_items, split.cold_seed, split.cold_share)
    return test if part == "test" else validation


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownEvents:
    """Events that a scorer may be fitted on, in blocks of users; can be iterated several times.

    Cheap to send to another process: it holds the snapshot's address, not its data.

    Attributes:
        artifact: The snapshot.
        split: How sequences are split.
        part: The part that is held out; None for all events, as in a release.
        block_users: Users of a block, about.

    Example:
        >>> for block in KnownEvents(artifact=snapshot.artifact, split=split, part="test"):   # doctest: +SKIP
        ...     counts += np.bincount(block.items, minlength=snapshot.num_items)
    """

    artifact: Artifact
    split: SplitConfig
    part: Part | None
    block_users: int = USERS_PER_ROW_GROUP

    def __iter__(self) -> Iterator[Sequences]:
        for block in Snapshot(self.artifact).sequences(self.split, block_users=self.block_users):
            yield block if self.part is None else known_events(block, self.part)

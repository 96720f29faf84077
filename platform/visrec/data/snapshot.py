"""Reading a snapshot: catalogue, sequences in blocks of users, pictures. `visrec.data.schemas` describes its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.arrays import Ragged
from visrec.config import SplitConfig
from visrec.config.times import format_milliseconds
from visrec.data.facts import SnapshotFacts
from visrec.data.images import ImageFacts, ImageStore, PictureRows, ThumbnailStore
from visrec.data.schemas import USERS_PER_ROW_GROUP
from visrec.data.splits import cold_item_marks
from visrec.storage import TypedArtifact


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequences:
    """Positive events of a block of users, ragged: user k's events are `items[offsets[k]:offsets[k + 1]]` and so on.

    Attributes:
        user_index: int32 [U].
        offsets: int64 [U + 1].
        items: Item indices, int32 [N].
        kinds: Codes of event kinds, int8 [N].
        times: Milliseconds, int64 [N].
        weights: float32 [N].
        marks: Split marks (train, validation, test), int8 [N].
    """

    user_index: NDArray[np.int32]
    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    kinds: NDArray[np.int8]
    times: NDArray[np.int64]
    weights: NDArray[np.float32]
    marks: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.user_index)

    @property
    def row_of_event(self) -> NDArray[np.int64]:
        """For each event the row (0 to U - 1) of its user."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def where(self, keep: NDArray[np.bool_]) -> "Sequences":
        """The same users with only the events where `keep` [N] is true."""
        counts = (
            np.add.reduceat(np.r_[keep, False].astype(np.int64), self.offsets[:-1])
            if len(self)
            else np.zeros(0, np.int64)
        )
        counts[np.diff(self.offsets) == 0] = 0  # reduceat gives the next element for an empty slice
        return Sequences(
            user_index=self.user_index,
            offsets=np.r_[0, np.cumsum(counts)],
            items=self.items[keep],
            kinds=self.kinds[keep],
            times=self.times[keep],
            weights=self.weights[keep],
            marks=self.marks[keep],
        )

    def take(self, rows: NDArray[np.integer[Any]]) -> "Sequences":
        """Some users, in the order of `rows`."""
        _, events = Ragged(offsets=self.offsets, values=self.items).gather(rows)
        return Sequences(
            user_index=self.user_index[rows],
            offsets=np.r_[0, np.cumsum(np.diff(self.offsets)[rows])],
            items=self.items[events],
            kinds=self.kinds[events],
            times=self.times[events],
            weights=self.weights[events],
            marks=self.marks[events],
        )


class Snapshot(TypedArtifact):
    """A finished snapshot, read where it is; catalogue and picture rows are loaded when first used.

    Example:
        >>> snapshot = Snapshot(ArtifactStore("workspace").find("snapshots"))                # doctest: +SKIP
        >>> for block in snapshot.sequences(SplitConfig()):                              # doctest: +SKIP
        ...     history = block.where(block.marks == TRAIN)
    """

    kind = "snapshots"

    def __repr__(self) -> str:
        return (
            f"Snapshot({self.name!r}: {self.num_users:,} users, {self.num_items:,} items, "
            f"{self.artifact.manifest.counts['num_images']:,.0f} pictures, {self.location})"
        )

    @property
    def num_users(self) -> int:
        """Users that have a sequence."""
        return int(self.artifact.manifest.counts["num_users"])

    @property
    def num_items(self) -> int:
        """Items of the catalogue."""
        return int(self.artifact.manifest.counts["num_items"])

    @property
    def num_images(self) -> int:
        """Rows of the image store."""
        return int(self.artifact.manifest.counts["num_images"])

    @cached_property
    def facts(self) -> SnapshotFacts:
        """Facts of the manifest.

        Raises:
            ArtifactError: A fact is missing or damaged.
        """
        return SnapshotFacts.from_json(self.artifact.manifest.facts, source=f"snapshot {self.name}")

    @cached_property
    def items(self) -> Any:
        """The catalogue as a pyarrow table, row number = item index."""
        location = self.artifact.location / "items.parquet"
        return pq.read_table(location.path, filesystem=location.filesystem)

    @cached_property
    def image_rows(self) -> NDArray[np.int32]:
        """Row of each item's main picture in the image store, -1 where it has no picture: int32 [I]."""
        return np.asarray(self.items.column("image_row").to_numpy(), np.int32)

    @cached_property
    def picture_rows(self) -> PictureRows:
        """Rows of all pictures of each item."""
        if "more_image_rows" not in self.items.column_names:  # written before items could have several
            return PictureRows.one_each(self.image_rows)
        lists = self.items.column("more_image_rows").combine_chunks()
        lengths = np.asarray(pc.list_value_length(lists), np.int64)
        further = np.asarray(lists.flatten().to_numpy(), np.int32)
        return PictureRows(
            main_I=self.image_rows, more=Ragged(offsets=np.r_[0, np.cumsum(lengths)], values=further)
        )

    @property
    def image_facts(self) -> ImageFacts:
        """Size and statistics of the stored pictures."""
        return self.facts.images

    @cached_property
    def images(self) -> ImageStore:
        """The decoded pictures."""
        return ImageStore(self.artifact, num_images=self.num_images)

    @cached_property
    def thumbnails(self) -> ThumbnailStore:
        """JPEG files of the pictures, by image row."""
        return ThumbnailStore(self.artifact)

    def sequences(self, split: SplitConfig, *, block_users: int = USERS_PER_ROW_GROUP) -> Iterator[Sequences]:
        """All sequences in blocks of about `block_users` users, in order of user index, with the split's marks."""
        stored = split.protocol != "cold_items"
        columns = ["user_index", "items", "kinds", "times", "weights", *([split.protocol] if stored else [])]
        for batch in self._sequence_files.to_batches(columns=columns, batch_size=block_users):
            if batch.num_rows:
                yield self._ragged(batch, split)

    def empty_part_note(self, split: SplitConfig) -> str:
        """The cause of an empty part under `global_time`, as the end of an error message; else empty."""
        if split.protocol != "global_time":
            return ""
        validation, test = (format_milliseconds(cut) for cut in self.facts.global_time_cuts)
        where = (
            f"validation and test both begin at {test}: too many positives have this time, or there are too few in all"
            if validation == test
            else f"validation begins at {validation} and test at {test}"
        )
        return (
            f": {where}; a cut in time cannot divide events of one time: use training.split.protocol: leave_one_out, "
            "or other shares (ingest.validation_share, ingest.test_share)"
        )

    def user_ids(self) -> Iterator[Any]:
        """User ids as pyarrow string arrays, in blocks, in order of user index."""
        for batch in self._sequence_files.to_batches(columns=["user_id"]):
            yield batch.column("user_id")

    @property
    def _sequence_files(self) -> Any:
        folder = self.artifact.location / "sequences.parquet"
        files = [f.path for f in folder.files() if f.path.endswith(".parquet")]
        return pads.dataset(files, filesystem=folder.filesystem, format="parquet")

    def _ragged(self, batch: Any, split: SplitConfig) -> Sequences:
        lists = {name: batch.column(name) for name in ("items", "kinds", "times", "weights")}
        lengths = np.asarray(pc.list_value_length(lists["items"]), np.int64)
        flat = {name: np.asarray(values.flatten()) for name, values in lists.items()}
        items = flat["items"].astype(np.int32, copy=False)
        if split.protocol == "cold_items":
            marks = cold_item_marks(items, self.num_items, split.cold_seed, split.cold_share)
        else:
            marks = np.asarray(batch.column(split.protocol).flatten(), np.int8)
        return Sequences(
            user_index=np.asarray(batch.column("user_index"), np.int32),
            offsets=np.r_[0, np.cumsum(lengths)],
            items=items,
            kinds=flat["kinds"].astype(np.int8, copy=False),
            times=flat["times"].astype(np.int64, copy=False),
            weights=flat["weights"].astype(np.float32, copy=False),
            marks=marks,
        )

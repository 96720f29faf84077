"""Checkpoint: the artifact of a training, with typed access to its model, item vectors and epochs."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import ITEM_VECTORS
from visrec.config import ModelConfig, SplitConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError
from visrec.models.blend import load_recommender
from visrec.models.blend_facts import SELECTION, BlendFacts
from visrec.models.epochs import EpochRecord, read_epochs
from visrec.models.recommender import Recommender
from visrec.storage import Artifact, ArtifactStore, TypedArtifact


class Checkpoint(TypedArtifact):
    """The artifact that `visrec train` writes.

    Example:
        >>> checkpoint = Checkpoint(workspace.find("checkpoints"))              # doctest: +SKIP
        >>> checkpoint.split.protocol, checkpoint.epochs[-1].epoch              # doctest: +SKIP
        ('leave_one_out', 15)
    """

    kind = "checkpoints"

    def __reduce__(self) -> tuple[type["Checkpoint"], tuple[Artifact]]:
        # Without the cached values: a task in another process reads what it needs.
        return Checkpoint, (self.artifact,)

    def __repr__(self) -> str:
        counts = self.artifact.manifest.counts
        return (
            f"Checkpoint({self.name!r}: {counts['num_epochs']:.0f} epochs on snapshot {self.snapshot_name}, "
            f"{counts['num_items']:,.0f} items, {self.location})"
        )

    @property
    def snapshot_name(self) -> str:
        """Name of the snapshot that the model was trained on."""
        return self.artifact.manifest.parents["snapshots"]

    def snapshot(self, workspace: ArtifactStore) -> Snapshot:
        """The snapshot that the model was trained on.

        Raises:
            ArtifactError: The workspace no longer has it.
        """
        return Snapshot(workspace.find("snapshots", self.snapshot_name))

    @cached_property
    def config(self) -> TrainWorkloadConfig:
        """All settings that it was trained with."""
        return self.artifact.config(TrainWorkloadConfig)

    @cached_property
    def split(self) -> SplitConfig:
        """The split that it was trained on."""
        return self.artifact.config(SplitConfig, "training", "split")

    @cached_property
    def model(self) -> ModelConfig:
        """Config of the towers."""
        return self.artifact.config(ModelConfig, "model")

    @cached_property
    def epochs(self) -> list[EpochRecord]:
        """One record an epoch, in the order in which they ran.

        Raises:
            ArtifactError: The file is missing or damaged.
        """
        return read_epochs(self.location)

    @cached_property
    def item_vectors(self) -> NDArray[np.float32]:
        """Vectors of all items of the snapshot, float32 [I, D], memory-mapped and read-only.

        Raises:
            ArtifactError: The file is missing or damaged.
        """
        return self._vectors(ITEM_VECTORS)

    def recommender(self) -> Recommender:
        """The trained model.

        Raises:
            ArtifactError: A file of the model is missing or damaged.
        """
        return self._recommender

    @cached_property
    def _recommender(self) -> Recommender:
        return load_recommender(self.location)

    @property
    def is_refitted(self) -> bool:
        """Whether the model is fitted on the validation events too, after it was chosen by them."""
        return (self.location / SELECTION).exists()

    @cached_property
    def blend(self) -> BlendFacts | None:
        """What the members of a blend give on the validation users; None for a model of `recipe: phases`."""
        return BlendFacts.read(self.location)

    def before_refit(self) -> tuple[Recommender, NDArray[np.float32]]:
        """The model that has not seen the validation events, and its item vectors.

        Raises:
            ArtifactError: A file is missing or damaged.
        """
        if not self.is_refitted:
            return self.recommender(), self.item_vectors
        return load_recommender(self.location / SELECTION), self._vectors(f"{SELECTION}/{ITEM_VECTORS}")

    def _vectors(self, file: str) -> NDArray[np.float32]:
        place = self.location / file
        try:
            vectors_ID = np.load(self.artifact.local_path(file), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ArtifactError(f"expected item vectors at {place}: {error}") from None
        if vectors_ID.ndim != 2 or not np.issubdtype(vectors_ID.dtype, np.floating):
            raise ArtifactError(
                f"expected floats [items, dim] in {place}, got {vectors_ID.dtype} {list(vectors_ID.shape)}"
            )
        return np.asarray(vectors_ID, np.float32)

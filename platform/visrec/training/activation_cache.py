"""Cache of frozen-backbone activations: the artifact `activations`, computed once for all pictures of a snapshot.

Row r of the image store is row `r % ROWS_PER_PART` of file `part-{r // ROWS_PER_PART}.npy`, float32. The artifact's
name is a hash of the pictures, the blocks' weights and the normalisation, so that runs share it.

Shape legend: N pictures of a batch, P some pictures, H x W pixels, C channels.
"""

import hashlib
import io
import secrets
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from visrec.config import TrainWorkloadConfig
from visrec.data.images import PictureRows
from visrec.data.parts import ROWS_PER_PART, PartedRows, part_name
from visrec.data.snapshot import Snapshot
from visrec.models import ItemTower
from visrec.storage import Artifact, ArtifactStore, Location, content_id
from visrec.training.environment import TrainEnvironment
from visrec.training.messages import CachingStarted

VERSION = 2
"""Part of the artifact's name; raised when the same blocks would give other activations."""
_BATCH = 8
"""Pictures that are encoded at a time."""


@dataclass(frozen=True, kw_only=True)
class FrozenPrefix:
    """The frozen lowest blocks of a backbone, and the pictures whose activations they give.

    Attributes:
        tower: Item tower.
        num_blocks: Number of frozen blocks.
        snapshot: The pictures.

    Example:
        >>> prefix = FrozenPrefix(tower=model.item_tower, num_blocks=17, snapshot=snapshot)   # doctest: +SKIP
        >>> workspace.has("activations", prefix.name)                                         # doctest: +SKIP
        False
    """

    tower: ItemTower
    num_blocks: int
    snapshot: Snapshot

    @cached_property
    def name(self) -> str:
        """Name of the artifact: a hash of everything that the activations depend on."""
        digest = hashlib.sha256()
        for module in self._modules:
            for name, tensor in module.state_dict().items():
                digest.update(name.encode())
                digest.update(tensor.cpu().contiguous().numpy().tobytes())
        normalisation = [self.tower.mean.tolist(), self.tower.std.tolist()]
        shape = list(self._probe.shape)  # a pooling has no weights, but changes it
        return content_id(
            VERSION, self.snapshot.name, self.num_blocks, shape, normalisation, digest.hexdigest()
        )

    @property
    def num_parts(self) -> int:
        """Number of files."""
        return -(-len(self.snapshot.images) // ROWS_PER_PART)

    @cached_property
    def num_bytes(self) -> int:
        """Size of all activations in bytes."""
        return int(self._probe.nbytes) * len(self.snapshot.images)

    @cached_property
    def _probe(self) -> NDArray[np.float32]:
        return self.encode(np.zeros((1, *self._size, 3), np.uint8))

    @torch.no_grad()
    def encode(self, images_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Activations of pictures, float32 [N, ...]; sets the frozen blocks to eval mode."""
        for module in self._modules:
            module.eval()
        pictures = torch.from_numpy(images_NHWC).to(self.tower.mean.device)
        activations: NDArray[np.float32] = self.tower.activations(pictures, self.num_blocks).cpu().numpy()
        return activations

    def compute_part(self, folder: Location, part: int) -> None:
        """Compute and write one file of the artifact."""
        first = part * ROWS_PER_PART
        rows = np.arange(first, min(first + ROWS_PER_PART, len(self.snapshot.images)))
        blocks = [
            self.encode(self.snapshot.images.read(rows[at : at + _BATCH]))
            for at in range(0, len(rows), _BATCH)
        ]
        stream = io.BytesIO()
        np.save(stream, np.ascontiguousarray(np.concatenate(blocks)), allow_pickle=False)
        (folder / part_name(part, "npy")).write_bytes(stream.getvalue())

    @property
    def _modules(self) -> list[nn.Module]:
        """The modules that run: of a network that is no chain all of it, with what belongs to no block."""
        backbone = self.tower.backbone
        assert backbone is not None
        return backbone.blocks()[: self.num_blocks] if backbone.is_chain else [backbone]

    @property
    def _size(self) -> tuple[int, int]:
        return self.snapshot.image_facts.height, self.snapshot.image_facts.width


@dataclass(frozen=True, kw_only=True, slots=True)
class Activations:
    """Cached activations by row of the image store, memory-mapped; an `ItemInputs`.

    Attributes:
        rows: Rows of each item; none is -1.
        start: Number of blocks that have run: the first block that is still to run.
        values: Activations of each row of the image store.
    """

    rows: PictureRows
    start: int
    values: PartedRows

    def read(self, rows_P: NDArray[np.int32]) -> NDArray[np.float32]:
        """Copies of the activations of some rows, in their order: float32 [P, ...]."""
        return self.values.read(rows_P)


def _open_part(artifact: Artifact, part: int) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.load(
        artifact.local_path(part_name(part, "npy")), mmap_mode="r", allow_pickle=False
    )
    return values


def find_or_compute(
    prefix: FrozenPrefix, job: TrainWorkloadConfig, environment: TrainEnvironment
) -> Activations:
    """Activations of all pictures, found in the workspace or computed now, each worker computing its share of files."""
    workspace = ArtifactStore(job.workspace)
    is_cached, token = _broadcast(
        environment, int(workspace.has("activations", prefix.name)), secrets.randbits(32)
    )
    if not is_cached:
        environment.progress(CachingStarted(num_blocks=prefix.num_blocks))
        parents = {"snapshots": prefix.snapshot.name}
        writer = workspace.create(
            "activations", prefix.name, config=job, parents=parents, token=f"{token:08x}"
        )
        writer.staging.make_dirs()
        for part in range(environment.rank, prefix.num_parts, environment.world_size):
            prefix.compute_part(writer.staging, part)
        _barrier(environment)
        if environment.rank == 0:
            with writer:
                writer.counts["num_pictures"] = len(prefix.snapshot.images)
                writer.facts["num_blocks"] = prefix.num_blocks
        _barrier(environment)
    artifact = workspace.find("activations", prefix.name)
    num_rows = len(prefix.snapshot.images)
    values = PartedRows(partial(_open_part, artifact), num_rows=num_rows, name="image rows")
    return Activations(rows=prefix.snapshot.picture_rows, start=prefix.num_blocks, values=values)


def _broadcast(environment: TrainEnvironment, *values: int) -> list[int]:
    """The first worker's values, on all workers."""
    addend = np.array(values if environment.rank == 0 else [0] * len(values), np.int64)
    return [int(value) for value in environment.sum(addend)]


def _barrier(environment: TrainEnvironment) -> None:
    environment.sum(np.zeros(1))

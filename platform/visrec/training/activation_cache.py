"""What frozen blocks make of each picture, computed once and kept: the artifact `activations`.

Row r of the image store is place `r % ROWS_PER_PART` of file `part-{r // ROWS_PER_PART}.npy`, float32. The artifact's
name is made of the pictures, the blocks' weights and the normalisation, so a run finds what another run computed.

Shape legend: N pictures of a batch, P some pictures.
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
from visrec.storage import Artifact, Location, Workspace, content_id
from visrec.training.environment import TrainEnvironment

VERSION = 2
_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class FrozenPrefix:
    """The frozen blocks, over the pictures of a snapshot.

    Attributes:
        tower: Item tower, in evaluation mode as far as these blocks go.
        num_blocks: How many of its backbone's lowest blocks.
        snapshot: Where the pictures are.
    """

    tower: ItemTower
    num_blocks: int
    snapshot: Snapshot

    @cached_property
    def name(self) -> str:
        """Content id of everything that the activations depend on."""
        digest = hashlib.sha256()
        for module in self._modules:
            for name, tensor in module.state_dict().items():
                digest.update(name.encode())
                digest.update(tensor.cpu().contiguous().numpy().tobytes())
        normalisation = [self.tower.mean.tolist(), self.tower.std.tolist()]
        shape = list(self._probe.shape)  # pools have no weights
        return content_id(
            VERSION, self.snapshot.name, self.num_blocks, shape, normalisation, digest.hexdigest()
        )

    @property
    def num_parts(self) -> int:
        """Files."""
        return -(-len(self.snapshot.images) // ROWS_PER_PART)

    @cached_property
    def num_bytes(self) -> int:
        """Size of all activations."""
        return int(self._probe.nbytes) * len(self.snapshot.images)

    @cached_property
    def _probe(self) -> NDArray[np.float32]:
        return self.encode(np.zeros((1, *self._size, 3), np.uint8))

    @torch.no_grad()
    def encode(self, images_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Activations of pictures."""
        for module in self._modules:
            module.eval()
        pictures = torch.from_numpy(images_NHWC).to(self.tower.mean.device)
        found: NDArray[np.float32] = self.tower.activations(pictures, self.num_blocks).cpu().numpy()
        return found

    def decode_and_store(self, folder: Location, part: int) -> None:
        """Compute one file."""
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
        """What runs: of a network that is no chain the whole, with what belongs to no block."""
        backbone = self.tower.backbone
        assert backbone is not None
        return backbone.blocks()[: self.num_blocks] if backbone.is_chain else [backbone]

    @property
    def _size(self) -> tuple[int, int]:
        return self.snapshot.image_facts.height, self.snapshot.image_facts.width


@dataclass(frozen=True, kw_only=True, slots=True)
class Activations:
    """Kept activations by row of the image store, memory-mapped; see `ItemInputs`.

    Attributes:
        rows: Rows of each item; none is -1.
        start: How many blocks they stand for.
        values: The activations of each row of the image store.
    """

    rows: PictureRows
    start: int
    values: PartedRows

    def read(self, rows_P: NDArray[np.int32]) -> NDArray[np.float32]:
        """Copies of the activations of some pictures, in their order: float32 [P, ...]."""
        return self.values.read(rows_P)


def _open_part(artifact: Artifact, part: int) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.load(
        artifact.local_path(part_name(part, "npy")), mmap_mode="r", allow_pickle=False
    )
    return values


def find_or_compute(
    prefix: FrozenPrefix, job: TrainWorkloadConfig, environment: TrainEnvironment
) -> Activations:
    """Activations of all pictures; where they are not there yet, each worker computes its share of the files."""
    workspace = Workspace(job.workspace)
    known, token = _agree(environment, int(workspace.has("activations", prefix.name)), secrets.randbits(32))
    if not known:
        environment.progress({"caching": prefix.num_blocks})
        parents = {"snapshots": prefix.snapshot.name}
        writer = workspace.create(
            "activations", prefix.name, config=job, parents=parents, token=f"{token:08x}"
        )
        writer.staging.make_dirs()
        for part in range(environment.rank, prefix.num_parts, environment.world_size):
            prefix.decode_and_store(writer.staging, part)
        _wait(environment)
        if environment.rank == 0:
            with writer:
                writer.counts["num_pictures"] = len(prefix.snapshot.images)
                writer.facts["num_blocks"] = prefix.num_blocks
        _wait(environment)
    artifact = workspace.find("activations", prefix.name)
    num_rows = len(prefix.snapshot.images)
    values = PartedRows(partial(_open_part, artifact), num_rows=num_rows, name="image rows")
    return Activations(rows=prefix.snapshot.picture_rows, start=prefix.num_blocks, values=values)


def _agree(environment: TrainEnvironment, *values: int) -> list[int]:
    """The first worker's values, on all workers."""
    mine = np.array(values if environment.rank == 0 else [0] * len(values), np.int64)
    return [int(value) for value in environment.sum(mine)]


def _wait(environment: TrainEnvironment) -> None:
    environment.sum(np.zeros(1))

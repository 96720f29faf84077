"""Rows of equal shape in files of `ROWS_PER_PART` rows each: random access without loading the files.

Row r lies in part `r // ROWS_PER_PART` at place `r % ROWS_PER_PART`; every part but the last is full.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.errors import ArtifactError
from visrec.storage import Artifact, Location

ROWS_PER_PART = 512


class PartedRows:
    """Random access to rows in parts; a part is opened when one of its rows is first read.

    Args:
        open_part: From the number of a part to its rows [R, ...], memory-mapped where they are large.
        num_rows: Rows of all parts.
        name: What the rows are called in error messages.

    Example:
        >>> rows = PartedRows(lambda part: np.arange(part * ROWS_PER_PART, (part + 1) * ROWS_PER_PART), num_rows=2048)
        >>> rows.read(np.array([1500, 3]))
        array([1500,    3])
    """

    def __init__(
        self, open_part: Callable[[int], NDArray[Any]], *, num_rows: int, name: str = "rows"
    ) -> None:
        self._open_part = open_part
        self._num_rows = num_rows
        self._name = name
        self._parts: dict[int, NDArray[Any]] = {}

    def __len__(self) -> int:
        return self._num_rows

    def read(self, rows_N: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Copies of some rows, in their order: [N, ...].

        Raises:
            IndexError: A row is below 0 or beyond the end.
        """
        rows_N = np.asarray(rows_N)
        if rows_N.size and (rows_N.min() < 0 or rows_N.max() >= self._num_rows):
            raise IndexError(
                f"expected {self._name} from 0 to {self._num_rows - 1}, got {rows_N.min()} to {rows_N.max()}"
            )
        parts_N, places_N = np.divmod(rows_N, ROWS_PER_PART)
        first = self._part(0)
        out = np.empty((len(rows_N), *first.shape[1:]), first.dtype)
        for part in np.unique(parts_N):
            mask_N = parts_N == part
            out[mask_N] = self._part(int(part))[places_N[mask_N]]
        return out

    def _part(self, part: int) -> NDArray[Any]:
        if part not in self._parts:
            self._parts[part] = self._open_part(part)
        return self._parts[part]


def part_name(part: int, suffix: str = "arrow") -> str:
    """File name of a part.

    Example:
        >>> part_name(3)
        'part-00003.arrow'
    """
    return f"part-{part:05d}.{suffix}"


def write_arrow_part(folder: Location, part: int, batch: pa.RecordBatch) -> None:
    """Write the rows of one part as an Arrow file."""
    location = folder / part_name(part)
    with (
        location.filesystem.open_output_stream(location.path) as stream,
        pa.ipc.new_file(stream, batch.schema) as writer,
    ):
        writer.write_batch(batch)


def map_arrow_part(artifact: Artifact, folder: str, part: int) -> pa.RecordBatch:
    """Memory-map one part.

    Raises:
        ArtifactError: The file is damaged or missing.
    """
    path = artifact.local_path(f"{folder}/{part_name(part)}")
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    except (pa.ArrowInvalid, FileNotFoundError) as error:
        raise ArtifactError(f"{path} is damaged or missing: {error}") from None

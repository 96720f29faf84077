"""Where a row stands: file and line, from the chunk's number and the line within it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.data.reading.chunks import Chunk


@dataclass(frozen=True)
class Places:
    """Turns (chunk, line within the chunk) into `file:line`. Known once all chunks have been read.

    Attributes:
        files: Path of each chunk's file.
        lines_before: Lines of the same file before each chunk, int64 [C].
    """

    files: tuple[str, ...]
    lines_before: NDArray[np.int64]

    @classmethod
    def of(cls, chunks: Sequence[Chunk], num_lines: Sequence[int]) -> "Places":
        """From the number of lines of each chunk, in order."""
        before = np.zeros(len(chunks), np.int64)
        for k in range(1, len(chunks)):
            # A file may be in two logs, one after the other: each begins at its first line.
            if chunks[k].file == chunks[k - 1].file and chunks[k].start > chunks[k - 1].start:
                before[k] = before[k - 1] + num_lines[k - 1]
        return cls(tuple(str(c.file.location) for c in chunks), before)

    def format(self, chunk: NDArray[np.int32], line: NDArray[np.int64]) -> Any:
        """`file:line` of each row, a pyarrow string array."""
        lines = self.lines_before[chunk] + line
        return pa.array(
            [f"{self.files[c]}:{k}" for c, k in zip(chunk.tolist(), lines.tolist(), strict=True)], pa.string()
        )

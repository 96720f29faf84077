"""Rows as a file has them: the wanted columns, unchecked, and the line of each."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawRows:
    """Rows of one piece of a chunk.

    Attributes:
        columns: By role (`user_id`, `time`, ...) a pyarrow array: binary from CSV, string from JSONL (numbers as their
            text), the file's own type from Parquet.
        lines: int64 [N]: line (Parquet: row) of each row, counted from 1 at the chunk's beginning.
        malformed: Line and text of what is no row at all: another number of fields, a lone quote, no JSON object.
        num_lines: Lines of the piece, rows or not.
    """

    columns: dict[str, Any]
    lines: NDArray[np.int64]
    malformed: list[tuple[int, str]]
    num_lines: int

    def after(self, num_lines: int) -> "RawRows":
        """The same rows, where so many lines of the chunk come before them."""
        malformed = [(line + num_lines, row) for line, row in self.malformed]
        return replace(self, lines=self.lines + num_lines, malformed=malformed)

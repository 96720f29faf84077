"""Rows of an input file as they stand there, unvalidated."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRows:
    """Rows of one piece of a chunk.

    Attributes:
        columns: By role (`user_id`, `time`, ...) a pyarrow array: binary from CSV, string from JSONL (numbers as their
            text), the file's own type from Parquet.
        lines: int64 [N]: line (Parquet: row) of each row, counted from 1 at the chunk's beginning.
        malformed: Line and text of what cannot be parsed: another number of fields, an unclosed quote, no JSON object.
        num_lines: Lines of the piece, rows or not.
        absent: Roles whose key no row of the piece has (JSON).
    """

    columns: dict[str, Any]
    lines: NDArray[np.int64]
    malformed: list[tuple[int, str]]
    num_lines: int
    absent: frozenset[str] = frozenset()

    def after(self, num_lines: int) -> "RawRows":
        """The same rows with `num_lines` lines of the chunk before them."""
        malformed = [(line + num_lines, row) for line, row in self.malformed]
        return replace(self, lines=self.lines + num_lines, malformed=malformed)

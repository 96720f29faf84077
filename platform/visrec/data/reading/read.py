"""The raw rows of a chunk of any format, piece by piece."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from visrec.data.reading.chunks import Chunk
from visrec.data.reading.csv_rows import csv_rows
from visrec.data.reading.jsonl_rows import jsonl_rows
from visrec.data.reading.parquet_rows import parquet_rows
from visrec.data.reading.raw import RawRows
from visrec.data.reading.text import PIECE_BYTES, pieces
from visrec.errors import DataError


def read(chunk: Chunk, columns: Mapping[str, str], *, whole: bool = False) -> Iterator[RawRows]:
    """Read the wanted columns.

    Args:
        chunk: What to read.
        columns: Role and name in the file of each wanted column.
        whole: All rows in one piece, and quoted CSV values may hold line breaks.

    Raises:
        DataError: The file is damaged or cannot be read; names it.
    """
    try:
        if chunk.file.format == "parquet":
            yield parquet_rows(chunk, columns)
            return
        lines_before = 0
        for data in pieces(chunk, piece_bytes=None if whole else PIECE_BYTES):
            if chunk.file.format == "jsonl":
                raw = jsonl_rows(data, columns)
            else:
                header = chunk.start == 0 and lines_before == 0
                raw = csv_rows(
                    data, chunk.fields, columns, delimiter=chunk.delimiter, header=header, multiline=whole
                )
            yield raw.after(lines_before)
            lines_before += raw.num_lines
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{chunk.file.location} cannot be read: {error}") from None

"""Checking the mapped column names against what a file really has."""

import difflib
from collections.abc import Mapping, Sequence

from visrec.data.reading.chunks import Chunk
from visrec.errors import DataError


def check_columns(chunks: Sequence[Chunk], columns: Mapping[str, str], *, setting: str) -> None:
    """See that every file has every mapped column.

    Args:
        chunks: Chunks of all files.
        columns: Role and column name.
        setting: Where the mapping is configured, such as `ingest.interactions.columns`.

    Raises:
        DataError: A column is missing; names the setting, the file, its columns and the nearest of them.
    """
    for fields, name in {chunk.fields: chunk.file.location.name for chunk in reversed(chunks)}.items():
        for role, column in columns.items():
            if column not in fields:
                close = difflib.get_close_matches(column, fields, n=1) or difflib.get_close_matches(
                    role, fields, n=1
                )
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise DataError(
                    f"{setting}.{role}: expected a column of {name} ({', '.join(fields)}), got {column!r}{hint}"
                )
            if fields.count(column) > 1:
                raise DataError(
                    f"{setting}.{role}: expected one column {column!r}, {name} has {fields.count(column)}"
                )

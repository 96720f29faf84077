"""Rows of Parquet row groups."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from visrec.data.reading.chunks import Chunk
from visrec.data.reading.raw import RawRows


def parquet_rows(chunk: Chunk, columns: Mapping[str, str]) -> RawRows:
    """Read the wanted columns of the chunk's row groups.

    Raises:
        OSError: The file cannot be read.
        pyarrow.ArrowException: Its content is damaged.
    """
    location = chunk.file.location
    with location.filesystem.open_input_file(location.path) as stream:
        file = pq.ParquetFile(stream)
        table = file.read_row_groups(
            list(range(chunk.start, chunk.end)), columns=list(dict.fromkeys(columns.values()))
        )
    arrays = {role: _plain(table.column(name).combine_chunks()) for role, name in columns.items()}
    return RawRows(arrays, np.arange(1, table.num_rows + 1), [], table.num_rows)


def _plain(array: pa.Array) -> pa.Array:
    """Without dictionary encoding, views and 64-bit offsets, which not every compute function takes."""
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array

"""Categories of items: a set in the order of first mention, from text, lists, JSON, and lists of mappings."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.ingestion.arrow_types import is_nested_type
from visrec.ingestion.cells import (
    UnreadableCellError,
    decode_cell,
    describe,
    elements,
    plain_key,
    scalar_text,
)
from visrec.ingestion.column_types import ColumnNames
from visrec.ingestion.values import text

_EXPECTED = "categories as text, numbers, lists of them, or mappings with one key `name`"


def parse_categories(column: Any, separator: str, names: ColumnNames) -> tuple[Any, NDArray[np.bool_]]:
    """The categories of each item: each once, in the order in which they are first mentioned, without empty ones.

    Args:
        column: pyarrow array: text split at the separator, or holding a list in JSON's or Python's notation; lists,
            lists of lists, or lists of mappings of which one key is `name`.
        separator: Between the categories of one text.
        names: Names of the columns, for the message.

    Returns:
        pyarrow array of lists of strings, and whether each value could not be read, bool [N].

    Raises:
        DataError: A mapping has no key `name`, or the column holds values that have no text.

    Example:
        >>> names = ColumnNames(setting="ingest.items.columns", names={}, file="items.jsonl")
        >>> column = pa.array(["a|b |a", '[["c", null], ["c", "d"]]', '[{"id": 1, "name": "A"}]', None])
        >>> parse_categories(column, "|", names)[0].to_pylist()
        [['a', 'b'], ['c', 'd'], ['A'], []]
    """
    broken = np.zeros(len(column), bool)
    if is_nested_type(column.type):
        cells = column.to_pylist(maps_as_pydicts="lossy")
    else:
        values, broken = text(column)
        cells = [value if value is None else _from_text(value, separator) for value in values.to_pylist()]
    try:
        found = [list(dict.fromkeys(_names(cell))) for cell in cells]
    except UnreadableCellError as error:
        got = str(error) if not is_nested_type(column.type) else f"{error} in a column of {column.type}"
        raise names.error("categories", expected=_EXPECTED, got=got) from None
    return pa.array(found, pa.list_(pa.string())), broken


def _from_text(value: str, separator: str) -> Any:
    cell = decode_cell(value)
    return value.split(separator) if isinstance(cell, str) else cell


def _names(cell: Any) -> Iterator[str]:
    for element in elements(cell):
        name = scalar_text(_name(element) if isinstance(element, Mapping) else element)
        if name is not None:
            yield name


def _name(mapping: Mapping[Any, Any]) -> Any:
    found = [key for key in mapping if plain_key(key) == "name"]
    if len(found) != 1:
        raise UnreadableCellError(describe(mapping))
    return mapping[found[0]]

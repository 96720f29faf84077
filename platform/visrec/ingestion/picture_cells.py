"""Cells of the picture column that hold mappings: `{bytes, path}` of Parquet, `{hi_res, large, thumb}` of JSON."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import pyarrow as pa

from visrec.ingestion.arrow_types import is_bytes_type
from visrec.ingestion.cells import (
    UnreadableCellError,
    decode_cell,
    describe,
    elements,
    plain_key,
    scalar_text,
)

EXPECTED = (
    "paths, URIs or bytes of pictures, or mappings with bytes, path, url, uri, src, href, hi_res, large, medium, small "
    "or thumb"
)
"""Content of the picture column, for messages."""

_NAMES = ("path", "url", "uri", "src", "href", "link", "file", "filename", "filepath")
_SIZES = ("hires", "original", "full", "xlarge", "large", "medium", "small", "thumbnail", "thumb")
_KEYS = (*_NAMES, *_SIZES)
"""Keys whose value names the picture, the first that has one: an address, else the largest size."""

_BYTES_KEYS = ("bytes", "data", "content", "imagebytes", "image")


def bytes_field(kind: Any) -> str | None:
    """The field of a struct type that holds the bytes of a picture; None where it has none.

    Example:
        >>> bytes_field(pa.struct({"bytes": pa.binary(), "path": pa.string()}))
        'bytes'
    """
    if not pa.types.is_struct(kind):
        return None
    fields = {plain_key(field.name): field.name for field in kind if is_bytes_type(field.type)}
    named = [fields[key] for key in _BYTES_KEYS if key in fields]
    return named[0] if named else next(iter(fields.values())) if len(fields) == 1 else None


def picture_names(value: Any) -> list[str]:
    """The paths or URIs in a cell: text, a list, or mappings, as values or as JSON text.

    Raises:
        UnreadableCellError: A mapping names no picture by a known key, or a value is no text.

    Example:
        >>> picture_names('[{"thumb": "a-s.jpg", "hi_res": null, "large": "a.jpg"}, {"thumb": "b-s.jpg"}]')
        ['a.jpg', 'b-s.jpg']
        >>> picture_names({"hi_res": ["a.jpg", None], "large": ["a-l.jpg", "b-l.jpg"]}), picture_names("c.jpg")
        (['a.jpg', 'b-l.jpg'], ['c.jpg'])
    """
    names: list[str] = []
    for element in elements(decode_cell(value) if isinstance(value, str) else value):
        found = _of_mapping(element) if isinstance(element, Mapping) else [scalar_text(element)]
        names += [name for name in found if name]
    return names


def _of_mapping(value: Mapping[str, Any]) -> list[str | None]:
    by_key = {plain_key(key): of_key for key, of_key in value.items()}
    known = [by_key[key] for key in _KEYS if key in by_key]
    if not known:
        if any(value.values()):
            raise UnreadableCellError(describe(value))
        return []
    # Of a mapping of lists, each place is one picture.
    columns = [of_key if isinstance(of_key, list | tuple) else [of_key] for of_key in known]
    return [next((name for name in map(scalar_text, place) if name), None) for place in zip_longest(*columns)]

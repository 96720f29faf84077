"""Families of pyarrow types: text, bytes, numbers, lists and other nested values."""

from typing import Any

import pyarrow as pa


def is_text_type(kind: Any) -> bool:
    """Whether a pyarrow type holds text, bytes that may be text, or nothing but nulls; perhaps in a dictionary.

    Example:
        >>> is_text_type(pa.dictionary(pa.int32(), pa.string())), is_text_type(pa.int64())
        (True, False)
    """
    # Bytes are text in CSV, and where they are not, their values are recorded as `not_utf8`.
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or is_bytes_type(kind)
        or pa.types.is_null(kind)
        or (pa.types.is_dictionary(kind) and is_text_type(kind.value_type))
    )


def is_bytes_type(kind: Any) -> bool:
    """Whether a pyarrow type holds bytes of any length, perhaps in a dictionary."""
    if pa.types.is_dictionary(kind):
        return is_bytes_type(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def is_number_type(kind: Any) -> bool:
    """Whether a pyarrow type holds whole numbers, floats or decimals."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_list_type(kind: Any) -> bool:
    """Whether a pyarrow type holds lists."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def is_nested_type(kind: Any) -> bool:
    """Whether a pyarrow type holds lists or mappings."""
    return is_list_type(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind)


def element_type(kind: Any) -> Any:
    """The type of the elements of a list type; the type itself of any other."""
    return kind.value_type if is_list_type(kind) else kind

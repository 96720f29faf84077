"""Types of mapped columns: a column that cannot hold what its setting takes it for is refused in one line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from visrec.errors import DataError
from visrec.ingestion.arrow_types import is_number_type, is_text_type
from visrec.ingestion.id_text import ID_TYPES, is_id_type
from visrec.ingestion.values import shown

_TYPE_LENGTH = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnNames:
    """Names of the mapped columns of a file, for messages.

    Attributes:
        setting: Where the mapping is configured, such as `ingest.items.columns`.
        names: Role and column name.
        file: The file.
    """

    setting: str
    names: Mapping[str, str]
    file: str

    def error(self, role: str, *, expected: str, got: str) -> DataError:
        """The error for a column: what was expected in it, and what it holds.

        Example:
            >>> names = ColumnNames(setting="ingest.items.columns", names={"price": "cost"}, file="items.csv")
            >>> str(names.error("price", expected="numbers", got="a column of dates"))
            "ingest.items.columns.price: expected numbers in the column 'cost' of items.csv, got a column of dates"
        """
        column = self.names.get(role, role)
        return DataError(
            f"{self.setting}.{role}: expected {expected} in the column {column!r} of {self.file}, got {got}"
        )


def check_types(columns: Mapping[str, Any], names: ColumnNames) -> None:
    """Check that each column is of a type that can hold its role.

    Args:
        columns: By role a pyarrow array.
        names: Names of the columns, for the message.

    Raises:
        DataError: A column's type cannot; names the setting, the file, the column, its type and what is read.
    """
    for role, column in columns.items():
        expected, holds = _ROLES.get(role, (None, None))
        if expected is None or holds is None or holds(column.type):
            continue
        raise names.error(role, expected=expected, got=f"a column of {type_name(column.type)}")


def type_name(kind: Any) -> str:
    """A pyarrow type as one line of bounded length.

    Example:
        >>> type_name(pa.list_(pa.int8()))
        'list<item: int8>'
    """
    return shown(" ".join(str(kind).split()), _TYPE_LENGTH)


def _is_text_or_number(kind: Any) -> bool:
    return is_text_type(kind) or is_number_type(kind)


def _is_flag(kind: Any) -> bool:
    return _is_text_or_number(kind) or bool(pa.types.is_boolean(kind))


def _is_time(kind: Any) -> bool:
    return _is_text_or_number(kind) or bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


_IDS = (f"ids as {ID_TYPES}", is_id_type)
_TIMES = ("times as text, numbers or timestamps", _is_time)
_TEXT_OR_NUMBERS = ("text or numbers", _is_text_or_number)
_ROLES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "user_id": _IDS,
    "item_id": _IDS,
    "session_id": _IDS,
    "event_id": _IDS,
    "kind": ("kinds as text or numbers", _is_flag),
    "position": ("whole numbers", _is_text_or_number),
    "time": _TIMES,
    "title": _TEXT_OR_NUMBERS,
    "price": ("numbers", _is_text_or_number),
    "created_at": _TIMES,
    "available": ("true or false, words or numbers", _is_flag),
    "property": _TEXT_OR_NUMBERS,
    "value": _TEXT_OR_NUMBERS,
}
"""Expected content of each role, and whether a type can hold it. Pictures and categories may be nested: their readers
check their types themselves."""

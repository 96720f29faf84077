"""Columns in the names of folders: `kind=click/month=2023-01/part-0.parquet`."""

from collections.abc import Sequence
from urllib.parse import unquote

HIVE_MISSING = "__HIVE_DEFAULT_PARTITION__"


def folder_columns(path: str) -> tuple[tuple[str, str | None], ...]:
    """Name and value of each folder `name=value` above a file. Of two of one name the nearer to the file counts.

    Names and values are decoded as in a URL; `__HIVE_DEFAULT_PARTITION__` and an empty value are missing.

    Example:
        >>> folder_columns("/log/kind=add%20to%20cart/day=__HIVE_DEFAULT_PARTITION__/part-0.csv")
        (('kind', 'add to cart'), ('day', None))
    """
    columns: dict[str, str | None] = {}
    for folder in path.split("/")[:-1]:
        name, equals, value = folder.partition("=")
        if name and equals:
            columns[unquote(name)] = None if value in ("", HIVE_MISSING) else unquote(value)
    return tuple(columns.items())


def outside(
    columns: Sequence[tuple[str, str | None]], fields: Sequence[str]
) -> tuple[tuple[str, str | None], ...]:
    """The folders' columns that the file itself does not have."""
    return tuple((name, value) for name, value in columns if name not in fields)

"""Headers that are no headers: the first row of a file without one, taken for the names of its columns."""

import re
from collections.abc import Mapping, Sequence

from visrec.errors import DataError
from visrec.ingestion.text_dialect import TextDialect

_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")


def check_header(
    name: str, fields: Sequence[str], dialect: TextDialect, columns: Mapping[str, str], *, setting: str
) -> None:
    """Check that the first line of a CSV file is not a row.

    It is one where a mapped column is missing and any of its fields looks like data, or where half of the mapped
    columns do: like a number, or like the fields below it but for their digits.

    Args:
        name: Name of the file.
        fields: Fields of its first line.
        dialect: Dialect of the file.
        columns: Role and column name.
        setting: Where the mapping is configured, such as `ingest.interactions.columns`.

    Raises:
        DataError: It is a row; names the setting that gives the columns names.
    """
    if not dialect.has_header or not dialect.first_rows or _are_numbered(fields):
        return
    data = {field for place, field in enumerate(fields) if _is_data(field, place, dialect.first_rows)}
    mapped = set(columns.values())
    missing = mapped - set(fields)
    if (missing and data) or 2 * len(mapped & data) >= len(mapped):
        example = ", ".join(f"column_{place + 1}" for place in range(len(fields)))
        source = setting.removesuffix(".columns")
        raise DataError(
            f"{source}.column_names: expected a header in {name}, its first line ({', '.join(fields)[:200]}) looks "
            f"like data; name its {len(fields)} columns in their order, such as [{example}], and map those names in "
            f"{setting}"
        )


def _is_data(field: str, place: int, rows: Sequence[Sequence[str]]) -> bool:
    below = [row[place].strip() for row in rows if place < len(row)]
    if not any(code.isdigit() for code in field) or not below:
        return False
    if _NUMBER.fullmatch(field):
        return any(_NUMBER.fullmatch(value) for value in below)
    return any(_shape(value) == _shape(field) for value in below)


def _shape(text: str) -> str:
    return re.sub(r"\d+", "9", text)


def _are_numbered(fields: Sequence[str]) -> bool:
    """Whether the names are 0, 1, 2, ... or 1, 2, 3, ..., as table libraries number columns."""
    names = [field for field in fields if field]
    return names in ([str(k) for k in range(len(names))], [str(k + 1) for k in range(len(names))])

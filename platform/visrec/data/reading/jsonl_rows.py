"""Rows of JSONL text: one JSON object a line."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.data.reading.raw import RawRows


def jsonl_rows(data: bytes, columns: Mapping[str, str]) -> RawRows:
    """Parse whole lines of JSON objects. A missing key is a missing value; lists are kept as JSON text.

    Args:
        data: The lines.
        columns: Role and key of the wanted columns.

    Example:
        >>> rows = jsonl_rows(b'{"u": 7}\\n[]\\n', {"user_id": "u"})
        >>> rows.columns["user_id"].to_pylist(), rows.malformed
        (['7'], [(2, '[]')])
    """
    values: dict[str, list[str | None]] = {role: [] for role in columns}
    lines: list[int] = []
    malformed: list[tuple[int, str]] = []
    text = data.split(b"\n")
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        row = _object(line)
        if row is None:
            malformed.append((number, line.decode("utf-8", errors="replace").rstrip("\r")))
            continue
        lines.append(number)
        for role, key in columns.items():
            values[role].append(_as_text(row.get(key)))
    arrays = {role: pa.array(column, pa.string()) for role, column in values.items()}
    return RawRows(arrays, np.array(lines, np.int64), malformed, len(text) - (not text[-1]))


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None or _encodable(value) else json.dumps(value)
    return json.dumps(value)


def _encodable(text: str) -> bool:
    """Whether the text is Unicode; JSON can also spell half of a surrogate pair."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)

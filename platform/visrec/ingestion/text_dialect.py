"""Dialect of one text file: compression, encoding, line ends, delimiter, header; found from its first block."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from visrec.config.ingest import Quoting, TableConfig
from visrec.errors import DataError
from visrec.ingestion.compression import Compression
from visrec.ingestion.delimiters import find_delimiter, hinted_delimiter
from visrec.ingestion.json_rows import json_object
from visrec.ingestion.text_head import TextHead
from visrec.storage import Location

_MAX_HEADER_LINES = 20
_WRITTEN_OUT = {r"\t": "\t", r"\x01": "\x01"}
_LOOKED_AT = 100
"""Lines that the delimiter is found from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextSettings:
    """Settings of a source about its text files; see `ingest.interactions`.

    Attributes:
        delimiter: Between fields; None: found.
        column_names: Of files without a header; None: the first row is the header.
        quoting: Meaning of quotes.
        encoding: Of the text; None: found.
        setting: Name of the source's setting, for messages.
    """

    delimiter: str | None = None
    column_names: tuple[str, ...] | None = None
    quoting: Quoting = "auto"
    encoding: str | None = None
    setting: str = "ingest.interactions"

    @classmethod
    def of(cls, config: TableConfig, setting: str) -> "TextSettings":
        """From the settings of a log or of the catalogue."""
        return cls(
            delimiter=_WRITTEN_OUT.get(config.delimiter or "", config.delimiter),
            column_names=config.column_names,
            quoting=config.quoting,
            encoding=config.encoding,
            setting=setting,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TextDialect:
    """How the text of a file is written.

    Attributes:
        compression: Of the whole file.
        encoding: Of its text.
        line_end: The character that ends lines, a carriage return only in files that have no other.
        delimiter: Between fields (CSV).
        quoting: Meaning of quotes (CSV).
        num_before: First lines that hold no rows: blank ones, a hint, the header (CSV).
        has_header: Whether the names of the fields are the file's own (CSV).
        first_rows: Fields of the first rows after the header (CSV).
        objects: JSON objects that are not one a line: in an array, or over several lines.
    """

    compression: Compression | None = None
    encoding: str = "utf-8"
    line_end: Literal[b"\n", b"\r"] = b"\n"
    delimiter: str = ","
    quoting: Quoting = "auto"
    num_before: int = 0
    has_header: bool = True
    first_rows: tuple[tuple[str, ...], ...] = ()
    objects: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether the file can only be read from its beginning, in one chunk."""
        return self.compression is not None or self.encoding != "utf-8" or self.objects


PLAIN_TEXT = TextDialect()


def csv_dialect(
    location: Location, head: TextHead, settings: TextSettings
) -> tuple[TextDialect, tuple[str, ...]]:
    """Dialect of a CSV file and the names of its fields.

    Raises:
        DataError: Its rows have another number of fields than `column_names`, or it is JSON.
    """
    if re.match(r'\s*(\[\s*)?\{\s*"', head.text):
        raise DataError(
            f"expected CSV in {location}, found JSON; say so with {settings.setting}.format: jsonl"
        )
    lines = head.text.split("\n")
    num_before = _num_blank(lines)
    hint = hinted_delimiter(lines[num_before]) if num_before < len(lines) else None
    if hint is not None:
        num_before += 1
        num_before += _num_blank(lines[num_before:])
    names = settings.column_names
    whole = [line for line in lines[num_before:] if line.strip()]
    looked_at = whole[: -1 if len(whole) > 1 and not head.complete else None][:_LOOKED_AT]
    delimiter = settings.delimiter or hint or find_delimiter(looked_at, len(names) if names else None)
    rows = _first_rows(looked_at, delimiter, settings.quoting)
    if names is not None:
        if rows and rows[0] == names:
            num_before, rows = num_before + 1, rows[1:]
        plain = [tuple(line.split(delimiter)) for line in looked_at]
        num_plain = sum(len(row) == len(names) for row in plain)
        quotes_mean_nothing = not _have_length(rows, len(names)) and 2 * num_plain > len(plain)
        fields = _check_names(location, plain if quotes_mean_nothing else rows, settings, names)
    else:
        header = "\n".join(lines[num_before:])
        fields, num_lines = _header(header, delimiter, settings.quoting)
        num_before, rows = (
            num_before + num_lines,
            _first_rows(looked_at[num_lines:], delimiter, settings.quoting),
        )
        if rows and all(len(row) == len(fields) + 1 and not row[-1] for row in rows):
            fields = (*fields, "")  # every row ends with a delimiter
    dialect = TextDialect(
        compression=head.compression,
        encoding=head.encoding,
        line_end=head.line_end,
        delimiter=delimiter,
        quoting=settings.quoting,
        num_before=num_before,
        has_header=names is None,
        first_rows=tuple(rows[:3]),
    )
    return dialect, fields


def json_dialect(location: Location, head: TextHead) -> tuple[TextDialect, tuple[str, ...]]:
    """Dialect of a JSON file and the keys of its first objects.

    Raises:
        DataError: It is no JSON, or an array of something else than objects.
    """
    text = head.text.lstrip()
    if not re.search(r"^\s*[\[{]", text, re.MULTILINE):
        raise DataError(
            f"expected JSON in {location}, found {text[:40]!r}...; where it is CSV, say so by format: csv"
        )
    if re.match(r"\[\s*[^\s{\]]", text):
        raise DataError(
            f"expected JSON objects in {location}, found an array of other values ({text[:40]!r}...); "
            "write its rows as objects with keys, one a line"
        )
    names: dict[str, None] = {}
    for line in text.split("\n")[:1000]:
        row = json_object(line.strip().removeprefix("[").strip(" ,]"))
        names.update(dict.fromkeys(row or ()))
    objects = text.startswith("[") or _is_pretty(text, head.complete)
    dialect = TextDialect(
        compression=head.compression, encoding=head.encoding, line_end=head.line_end, objects=objects
    )
    return dialect, tuple(names)


def _num_blank(lines: Sequence[str]) -> int:
    return next((number for number, line in enumerate(lines) if line.strip()), 0)


def _header(text: str, delimiter: str, quoting: Quoting) -> tuple[tuple[str, ...], int]:
    """Names of the fields and the number of lines that they take."""
    line = text.split("\n", 1)[0]
    if quoting != "none" and line.count('"') % 2 == 1 and len(delimiter.encode()) == 1:
        lines = text.split("\n", _MAX_HEADER_LINES)[:_MAX_HEADER_LINES]
        reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
        try:
            names = next(reader, [])
        except csv.Error:  # the quote means nothing
            names = []
        used = lines[: reader.line_num]
        if names and len({line.count(delimiter) for line in used}) > 1:
            return tuple(" ".join(name.split()) for name in names), len(used)
    return tuple(name.strip() for name in _split(line, delimiter, quoting)), 1


def _first_rows(lines: Sequence[str], delimiter: str, quoting: Quoting) -> list[tuple[str, ...]]:
    """Fields of each line or, where the lines differ in number and the records do not, of each record."""
    rows = [_split(line, delimiter, quoting) for line in lines]
    if quoting == "none" or len(delimiter.encode()) > 1 or len({len(row) for row in rows}) < 2:
        return rows
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=delimiter, skipinitialspace=delimiter != " "
    )
    records = [tuple(row) for row in reader]
    whole = records[:-1] if len(records) > 1 else records  # the last one may go on after these lines
    return whole if len({len(record) for record in whole}) == 1 else rows


def _split(line: str, delimiter: str, quoting: Quoting) -> tuple[str, ...]:
    """Fields of one line; as they stand where they cannot be read by the rules of quotes."""
    if quoting == "none" or '"' not in line or len(delimiter.encode()) > 1:
        fields = line.split(delimiter)
        return tuple(fields if quoting == "none" else (_unquoted(field) for field in fields))
    return tuple(next(csv.reader([line], delimiter=delimiter, skipinitialspace=delimiter != " "), []))


def _unquoted(field: str) -> str:
    match = re.fullmatch(r'\s*"((?:[^"]|"")*)"\s*', field)
    return match[1].replace('""', '"') if match else field


def _have_length(rows: Sequence[tuple[str, ...]], num_fields: int) -> bool:
    return any(len(row) == num_fields for row in rows)


def _check_names(
    location: Location, rows: Sequence[tuple[str, ...]], settings: TextSettings, names: tuple[str, ...]
) -> tuple[str, ...]:
    if rows and all(len(row) == len(names) + 1 and not row[-1] for row in rows):
        return (*names, "")
    if rows and not _have_length(rows, len(names)):
        raise DataError(
            f"{settings.setting}.column_names: expected a name for each of the {len(rows[0])} fields of "
            f"{location.name} ({', '.join(rows[0])[:120]}), got {len(names)}; or the delimiter is another one "
            f"({settings.setting}.delimiter)"
        )
    return names


def _is_pretty(text: str, complete: bool) -> bool:
    """Whether the first object takes several lines, or is followed by another on its line."""
    line, _, rest = text.partition("\n")
    if not text.startswith("{") or json_object(line) is not None:
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        cut_off = error.pos > len(text) - 64 or "Unterminated" in error.msg
        return bool(rest) and cut_off and not complete
    except RecursionError:
        return False
    following = text[end:].lstrip()
    return end > len(line) or following.startswith((",", "{"))

"""Dialects of CSV: delimiters, quotes, headers, line ends, encodings and compression of one table of text."""

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, 1),
    ".bz2": bz2.compress,
    ".zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
    ".zip": lambda data: _zip(data),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TextDialect:
    """One way to write a table as text.

    Attributes:
        delimiter: Between fields.
        quoting: `minimal`, `all`, or `none`: quotes are plain characters, and no value holds a delimiter or line break.
        header: Whether the first row holds the names.
        hint: Whether a line `sep=` comes first, as spreadsheets write it.
        blank_lines: Empty lines before the first row.
        line_end: Of each row.
        last_line_end: Whether the last row has one too.
        trailing_delimiter: Whether each row ends in a delimiter.
        encoding: Of the text.
        compression: Ending that stands for a compression, or nothing.
        named: Whether the file's name has that ending.
    """

    delimiter: str = ","
    quoting: str = "minimal"
    header: bool = True
    hint: bool = False
    blank_lines: int = 0
    line_end: str = "\n"
    last_line_end: bool = True
    trailing_delimiter: bool = False
    encoding: str = "utf-8"
    compression: str = ""
    named: bool = True

    def settings(self, names: Sequence[str]) -> dict[str, Any]:
        """Settings that a user of such a file writes down; empty where the file tells all by itself."""
        settings: dict[str, Any] = {}
        if not self.header:
            settings["column_names"] = list(names)
        if len(self.delimiter) > 1:
            settings["delimiter"] = self.delimiter
        return settings

    def holds(self, rows: Sequence[Sequence[str]]) -> bool:
        """Whether the dialect can say what the rows hold."""
        if self.quoting != "none":
            return True
        special = (self.delimiter, "\n", "\r")
        cells = [cell for row in rows for cell in row]
        at_edge = len(self.delimiter) > 1 and any(cell.strip(self.delimiter[0]) != cell for cell in cells)
        return not at_edge and not any(mark in cell for cell in cells for mark in special)

    def write(self, folder: Path, stem: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
        """Write a table to a file in a folder."""
        lines = [self._line(row) for row in ([names] if self.header else []) + list(rows)]
        if self.hint:
            lines.insert(0, f"sep={self.delimiter}")
        text = self.line_end * self.blank_lines + self.line_end.join(lines)
        text += self.line_end if self.last_line_end else ""
        path = folder / f"{stem}.csv{self.compression if self.named else ''}"
        path.write_bytes(_COMPRESS[self.compression](text.encode(self.encoding)))
        return path

    def _line(self, row: Sequence[str]) -> str:
        line = self.delimiter.join(self._cell(cell) for cell in row)
        return line + (self.delimiter if self.trailing_delimiter else "")

    def _cell(self, cell: str) -> str:
        special = any(mark in cell for mark in (self.delimiter, '"', "\n", "\r"))
        if self.quoting == "none" or (self.quoting == "minimal" and not special):
            return cell
        return '"' + cell.replace('"', '""') + '"'


@st.composite
def text_dialects(draw: st.DrawFn) -> TextDialect:
    """All dialects of CSV that the documentation says are read."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", "::"]))
    return TextDialect(
        delimiter=delimiter,
        # Separators of several characters come from programs that know no quotes.
        quoting="none" if len(delimiter) > 1 else draw(st.sampled_from(["minimal", "all", "none"])),
        header=draw(st.booleans()),
        hint=len(delimiter) == 1 and draw(st.booleans()),
        blank_lines=draw(st.sampled_from([0, 0, 0, 2])),
        line_end=draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])),
        last_line_end=draw(st.booleans()),
        trailing_delimiter=draw(st.sampled_from([False, False, False, True])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])),
        compression=draw(st.sampled_from(["", "", *_COMPRESS])),
        named=draw(st.booleans()),
    )


def _zip(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", data)
    return buffer.getvalue()

"""Reading the text of a chunk: whole rows as UTF-8 with `\\n` or `\\r\\n` as line ends, in one piece or several."""

import codecs
from collections.abc import Callable, Iterator
from typing import Any

from visrec.ingestion.chunks import Chunk
from visrec.ingestion.compression import open_content, read_up_to
from visrec.ingestion.quoting import QuoteReader
from visrec.ingestion.text_head import with_newlines

PIECE_BYTES = 32 << 20
"""Of the text of a file that is one chunk however large it is."""

_SMALL_PIECE = 1 << 20
_LOOK_AHEAD = 1 << 20
"""Bytes within which a line that begins a row is looked for."""


def read_pieces(chunk: Chunk, *, piece_bytes: int | None = PIECE_BYTES) -> Iterator[bytes]:
    """The bytes of the chunk's lines. Each piece but the last ends with a line end, and none within a quoted value.

    Only files that are read from their beginning (compressed, UTF-16) come in several pieces, of about `piece_bytes`;
    None gives these too as one.

    The first piece of a file begins with its first line, the header of a CSV file included, without a byte-order mark.

    Raises:
        OSError: The file cannot be read, or its compression is damaged.
        UnicodeDecodeError: It is not UTF-16, though it began so.
    """
    blocks = _read_stream(chunk, piece_bytes) if chunk.dialect.is_stream else _read_range(chunk)
    for number, piece in enumerate(blocks):
        text = piece.removeprefix(codecs.BOM_UTF8) if chunk.start == 0 and number == 0 else piece
        yield with_line_feeds(text)


def read_text(chunk: Chunk) -> Iterator[str]:
    """The text of a whole file, cut anywhere.

    Raises:
        OSError: The file cannot be read, or its compression is damaged.
        UnicodeDecodeError: It is not in the encoding that it began with.
    """
    decoder = codecs.getincrementaldecoder(chunk.dialect.encoding)("replace")
    with open_content(chunk.file.location, chunk.dialect.compression) as stream:
        first, held = True, ""
        while block := read_up_to(stream, _SMALL_PIECE):
            text = held + decoder.decode(block)
            held = text[len(text.rstrip("\r")) :]  # a line feed may follow
            text = text.removesuffix(held)
            yield with_newlines(text.removeprefix("\ufeff") if first else text)
            first = False
        yield with_newlines(held + decoder.decode(b"", final=True))


def with_line_feeds(data: bytes) -> bytes:
    """The same lines, all with line feeds where some end with a carriage return alone.

    Example:
        >>> with_line_feeds(b"a\\r\\nb\\rc\\n")
        b'a\\nb\\nc\\n'
    """
    num_returns = data.count(b"\r")
    if not num_returns or num_returns == data.count(b"\r\n"):
        return data
    return data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _read_stream(chunk: Chunk, piece_bytes: int | None) -> Iterator[bytes]:
    dialect = chunk.dialect
    decoder = None if dialect.encoding == "utf-8" else codecs.getincrementaldecoder(dialect.encoding)()
    is_row = _row_test(chunk)
    unfinished = b""
    with open_content(chunk.file.location, dialect.compression) as stream:
        while block := bytes(stream.read() if piece_bytes is None else stream.read(piece_bytes)):
            data = unfinished + (decoder.decode(block).encode() if decoder else block)
            end = _last_row_end(data, dialect.line_end, is_row) if piece_bytes is not None else 0
            unfinished = data[end:]
            if end:
                yield data[:end]
    if decoder:
        unfinished += decoder.decode(b"", final=True).encode()
    if unfinished:
        yield unfinished


def _read_range(chunk: Chunk) -> Iterator[bytes]:
    location, size = chunk.file.location, chunk.file.size
    with location.filesystem.open_input_file(location.path) as file:
        # The line that holds the byte before belongs to the chunk before.
        start = _row_start(file, chunk, chunk.start) if chunk.start else 0
        end = _row_start(file, chunk, chunk.end) if chunk.end < size else size
        if start >= end:
            return
        file.seek(start)
        yield bytes(file.read(end - start))


def _row_start(file: Any, chunk: Chunk, position: int) -> int:
    """Position of the first line at or after `position` that begins a row for sure: it is one by itself.

    A line after a line break within a quoted value is none. Where none of many lines is one, the first line counts.
    """
    file.seek(position - 1)
    first = _after_line(file, chunk.file.size, chunk.dialect.line_end)
    is_row = _row_test(chunk)
    if is_row is None or first >= chunk.file.size:
        return first
    file.seek(first)
    line_start, window = first, b""
    while line_start - first < _LOOK_AHEAD:
        found = window.find(chunk.dialect.line_end, line_start - first)
        if found < 0:
            more = bytes(file.read(1 << 16))
            window += more
            if not more:
                return line_start if is_row(window[line_start - first :]) else chunk.file.size
            continue
        if is_row(window[line_start - first : found + 1]):
            return line_start
        line_start = first + found + 1
    return first


def _row_test(chunk: Chunk) -> Callable[[bytes], bool] | None:
    """Test of a line for being a row by itself; None where every line is one."""
    if chunk.file.format != "csv" or chunk.dialect.quoting == "none":
        return None
    delimiter = chunk.dialect.delimiter.encode()
    single = delimiter if len(delimiter) == 1 else b"\x1f"
    reader = QuoteReader(single, len(chunk.file_fields))
    return lambda line: reader.is_regular_row(
        line if single == delimiter else line.replace(delimiter, single)
    )


def _last_row_end(data: bytes, line_end: bytes, is_row: Callable[[bytes], bool] | None) -> int:
    """Position of a line end of the data, the last one after which a row begins; 0 where there is none."""
    end = data.rfind(line_end) + 1
    if line_end == b"\r" and end == len(data):
        end = data.rfind(line_end, 0, len(data) - 1) + 1  # a line feed may follow
    if is_row is None or b'"' not in data:
        return end
    line_start, line_stop = data.rfind(line_end, 0, max(end - 1, 0)) + 1, end
    while line_start > 0 and end - line_start < _LOOK_AHEAD:
        if is_row(data[line_start:line_stop]):
            return line_start
        line_start, line_stop = data.rfind(line_end, 0, line_start - 1) + 1, line_start
    return end if end >= _LOOK_AHEAD else 0


def _after_line(file: Any, size: int, line_end: bytes) -> int:
    """Position after the first line end at or after the current position."""
    position = int(file.tell())
    while block := bytes(file.read(1 << 16)):
        found = block.find(line_end)
        if found >= 0:
            end = position + found + 1
            if line_end == b"\r":
                file.seek(end)
                end += bytes(file.read(1)) == b"\n"
            return end
        position += len(block)
    return size

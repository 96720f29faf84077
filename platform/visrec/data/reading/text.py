"""The lines of a text chunk, in pieces that fit into memory."""

from collections.abc import Iterator
from typing import Any

from visrec.data.reading.chunks import Chunk

PIECE_BYTES = 32 << 20
_BOM = b"\xef\xbb\xbf"


def pieces(chunk: Chunk, *, piece_bytes: int | None = PIECE_BYTES) -> Iterator[bytes]:
    """The bytes of the chunk's lines. Each piece but the last ends with a line end.

    Only compressed files come in several pieces, of about `piece_bytes`; None gives these too as one.

    The first piece of a file begins with its first line, the header of a CSV file included, without a byte-order mark.

    Raises:
        OSError: The file cannot be read, or its compression is damaged.
    """
    blocks = _compressed(chunk, piece_bytes) if chunk.file.compressed else _range(chunk)
    for number, piece in enumerate(blocks):
        yield piece.removeprefix(_BOM) if chunk.start == 0 and number == 0 else piece


def _compressed(chunk: Chunk, piece_bytes: int | None) -> Iterator[bytes]:
    location = chunk.file.location
    rest = b""
    with location.filesystem.open_input_stream(
        location.path
    ) as stream:  # pyarrow goes by the file name's ending
        if piece_bytes is None:
            yield bytes(stream.read())
            return
        while block := stream.read(piece_bytes):
            data = rest + bytes(block)
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if end:
                yield data[:end]
    if rest:
        yield rest


def _range(chunk: Chunk) -> Iterator[bytes]:
    location = chunk.file.location
    with location.filesystem.open_input_file(location.path) as file:
        start = chunk.start
        if start:
            # The line that holds the byte before belongs to the chunk before; it ends at the first line end from there.
            file.seek(start - 1)
            start = _after_line(file, chunk.file.size)
        if start >= chunk.end:
            return
        file.seek(chunk.end - 1)
        end = _after_line(file, chunk.file.size)
        file.seek(start)
        yield bytes(file.read(end - start))


def _after_line(file: Any, size: int) -> int:
    """Place after the first line end at or after the current place."""
    place = int(file.tell())
    while block := file.read(1 << 16):
        found = block.find(b"\n")
        if found >= 0:
            return place + int(found) + 1
        place += len(block)
    return size

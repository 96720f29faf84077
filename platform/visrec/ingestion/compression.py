"""Compressed input: told by its first bytes, whatever the file's name, and read as a stream."""

import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from visrec.errors import DataError
from visrec.storage import Location

Compression = Literal["gzip", "zstd", "bz2", "lz4", "xz", "zip"]

_MAGIC: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".json", ".jsonl", ".ndjson")


def compression_of(head: bytes) -> Compression | None:
    """Compression of a file that begins with these bytes; None for plain content.

    Example:
        >>> compression_of(b"\\x1f\\x8b\\x08"), compression_of(b"user,item")
        ('gzip', None)
    """
    for magic, compression in _MAGIC.items():
        if head.startswith(magic):
            return None if compression == "bz2" and head[4:10] != b"1AY&SY" else compression
    return None


@contextmanager
def open_content(location: Location, compression: Compression | None) -> Iterator[Any]:
    """Stream of a file's decompressed bytes, with a method `read(size)`.

    Raises:
        OSError: The file cannot be read, or its compression is damaged.
        DataError: A zip archive that does not hold exactly one file of rows.
    """
    filesystem = location.filesystem
    try:
        if compression not in ("xz", "zip"):
            with filesystem.open_input_stream(location.path, compression=compression) as stream:
                yield stream
            return
        with filesystem.open_input_file(location.path) as file:
            if compression == "xz":
                with lzma.open(file) as stream:
                    yield stream
                return
            with zipfile.ZipFile(file) as archive, archive.open(_member(location, archive)) as stream:
                yield stream
    except (zipfile.BadZipFile, lzma.LZMAError, EOFError) as error:
        raise OSError(f"its {compression} compression is damaged or cut off: {error}") from None


def read_up_to(stream: Any, size: int) -> bytes:
    """The next `size` bytes of a stream, fewer only at its end."""
    data = bytes(stream.read(size))
    while len(data) < size and (more := bytes(stream.read(size - len(data)))):
        data += more
    return data


def _member(location: Location, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and not info.filename.rsplit("/", 1)[-1].startswith(".")
    ]
    if any(info.filename == "[Content_Types].xml" for info in files):
        raise DataError(f"expected text in {location}, found a workbook; save it as CSV")
    rows = [info for info in files if info.filename.lower().endswith(_TEXT_ENDINGS)]
    chosen = rows if len(files) > 1 else files
    if len(chosen) != 1:
        names = ", ".join(info.filename for info in (chosen or files)[:5]) or "none"
        raise DataError(f"expected one file of rows in the zip archive {location}, found {names}; unpack it")
    if chosen[0].flag_bits & 1:
        raise DataError(f"expected rows in {location}, found a zip archive with a password; unpack it")
    return chosen[0]

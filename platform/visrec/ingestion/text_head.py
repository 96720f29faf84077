"""First block of a text file: its compression, its encoding, and whether it is text at all."""

import codecs
from dataclasses import dataclass
from typing import Literal

from visrec.errors import DataError
from visrec.ingestion.compression import Compression, compression_of, open_content, read_up_to
from visrec.storage import Location

_HEAD_BYTES = 1 << 18
_MAX_HEAD_BYTES = 64 << 20
"""First lines longer than this are not read."""
_CONTROLS = bytes({*range(32)} - {1, 9, 10, 13, 27, 28, 29, 30, 31})
_OTHER_FORMATS = {
    b"ARROW1": "an Arrow file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TextHead:
    """First block of a file, at least its first two lines, decoded to UTF-8 with `\\n` as line ends."""

    text: str
    compression: Compression | None
    encoding: str
    line_end: Literal[b"\n", b"\r"]
    complete: bool
    is_parquet: bool = False


def read_head(location: Location, encoding: str | None = None) -> TextHead:
    """Read the first block of a text file.

    Args:
        location: The file.
        encoding: Of its text; None: UTF-8 or UTF-16, found from its first bytes.

    Raises:
        DataError: The file cannot be read, or it is no text.
    """
    try:
        with open_content(location, None) as stream:
            start = read_up_to(stream, 64)
        compression = compression_of(start)
        if start.startswith(b"PAR1"):
            return TextHead(
                text="", compression=None, encoding="utf-8", line_end=b"\n", complete=False, is_parquet=True
            )
        with open_content(location, compression) as stream:
            head = read_up_to(stream, _HEAD_BYTES)
            complete = len(head) < _HEAD_BYTES
            while not complete and len(head) < _MAX_HEAD_BYTES and not _has_two_lines(head):
                more = read_up_to(stream, len(head))
                complete = len(more) < len(head)
                head += more
    except OSError as error:
        raise DataError(f"{location} cannot be read: {error}") from None
    _check_content(location, head, compression)
    encoding = encoding or _encoding(head, location)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    return_only = "\n" not in text.rstrip("\n") and "\r" in text.rstrip("\r\n")
    return TextHead(
        text=with_newlines(text),
        compression=compression,
        encoding=encoding,
        line_end=b"\r" if return_only else b"\n",
        complete=complete,
    )


def with_newlines(text: str) -> str:
    r"""Text whose lines all end with a line feed, whichever line ends they have.

    Example:
        >>> with_newlines("a\r\nb\rc\n")
        'a\nb\nc\n'
    """
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


def _encoding(head: bytes, location: Location) -> str:
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise DataError(
            f"expected UTF-8 or UTF-16 text in {location}, found UTF-32; convert it, e.g. with iconv -t UTF-8"
        )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    sample = head[:4096]
    if b"\0" not in sample or _num_controls(sample) <= max(
        1, len(sample) // 100
    ):  # a few may stand in values
        return "utf-8"
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.3 * half and even < 0.02 * half:
        return "utf-16-le"
    if even > 0.3 * half and odd < 0.02 * half:
        return "utf-16-be"
    found = "UTF-32" if 1.2 * half < even + odd < 1.6 * half else "binary data"
    advice = "convert it, e.g. with iconv -t UTF-8" if found == "UTF-32" else "is its format another one?"
    raise DataError(f"expected UTF-8 or UTF-16 text in {location}, found {found}; {advice}")


def _num_controls(sample: bytes) -> int:
    """Control characters that text does not hold."""
    return len(sample) - len(sample.translate(None, _CONTROLS))


def _has_two_lines(head: bytes) -> bool:
    body = head.lstrip(b"\r\n\t \xef\xbb\xbf\xff\xfe\0")
    if body.startswith(b"["):
        return True
    return body.count(b"\n") > 1 or (b"\n" not in body and body.count(b"\r") > 1)


def _check_content(location: Location, head: bytes, compression: Compression | None) -> None:
    inner = compression_of(head) if compression else None
    if inner:
        raise DataError(f"expected text in {location}, found {inner} within {compression}; unpack it once")
    if head[257:262] == b"ustar":
        raise DataError(f"expected text in {location}, found a tar archive; unpack it")
    for magic, name in _OTHER_FORMATS.items():
        if head.startswith(magic) and b"\0" in head:
            raise DataError(f"expected text in {location}, found {name}; convert it to Parquet or CSV")

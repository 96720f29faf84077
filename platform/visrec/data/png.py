"""Metadata and colour profiles of PNG files, taken out before Pillow reads them.

Pillow refuses a file whose compressed text or colour profile unpacks to more than a megabyte, or whose other metadata
are damaged. The pixels of such a picture are sound, and nothing else is needed but transparency and an orientation.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PROFILE_BYTES = 16 << 20
"""A colour profile that unpacks to more is left out."""
_MAX_TEXT_BYTES = 1 << 20
"""All text that is kept, unpacked."""
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_WITH_ORIENTATION = (b"XML:com.adobe.xmp", b"Raw profile type exif")
_ANCILLARY = 0x20
"""Bit of a chunk's first letter: pixels can be decoded without it."""
_TRANSPARENCY_BYTES = {0: 2, 2: 6, 3: 1}
"""Shortest tRNS chunk of each colour type."""
_HEADER = struct.Struct(">I4s")


def split_metadata(data: bytes) -> tuple[bytes, bytes | None]:
    """The file without the metadata that decoding does not need and without its colour profile, and that profile.

    Chunks with an orientation are kept where they are small. Data that are no PNG come back as they are.

    Example:
        >>> split_metadata(b"GIF89a")
        (b'GIF89a', None)
    """
    if not data.startswith(SIGNATURE):
        return data, None
    profile: bytes | None = None
    kept: list[memoryview] = []
    view = memoryview(data)
    budget, kept_from, start = _MAX_TEXT_BYTES, 0, len(SIGNATURE)
    while start + _HEADER.size <= len(data):
        length, name = _HEADER.unpack_from(data, start)
        end = start + _HEADER.size + length + 4  # four bytes of checksum
        if end > len(data):  # truncated: Pillow reports it
            break
        body = view[start + _HEADER.size : end - 4]
        drop = False
        if name == b"iCCP":
            drop = True
            profile = profile or _profile(body)
        elif name in _TEXT:
            size = _text_size(name, body, budget)
            drop = size is None
            budget -= size or 0
        elif name[0] & _ANCILLARY:
            drop = name not in (b"tRNS", b"eXIf") or (name == b"tRNS" and _is_short(data, body))
        if name[0] & _ANCILLARY and not drop:
            drop = zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end])
        if drop:
            kept.append(view[kept_from:start])
            kept_from = end
        start = end
    return (b"".join([*kept, view[kept_from:]]) if kept else data), profile


def _is_short(data: bytes, body: memoryview) -> bool:
    colour_type = data[25] if len(data) > 25 else 0  # the header's tenth byte
    return len(body) < _TRANSPARENCY_BYTES.get(colour_type, 0)


def _profile(body: memoryview) -> bytes | None:
    """The profile of an iCCP chunk: name, 0, compression method, compressed profile; None where it is damaged."""
    _, _, packed = bytes(body).partition(b"\0")
    return _unpack(packed[1:], MAX_PROFILE_BYTES)


def _text_size(name: bytes, body: memoryview, budget: int) -> int | None:
    """Unpacked bytes of a text chunk that may hold an orientation; None for others and for more than `budget`."""
    keyword, _, rest = bytes(body[:80]).partition(b"\0")
    if keyword not in _WITH_ORIENTATION or len(body) > budget:
        return None
    packed_from = len(keyword) + 2
    if name == b"iTXt":  # keyword, 0, whether compressed, method, language, 0, translated keyword, 0, text
        if rest[:1] != b"\1":
            return len(body)
        packed_from = len(body) - len(bytes(body[len(keyword) + 3 :]).split(b"\0", 2)[-1])
    if name == b"tEXt":
        return len(body)
    text = _unpack(bytes(body[packed_from:]), budget)
    return None if text is None else len(text)


def _unpack(packed: bytes, limit: int) -> bytes | None:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, limit)
    except zlib.error:
        return None
    return data if unpacker.eof else None

"""Metadata of JPEG files, taken out before Pillow reads them: it refuses a file for a damaged segment of no pixels."""

import struct

SIGNATURE = b"\xff\xd8\xff"
_APP0, _EXIF, _PROFILE, _ADOBE, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_SCAN = 0xDA
_NEEDED = {
    _APP0: (b"JFIF\0",),
    _EXIF: (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"),
    _PROFILE: (b"ICC_PROFILE\0",),
    _ADOBE: (b"Adobe",),
}
"""Beginnings of the application segments that decoding needs: colour space, orientation, profile, transform."""
_SHORTEST = {_APP0: 14, _EXIF: 8, _PROFILE: 15, _ADOBE: 12}
_LENGTH = struct.Struct(">H")


def without_metadata(data: bytes) -> bytes:
    """The file with those segments of comments and applications only that decoding needs.

    Among what is left out are previews and the index of further pictures (MPO), whose first picture is the file's own.
    Data that are no JPEG, or are damaged before their pixels, come back as they are.

    Example:
        >>> without_metadata(b"GIF89a")
        b'GIF89a'
    """
    if not data.startswith(SIGNATURE):
        return data
    view = memoryview(data)
    kept: list[memoryview] = []
    kept_from, start = 0, 2
    while start + 4 <= len(data) and data[start] == 0xFF:
        marker = data[start + 1]
        if marker == 0xFF:  # a fill byte
            start += 1
            continue
        if marker == _SCAN:
            break
        end = start + 2 + _LENGTH.unpack_from(data, start + 2)[0]
        if end > len(data) or end < start + 4:  # truncated: Pillow reports it
            return data
        if not _is_needed(marker, view[start + 4 : end]):
            kept.append(view[kept_from:start])
            kept_from = end
        start = end
    return b"".join([*kept, view[kept_from:]]) if kept else data


def _is_needed(marker: int, body: memoryview) -> bool:
    if marker != _COMMENT and not _APP0 <= marker <= _APP15:
        return True
    beginnings = _NEEDED.get(marker, ())
    return len(body) >= _SHORTEST.get(marker, 0) and any(bytes(body[: len(b)]) == b for b in beginnings)

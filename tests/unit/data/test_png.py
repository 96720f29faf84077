import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from visrec.data.decoding import decode_picture
from visrec.data.png import MAX_PROFILE_BYTES, SIGNATURE, split_metadata

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 30, 3)).astype(np.uint8)


def png(info: PngImagePlugin.PngInfo | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=info, **options)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    return decode_picture(data, height=8, width=8, max_pixels=10_000, max_bytes=100_000).image


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(name: bytes, body: bytes) -> bytes:
    """The picture with one more chunk after its header."""
    data = png()
    start = len(SIGNATURE) + 25
    return data[:start] + chunk(name, body) + data[start:]


MANY = b"history " * 400_000  # 3.2 MB, a few KB compressed


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (b"zTXt", b"parameters\0\0" + zlib.compress(MANY)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(MANY)),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(MANY)),
        (b"iCCP", b"large\0\0" + zlib.compress(MANY)),
        (b"iCCP", b"bomb\0\0" + zlib.compress(bytes(MAX_PROFILE_BYTES + 1))),
    ],
)
def test_metadata_of_megabytes_does_not_matter(name: bytes, body: bytes) -> None:
    data = with_chunk(name, body)
    with pytest.raises((ValueError, OSError)):  # by Pillow alone
        Image.open(io.BytesIO(data)).load()
    assert np.array_equal(np.asarray(decode(data)), PIXELS)


def test_many_texts_together_do_not_matter() -> None:
    info = PngImagePlugin.PngInfo()
    for number in range(70):
        info.add_text(f"prompt{number}", "x" * 1_000_000, zip=True)
    assert np.array_equal(np.asarray(decode(png(info))), PIXELS)


def test_large_profiles_come_back_whole() -> None:
    profile = bytes(range(256)) * 8192
    light, found = split_metadata(with_chunk(b"iCCP", b"name\0\0" + zlib.compress(profile)))
    assert found == profile
    assert light == png()


def test_files_without_metadata_are_not_copied() -> None:
    data = png()
    assert split_metadata(data)[0] is data


@pytest.mark.parametrize("compressed", [False, True])
def test_an_orientation_in_the_text_is_kept(compressed: bool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>', zip=compressed)
    assert decode(png(info)).size == (20, 30)


def test_truncated_chunks_are_left_to_the_decoder() -> None:
    data = with_chunk(b"zTXt", b"parameters\0\0" + zlib.compress(MANY))
    assert split_metadata(data[:60])[0] == data[:60]

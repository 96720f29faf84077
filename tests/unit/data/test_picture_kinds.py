"""Kinds of pictures and metadata in which the pixels are sound: each is decoded, to the right colour."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from visrec.data.decoding import decode_picture
from visrec.data.jpeg import without_metadata
from visrec.errors import PictureError

RED = (200, 30, 40)
PICTURE = Image.new("RGB", (40, 30), RED)
WHITE = (255, 255, 255)


def _encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _colour(data: bytes) -> Any:
    decoded = decode_picture(data, height=2, width=2, max_pixels=10**8, max_bytes=10**8)
    return decoded.pixels.reshape(-1, 3)


def _is(data: bytes, colour: tuple[int, int, int], tolerance: int = 2) -> bool:
    return bool(np.abs(_colour(data).astype(int) - colour).max() <= tolerance)


JPEG = _encode(PICTURE, "JPEG")
PNG = _encode(PICTURE, "PNG")


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _chunk(name: bytes, body: bytes, *, damaged: bool = False) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body) ^ damaged)


@pytest.mark.parametrize(
    "segments",
    [
        _segment(0xEB, b"x" * 65_000) * 300,
        _segment(0xFE, b"a comment" * 7_000) * 50,
        _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<x" * 30_000),
        _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0\xff\xfe\0"),
        _segment(0xE1, b"Exif\0\0damaged"),
        _segment(0xE1, b"Exif\0\0"),
        _segment(0xED, b"Photoshop 3.0\x008BIMxx"),
        _segment(0xE2, b"ICC_PROFILE\0"),
        _segment(0xE2, b"ICC_PROFILE\0\5\2abc"),
        _segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff"),
        _segment(0xEE, b"Adobe\0"),
        _segment(0xE0, b"JFIF\0"),
        b"\xff\xff" + _segment(0xFE, b"after fill bytes")[1:],
    ],
)
def test_segments_of_a_jpeg_do_not_matter(segments: bytes) -> None:
    assert _is(JPEG[:2] + segments + JPEG[2:], RED)
    assert np.array_equal(_colour(JPEG[:2] + segments + JPEG[2:]), _colour(JPEG))


def test_what_decoding_needs_of_a_jpeg_is_kept_and_an_ordinary_one_is_not_copied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _encode(PICTURE, "JPEG", exif=exif, icc_profile=b"p" * 100_000)
    assert without_metadata(data) is data
    assert without_metadata(data[:2] + _segment(0xFE, b"x") + data[2:]) == data
    assert without_metadata(data[:100]) == data[:100]


@pytest.mark.parametrize("file_format", ["MPO", "PNG", "WEBP", "GIF", "TIFF"])
def test_the_first_picture_of_several_is_taken(file_format: str) -> None:
    # Pictures of their own: saving leaves settings of the encoder in them.
    first, second = Image.new("RGB", (40, 30), RED), Image.new("RGB", (40, 30))
    data = _encode(first, file_format, save_all=True, append_images=[second])
    assert _is(data, RED)
    if file_format == "MPO":
        assert _is(data[:-50], RED)  # the second one is cut off


@pytest.mark.parametrize("mode", ["L", "CMYK", "YCbCr", "RGB"])
@pytest.mark.parametrize("progressive", [True, False])
def test_jpegs_of_all_modes(mode: str, progressive: bool) -> None:
    expected = (82, 82, 82) if mode == "L" else RED
    assert _is(_encode(PICTURE.convert(mode), "JPEG", progressive=progressive), expected)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_bytes_after_the_end_do_not_matter(file_format: str) -> None:
    assert _is(_encode(PICTURE, file_format) + b"trailing" * 100, RED)


@pytest.mark.parametrize(
    "chunk",
    [_chunk(name, b"x") for name in (b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"acTL", b"fcTL", b"eXIf", b"bKGD")]
    + [_chunk(b"gAMA", b"\0\0\1\0", damaged=True), _chunk(b"eXIf", b"II*\0", damaged=True)]
    + [_chunk(b"tRNS", b"\0" * 4), _chunk(b"sRGB", b""), _chunk(b"iTXt", b"abc"), _chunk(b"zTXt", b"")],
)
def test_damaged_metadata_of_a_png_do_not_matter(chunk: bytes) -> None:
    assert _is(PNG[:33] + chunk + PNG[33:], RED, 0)


def test_texts_and_tags_of_megabytes_do_not_matter() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "y" * 3_000_000, zip=True)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = "d" * 2_000_000
    for data in (
        _encode(PICTURE, "PNG", pnginfo=texts, icc_profile=b"z" * 5_000_000),
        _encode(PICTURE, "WEBP", xmp=b"x" * 2_000_000, lossless=True),
        _encode(PICTURE, "GIF", comment=b"c" * 200_000),
        _encode(PICTURE, "TIFF", tiffinfo=tags),
    ):
        assert _is(data, RED)


def _png(depth: int, colour_type: int, row: bytes, *chunks: bytes, width: int = 4) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, 4, depth, colour_type, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress((b"\0" + row) * 4))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _deep(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *(value * 257 for value in values))


PALETTE = _chunk(b"PLTE", bytes([*RED, 0, 0, 0]))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_png(16, 2, _deep(*RED) * 4), RED),
        (_png(16, 6, _deep(*RED, 255) * 4), RED),
        (_png(16, 4, _deep(77, 255) * 4), (77, 77, 77)),
        (_png(16, 4, _deep(77, 0) * 4), WHITE),
        (_png(16, 0, _deep(77) * 4), (77, 77, 77)),
        (_png(16, 0, _deep(77) * 4, _chunk(b"tRNS", _deep(77))), WHITE),
        (_png(16, 0, _deep(77) * 4, _chunk(b"tRNS", _deep(78))), (77, 77, 77)),
        (_png(8, 0, b"\x4d" * 4, _chunk(b"tRNS", b"\0\x4d")), WHITE),
        (_png(4, 0, b"\x55\x55"), (85, 85, 85)),
        (_png(2, 0, b"\xaa"), (170, 170, 170)),
        (_png(1, 0, b"\0", width=8), (0, 0, 0)),
        (_png(1, 0, b"\0", _chunk(b"tRNS", b"\0\0"), width=8), WHITE),
        (_png(1, 3, b"\0", PALETTE, width=8), RED),
        (_png(8, 3, b"\0\0\0\0", PALETTE, _chunk(b"tRNS", b"\0")), WHITE),
        (_png(8, 2, bytes(RED) * 4, _chunk(b"tRNS", struct.pack(">HHH", *RED))), WHITE),
    ],
)
def test_depths_and_transparency_of_png(data: bytes, expected: tuple[int, int, int]) -> None:
    assert _is(data, expected, 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 77.0, 82.0]], np.float32), [0, 77, 82]),
        (np.array([[np.nan, np.inf, 0.5]], np.float32), [0, 255, 128]),
        (np.array([[-np.inf, 1.0, -3.0]], np.float32), [0, 255, 0]),
        (np.array([[0, 77, 82]], np.int32), [0, 77, 82]),
        (np.array([[0, 257 * 77, 300]], np.int32), [0, 77, 1]),
        (np.array([[-5, 50_000, 100_000]], np.int32), [0, 128, 255]),
    ],
)
def test_wide_numbers_keep_the_range_that_holds_them(values: Any, expected: list[int]) -> None:
    data = _encode(Image.fromarray(values), "TIFF")
    decoded = decode_picture(data, height=1, width=3, max_pixels=100, max_bytes=10**6)
    assert decoded.pixels[0, :, 0].tolist() == expected


def test_a_palette_picture_without_a_palette_is_damaged() -> None:
    with pytest.raises(PictureError) as caught:
        _colour(_png(8, 3, b"\0\1\0\1"))
    assert caught.value.code == "truncated"

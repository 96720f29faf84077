import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from visrec.data.decoding import DecodedPicture, decode_picture, make_thumbnail
from visrec.errors import PictureError


def encode(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def decode(data: bytes, **changes: Any) -> DecodedPicture:
    settings = {"height": 4, "width": 6, "max_pixels": 100_000, "max_bytes": 100_000}
    return decode_picture(data, **{**settings, **changes})


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims any size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 16))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


RED = (200, 30, 40)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats_give_the_same_picture(file_format: str) -> None:
    picture = decode(encode(Image.new("RGB", (30, 20), RED), file_format))
    assert picture.pixels.shape == (4, 6, 3)
    assert picture.pixels.dtype == np.uint8
    assert (picture.width, picture.height) == (30, 20)
    assert np.abs(picture.pixels.astype(int) - RED).max() <= 6


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (9, 9), 77), (77, 77, 77)),
        (Image.new("1", (9, 9), 1), (255, 255, 255)),
        (Image.fromarray(np.full((9, 9), 40_000, np.uint16)), (156, 156, 156)),  # 40000 / 65535 * 255
        (Image.new("RGBA", (9, 9), (*RED, 255)), RED),
        (Image.new("RGBA", (9, 9), (*RED, 0)), (255, 255, 255)),
        (Image.new("RGBA", (9, 9), (0, 0, 0, 51)), (204, 204, 204)),  # 20% black on white
        (Image.new("LA", (9, 9), (0, 0)), (255, 255, 255)),
        (Image.new("RGB", (9, 9), RED).quantize(2), RED),
    ],
)
def test_modes(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert tuple(decode(encode(image)).pixels[2, 3]) == expected


def test_deep_grey_is_rounded_over_the_whole_picture() -> None:
    values = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    picture = decode(encode(Image.fromarray(values)), height=256, width=256, max_bytes=1_000_000)
    assert np.array_equal(picture.pixels[..., 0], (values.astype(int) * 2 + 257) // 514)  # v / 257, rounded


def test_transparent_palette_lies_on_white() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*RED, 0, 0, 0])
    assert tuple(decode(encode(image, transparency=0)).pixels[0, 0]) == (255, 255, 255)


def test_cmyk() -> None:
    pixels = decode(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")).pixels  # no cyan: red
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() < 12


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=10)
    assert tuple(decode(data).pixels[0, 0]) == RED


def test_orientation_is_applied() -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 20:] = 255  # white right side
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright: right becomes bottom
    picture = decode(encode(Image.fromarray(pixels), "JPEG", exif=exif), height=30, width=20)
    assert picture.image.size == (20, 30)
    assert picture.pixels[:15].max() < 30
    assert picture.pixels[25:].min() > 225


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_that_of_pillow(orientation: int, file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation  # 1 to 8 are valid, the others mean nothing
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8))
    data = encode(noise, file_format, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert np.array_equal(np.asarray(decode(data).image), np.asarray(expected))


def test_orientation_is_applied_where_the_other_metadata_are_damaged() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    written = exif.tobytes()
    damaged = written.replace(b"\x01\x0f\x00\x02", b"\x01\x00\x00\x02")  # the width, which is no text
    assert damaged != written
    data = encode(Image.new("RGB", (30, 20)), "JPEG", exif=damaged)
    with pytest.raises(struct.error):
        ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert decode(data).image.size == (20, 30)


def test_large_jpegs_are_decoded_small_but_not_below_the_detail() -> None:
    data = encode(Image.new("RGB", (1600, 1200), RED), "JPEG")
    wide = {"max_pixels": 10**7, "max_bytes": 10**7}
    assert decode(data, detail=100, **wide).image.size == (200, 150)
    assert decode(data, detail=600, **wide).image.size == (800, 600)
    assert decode(data, detail=100, height=300, width=300, **wide).image.size == (800, 600)
    assert (decode(data, **wide).width, decode(data, **wide).height) == (1600, 1200)


@pytest.mark.parametrize("size", [(1001, 100), (10_000, 10_000), (12_000, 12_000), (60_000, 60_000)])
def test_bombs_are_rejected_by_their_header(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError) as caught:
        decode(bomb(*size))
    assert caught.value.code == "too_many_pixels"


def test_large_files_are_rejected_unread() -> None:
    with pytest.raises(PictureError, match="at most 10 bytes, got 11") as caught:
        decode(b"x" * 11, max_bytes=10)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0"]
)
def test_data_that_are_not_a_picture(data: bytes) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.code == "not_an_image"


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_truncation_is_a_picture_error(file_format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    data = encode(Image.fromarray(noise), file_format)
    codes = set()
    for end in range(0, len(data) - 40, 37):
        try:
            decode(data[:end])
        except PictureError as error:
            codes.add(error.code)
    assert {"truncated", "not_an_image"} >= codes
    assert "truncated" in codes


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's notes on damaged metadata
def test_flipped_bytes_never_raise_anything_else() -> None:
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8))
    for file_format in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"):
        clean = np.frombuffer(encode(noise, file_format), np.uint8)
        for _ in range(60):
            data = clean.copy()
            data[rng.integers(0, len(data), 8)] = rng.integers(0, 256, 8)
            try:
                assert decode(data.tobytes()).pixels.shape == (4, 6, 3)
            except PictureError:
                continue


def test_thumbnails_keep_the_aspect_and_never_grow() -> None:
    large, small = Image.new("RGB", (400, 200), RED), Image.new("RGB", (40, 20), RED)
    assert Image.open(io.BytesIO(make_thumbnail(large, 100))).size == (100, 50)
    assert Image.open(io.BytesIO(make_thumbnail(small, 100))).size == (40, 20)
    assert large.size == (400, 200)

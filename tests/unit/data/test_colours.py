import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from visrec.data.decoding import decode_picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def tag(name: bytes, body: bytes) -> tuple[bytes, bytes]:
    return name, body + bytes(-len(body) % 4)


def fixed(value: float) -> bytes:
    return round(value * 65536).to_bytes(4, "big", signed=True)


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(fixed(value) for value in values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + (1).to_bytes(4, "big") + round(value * 256).to_bytes(2, "big")


def profile(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    """An ICC profile of version 2.1 with the given tags."""
    head = bytearray(128)
    head[8:12], head[12:16], head[16:20], head[20:24] = b"\x02\x10\0\0", b"mntr", space, b"XYZ "
    head[36:40], head[68:80] = b"acsp", b"".join(fixed(value) for value in (0.9642, 1, 0.8249))
    start, table, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags:
        table += name + (start + len(bodies)).to_bytes(4, "big") + len(body).to_bytes(4, "big")
        bodies += body
    head[0:4] = (start + len(bodies)).to_bytes(4, "big")
    return bytes(head) + len(tags).to_bytes(4, "big") + table + bodies


WHITE = tag(b"wtpt", xyz(0.9642, 1, 0.8249))
# Primaries of Adobe RGB (1998), adapted to D50, by its specification.
ADOBE = profile(
    b"RGB ",
    [
        WHITE,
        tag(b"rXYZ", xyz(0.60974, 0.31111, 0.01947)),
        tag(b"gXYZ", xyz(0.20528, 0.62567, 0.06087)),
        tag(b"bXYZ", xyz(0.14919, 0.06322, 0.74457)),
        *(tag(name, gamma(563 / 256)) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ],
)
GREY_LINEAR = profile(b"GRAY", [WHITE, tag(b"kTRC", gamma(1.0))])
GREEN_IN_ADOBE = (144, 255, 60)
"""Of sRGB (0, 255, 0), by the matrices of the two specifications."""


def decode(image: Image.Image, icc: bytes | None, file_format: str = "PNG") -> tuple[int, ...]:
    buffer = io.BytesIO()
    image.save(buffer, file_format, icc_profile=icc)
    found = decode_picture(buffer.getvalue(), height=4, width=4, max_pixels=10_000, max_bytes=1_000_000)
    return tuple(found.pixels[1, 1].tolist())


def near(found: tuple[int, ...], expected: tuple[int, ...], tolerance: int = 3) -> bool:
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= tolerance


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_a_wide_profile_gives_the_colours_that_people_see(file_format: str) -> None:
    image = Image.new("RGB", (16, 16), GREEN_IN_ADOBE)
    assert near(decode(image, ADOBE, file_format), (0, 255, 0), 12 if file_format in ("WEBP", "JPEG") else 3)
    assert near(decode(Image.new("RGB", (16, 16), "white"), ADOBE, file_format), (255, 255, 255))


def test_a_profile_that_is_srgb_changes_no_bit() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8))
    assert decode(noise, SRGB) == decode(noise, None)


@pytest.mark.parametrize(
    "icc", [b"x", ADOBE[:200], ADOBE[:128] + bytes(200), SRGB[:-900], GREY_LINEAR, b"\0" * 3000]
)
def test_broken_profiles_and_those_of_another_kind_leave_the_values(icc: bytes) -> None:
    assert decode(Image.new("RGB", (8, 8), GREEN_IN_ADOBE), icc) == GREEN_IN_ADOBE


def test_a_profile_that_makes_everything_black_is_broken() -> None:
    black = ADOBE
    for value in (0.60974, 0.31111, 0.01947, 0.20528, 0.62567, 0.06087, 0.14919, 0.06322, 0.74457):
        black = black.replace(fixed(value), bytes(4))
    assert decode(Image.new("RGB", (8, 8), GREEN_IN_ADOBE), black) == GREEN_IN_ADOBE


def test_grey_is_converted_by_a_grey_profile_and_not_by_a_colour_one() -> None:
    grey = Image.new("L", (8, 8), 55)
    linear = round(255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055))  # IEC 61966-2-1
    assert near(decode(grey, GREY_LINEAR), (linear,) * 3, 2)
    assert decode(grey, ADOBE) == (55, 55, 55)


def test_transparent_parts_are_white_whatever_the_profile() -> None:
    assert decode(Image.new("RGBA", (8, 8), (*GREEN_IN_ADOBE, 0)), ADOBE) == (255, 255, 255)
    assert near(decode(Image.new("RGBA", (8, 8), (*GREEN_IN_ADOBE, 255)), ADOBE), (0, 255, 0))
    assert near(decode(Image.new("LA", (8, 8), (55, 255)), GREY_LINEAR), (128, 128, 128), 2)


def test_palettes_are_converted() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*GREEN_IN_ADOBE, 0, 0, 0])
    assert near(decode(image, ADOBE), (0, 255, 0))


def test_lab_pixels_need_no_profile() -> None:
    lab = Image.new("LAB", (8, 8), (255, 128, 128))  # L* = 100, a* = b* = 0
    assert near(decode(lab, None, "TIFF"), (255, 255, 255))

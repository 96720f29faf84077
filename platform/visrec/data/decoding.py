"""Decoding of a picture's bytes to sRGB pixels: any format, mode, profile and orientation, guarded against bombs.

Ingest and server use the same function, so that an uploaded picture becomes the pixels that a catalogue picture
would have become. Decoding is Pillow's.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from visrec.data.colours import to_srgb
from visrec.data.jpeg import without_metadata
from visrec.data.png import split_metadata
from visrec.errors import PictureError

# Pillow's other readers are left out: some start programs (EPS), and shops have no pictures of the rest.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
THUMBNAIL_QUALITY = 85
"""Of JPEG, up to 100."""

_STRIP_ROWS = 64

# What Pillow's readers raise on damaged data.
_DAMAGE = (
    AssertionError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

# Not `ImageOps.exif_transpose`: it also writes the metadata anew, fails where they are damaged, and the picture would
# stay on its side.
_TRANSPOSE_OF_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodedPicture:
    """A decoded picture.

    Attributes:
        pixels: The picture at the requested size, RGB, uint8 [H, W, 3].
        image: The picture upright in RGB, at the size at which it was decoded.
        width: Width in pixels by the file's header.
        height: Height in pixels by the file's header.
    """

    pixels: NDArray[np.uint8]
    image: Image.Image
    width: int
    height: int


def decode_picture(
    data: bytes, *, height: int, width: int, max_pixels: int, max_bytes: int, detail: int = 512
) -> DecodedPicture:
    """Decode a picture and resize it, without keeping its aspect ratio.

    Transparent parts become white, an animation gives its first frame, 16 bits become 8, EXIF orientation is applied,
    colours become sRGB by the embedded profile; a broken profile is not used.

    Args:
        data: The file's bytes.
        height: Rows of `pixels`.
        width: Columns of `pixels`.
        max_pixels: Pictures with more by their header are rejected before anything is decoded.
        max_bytes: Longer data is rejected.
        detail: Large JPEGs are decoded at a fraction of their size, with no side below this, nor below twice the
            requested size.

    Raises:
        PictureError: With code `too_large`, `not_an_image`, `too_many_pixels` or `truncated`.

    Example:
        >>> picture = decode_picture(data, height=64, width=64, max_pixels=10**7, max_bytes=10**7)  # doctest: +SKIP
        >>> picture.pixels.shape                                                                    # doctest: +SKIP
        (64, 64, 3)
    """
    if len(data) > max_bytes:
        raise PictureError(f"expected at most {max_bytes:,} bytes, got {len(data):,}", code="too_large")
    light, png_profile = split_metadata(without_metadata(data))
    image = _open(light, max_pixels)
    size = image.size
    min_side = max(detail, 2 * height, 2 * width)
    try:
        image.draft(None, (min_side, min_side))
        image.load()
        rgb = _apply_orientation(image, _to_rgb(image, png_profile or _profile(image)))
    except _BOMB:
        raise PictureError(
            "expected a picture of sane size, got a decompression bomb", code="too_many_pixels"
        ) from None
    except _DAMAGE as error:
        raise PictureError(f"the picture is truncated or damaged: {error}", code="truncated") from None
    pixels = np.asarray(rgb.resize((width, height), Image.Resampling.BILINEAR))
    return DecodedPicture(pixels=pixels, image=rgb, width=size[0], height=size[1])


def make_thumbnail(image: Image.Image, size: int) -> bytes:
    """A JPEG whose longer side is at most `size` pixels; smaller pictures keep their size."""
    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()


def _open(data: bytes, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        shown = "an empty file" if not data else f"{len(data):,} bytes of something else"
        raise PictureError(
            f"expected a picture ({', '.join(FORMATS)}), got {shown}", code="not_an_image"
        ) from None
    except _BOMB as error:
        raise PictureError(
            f"expected at most {max_pixels:,} pixels: {error}", code="too_many_pixels"
        ) from None
    except _DAMAGE as error:
        raise PictureError(f"the picture's header is damaged: {error}", code="truncated") from None
    if image.width * image.height > max_pixels:
        raise PictureError(
            f"expected at most {max_pixels:,} pixels, got {image.width} x {image.height}",
            code="too_many_pixels",
        )
    return image


def _profile(image: Image.Image) -> bytes | None:
    """The embedded colour profile."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile else None


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if profile is not None:
            opaque = image.convert("L") if image.mode in ("L", "LA") else rgba.convert("RGB")
            alpha = rgba.getchannel("A")
            rgba = to_srgb(opaque, profile).convert("RGBA")
            rgba.putalpha(alpha)
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return to_srgb(image if image.mode in ("L", "CMYK", "LAB") else image.convert("RGB"), profile)


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits to 8; Pillow's own conversion would clip everything above 255."""
    values = np.asarray(image)
    white = _white(values, image.mode)
    grey = np.empty(values.shape, np.uint8)
    # In strips: 64-bit copies of a whole picture would take gigabytes.
    for row in range(0, len(values), _STRIP_ROWS):
        strip = values[row : row + _STRIP_ROWS].astype(np.float64)
        grey[row : row + _STRIP_ROWS] = (np.nan_to_num(strip).clip(0, white) * (255.0 / white)).round()
    opaque = Image.fromarray(grey, "L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return opaque
    opaque.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8), "L"))
    return opaque


def _white(values: NDArray[Any], mode: str) -> float:
    """Value of white: that of 16 bits; of wider numbers, which have none, the least range that holds all of them."""
    if mode.startswith("I;16"):
        return 65535.0
    finite = np.max(values, initial=0, where=np.isfinite(values))
    ranges = (255.0, 65535.0) if mode.startswith("I") else (1.0, 255.0, 65535.0)
    return next((white for white in ranges if finite <= white), float(finite))


def _apply_orientation(image: Image.Image, rgb: Image.Image) -> Image.Image:
    """`rgb` transposed by the orientation in the metadata of `image`."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except _DAMAGE:  # damaged metadata do not make the picture unusable
        return rgb
    transpose = _TRANSPOSE_OF_ORIENTATION.get(orientation) if isinstance(orientation, int) else None
    return rgb if transpose is None else rgb.transpose(transpose)

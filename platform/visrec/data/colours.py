"""Conversion of pixels to sRGB by the colour profile that is embedded in a picture."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
"""Colour space that a profile must have for pixels of each mode."""
_SAME = 2
"""A profile that moves no colour by more, of 255, is that of sRGB."""
_SMALLEST_RANGE = 64
"""A profile that leaves less between the darkest and the lightest value, of 255, is broken."""
_GRID = 17
_MAX_PROFILES = 32
"""Profiles whose conversions a process remembers; building one takes some milliseconds."""
# What ImageCms raises on damaged profiles.
_DAMAGE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture of mode RGB, L or CMYK in sRGB, as RGB; LAB pixels need no profile.

    The intent is perceptual. A profile that is broken, or of another colour space than the pixels, is not used; that of
    sRGB changes nothing.

    Args:
        image: The picture.
        profile: The ICC profile; None takes the values as they are.

    Example:
        >>> to_srgb(Image.new("L", (1, 1), 7), None).getpixel((0, 0))
        (7, 7, 7)
    """
    if image.mode == "LAB":
        return _lab_transform().apply(image)
    transform = _transform(profile, image.mode) if profile and image.mode in _SPACES else None
    return image.convert("RGB") if transform is None else transform.apply(image)


@lru_cache(maxsize=_MAX_PROFILES)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion of a profile; None where it is that of sRGB, broken, or of another colour space."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        probe = _probe(mode)
        converted = np.asarray(transform.apply(probe), np.int16)
    except _DAMAGE:
        return None
    moved = np.abs(converted - np.asarray(probe.convert("RGB"), np.int16)).max()
    return None if moved <= _SAME or np.ptp(converted) < _SMALLEST_RANGE else transform


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )


def _probe(mode: str) -> Image.Image:
    """A picture with colours from all over the space of a mode."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, _GRID).round().astype(np.uint8)
    rgb = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    return Image.fromarray(rgb).convert(mode)

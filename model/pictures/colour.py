"""Embedded colour profiles: numbers of other colour spaces become those of sRGB, by littlecms."""

from __future__ import annotations

from functools import cache, lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""The colour space that a profile must be of, by Pillow's mode."""
_MAX_PROFILE = 4_000_000
_SMALL_PROFILE = 65_536
_SAME = 2  # levels of 255 by which a profile may differ from sRGB and still be taken for it


def srgb(picture: Image.Image, profile: object) -> Image.Image:
    """An RGB, L or CMYK picture in RGB, whose numbers mean sRGB.

    A profile that is broken, of another kind of picture, or sRGB in all but name changes nothing, as in browsers.
    """
    transform = _transform_for(profile, picture.mode) if isinstance(profile, bytes) and profile else None
    if transform is None:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # it is only where a picture is changed in place
    return converted


def _transform_for(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    if mode not in _SPACES or len(profile) > _MAX_PROFILE:
        return None
    return _small(profile, mode) if len(profile) <= _SMALL_PROFILE else _large(profile, mode)


def _build(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(source, _srgb_profile(), mode, "RGB")
        return None if _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):  # the profile is the sender's
        return None


_small = lru_cache(64)(_build)
_large = lru_cache(4)(_build)  # those of printers hold megabytes


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode == "CMYK":
        return False
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        probe = Image.fromarray(levels[None])
    else:
        probe = Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3))
    changed = ImageCms.applyTransform(probe, transform)
    difference = np.asarray(changed, np.int16) - np.asarray(probe.convert("RGB"), np.int16)
    return int(np.abs(difference).max()) <= _SAME

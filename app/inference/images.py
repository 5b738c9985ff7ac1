"""Decodes untrusted picture bytes within limits.

What a picture is, model.pictures says; here its size is checked from the header before any pixel is decoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from app.errors import BrokenImageError, EmptyBodyError, GlassbotError, NotAnImageError, TooManyPixelsError
from app.errors import UnreadKindError as UnreadImageKindError
from model.pictures import opening as pictures
from model.pictures.errors import DamagedError, NotAPictureError, PictureError, UnreadKindError, explained
from model.pictures.kinds import name_of
from model.preprocess import Crop, TakesPictures, centre_square, least_side, prepare

_ERRORS: dict[type[PictureError], type[GlassbotError]] = {
    NotAPictureError: NotAnImageError,
    UnreadKindError: UnreadImageKindError,
    DamagedError: BrokenImageError,
}
_JPEG = ("JPEG", "MPO")
_DECODED_SMALLER = (*_JPEG, "JPEG2000", "RAW")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Most pixels that the header of a picture may declare."""

    jpeg_pixels: int = 210_000_000
    """For JPEG, which is decoded at a reduced size and may therefore be larger."""
    pixels: int = 50_000_000
    """For a picture of every other format, of 8 bits a sample; a deeper one counts by its bytes."""

    @property
    def progressive_pixels(self) -> int:
        """For progressive JPEG, whose decoder holds all coefficients at any size."""
        return max(self.pixels, self.jpeg_pixels // 2)


@dataclass(frozen=True, kw_only=True)
class DecodedImage:
    """A picture that is decoded, cropped and resized for the network."""

    pixels: NDArray[np.uint8]
    """(S, S, 3) RGB: the square that the network sees."""
    crop: Crop
    """Where that square lies, in pixels of the whole upright picture."""
    width: int
    """Width of the whole upright picture, in pixels."""
    height: int
    """Height of the whole upright picture, in pixels."""
    format: str
    """Name of the file format, such as JPEG or WebP."""
    sha256: str
    """Hexadecimal SHA-256 of the bytes that were sent."""


@dataclass(frozen=True)
class ImageName:
    """A picture that was sent before, by the SHA-256 of its bytes."""

    sha256: str
    """64 hexadecimal digits in lower case."""


Picture = bytes | ImageName
"""Which picture a request is about: the bytes of its file, or the name of one whose pixels are kept."""


class PixelBudget:
    """Lets all decoder threads together hold at most ``total`` decoded pixels; a thread waits for its share."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Hold ``pixels`` while the block runs, or the whole budget where it is smaller. Blocks until they are free."""
        share = min(pixels, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= share)
            self._free -= share
        try:
            yield
        finally:
            with self._changed:
                self._free += share
                self._changed.notify_all()


def open_picture(body: bytes, limits: Limits) -> Image.Image:
    """Open a picture and check its size, without decoding it.

    Raises EmptyBodyError, NotAnImageError, UnreadKindError, BrokenImageError or TooManyPixelsError.
    """
    if not body:
        raise EmptyBodyError("The upload holds no bytes: send a picture.")
    try:
        picture = pictures.open_picture(body)
    except PictureError as error:
        raise _ours(error) from error
    _check_size(picture, limits)
    return picture


def decode_image(
    body: bytes, takes: TakesPictures, *, limits: Limits, budget: PixelBudget, sha256: str | None = None
) -> DecodedImage:
    """Decode one picture, and crop and resize it to what a network ``takes``. Blocking.

    ``sha256`` is that of ``body``, where it is known already. Raises as :func:`open_picture`.
    """
    digest = sha256 or hashlib.sha256(body).hexdigest()
    with open_picture(body, limits) as picture:
        name = name_of(picture.format)
        stored_size = picture.size
        try:
            pictures.shrink(picture, (least_side(takes),) * 2)
            held = pictures.held_pixels(picture)
            if "progressive" in picture.info:  # all of its coefficients, at any size
                held = max(held, stored_size[0] * stored_size[1])
            with budget.hold(held):
                pixels, crop, upright_size = prepare(picture, takes)
        except Exception as error:  # decoders raise whatever hostile bytes lead them to
            raise _ours(explained(error, name)) from error
        if picture.format in _DECODED_SMALLER and picture.size != stored_size:
            upright_size = stored_size[::-1] if _lies_on_its_side(picture) else stored_size
            crop = centre_square(*upright_size)
    width, height = upright_size
    return DecodedImage(pixels=pixels, crop=crop, width=width, height=height, format=name, sha256=digest)


def _ours(error: PictureError) -> GlassbotError:
    """The problem that answers a picture's error, in the same words."""
    return _ERRORS[type(error)](str(error))


def _check_size(picture: Image.Image, limits: Limits) -> None:
    allowed = limits.pixels
    if picture.format in _JPEG:
        allowed = limits.progressive_pixels if "progressive" in picture.info else limits.jpeg_pixels
    deep = max(4, getattr(picture, "bytes_per_pixel", 4)) / 4
    if picture.width * picture.height * deep > allowed:
        name = name_of(picture.format)
        size = f"{picture.width} × {picture.height}"
        picture.close()
        raise TooManyPixelsError(
            f"This {name} picture declares {size} pixels; at most {allowed / deep / 1e6:.3g} million are decoded: "
            "send it smaller."
        )


def _lies_on_its_side(picture: Image.Image) -> bool:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
    except Exception:  # broken EXIF is ignored, as model.pictures does
        return False

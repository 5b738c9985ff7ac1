"""Decodes untrusted picture bytes within limits.

The format is told from the content, never from a file name, and the size is checked from the header before any pixel
is decoded.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from threading import Condition, get_native_id

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from app.errors import BrokenImageError, EmptyBodyError, NotAnImageError, TooManyPixelsError
from model.preprocess import Crop, centre_square, prepare

FORMATS = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC"
_NAMES = {"WEBP": "WebP", "MPO": "JPEG", "HEIF": "HEIC"}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), ("AVIF",)),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), ("HEIF",)),
    **dict.fromkeys((b"mif1", b"msf1"), ("AVIF", "HEIF")),
}
_NICENESS = 10
"""How much lower than the engine's the priority of decoder threads is (see nice(2))."""
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Most pixels that the header of a picture may declare."""

    jpeg_pixels: int = 100_000_000
    """For JPEG, which is decoded at a reduced size and may therefore be larger."""
    pixels: int = 40_000_000
    """For a picture of every other format."""


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


def decoder_threads(number: int) -> ThreadPoolExecutor:
    """Threads to decode on, of lower priority than the engine's.

    The engine's threads wait for each other, hence for the slowest; a decoder that took its core would delay them all.
    """
    return ThreadPoolExecutor(number, thread_name_prefix="decode", initializer=_lower_priority)


def _lower_priority() -> None:
    if sys.platform == "linux":  # elsewhere a priority belongs to the whole process
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)


def sniff(body: bytes) -> tuple[str, ...]:
    """Pillow's names of the formats that the first bytes can belong to; empty where none of ours fits."""
    if body[4:8] == b"ftyp":
        return _BRANDS.get(body[8:12], ())
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return ("WEBP",)
    if body.startswith(b"BM") and int.from_bytes(body[14:18], "little") in _BMP_HEADER_SIZES:
        return ("BMP",)
    for start, name in (
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"II+\x00", "TIFF"),
        (b"MM\x00+", "TIFF"),
    ):
        if body.startswith(start):
            return (name,)
    return ()


def open_picture(body: bytes, limits: Limits) -> Image.Image:
    """Open a picture and check its size, without decoding it.

    Raises EmptyBodyError, NotAnImageError, BrokenImageError or TooManyPixelsError.
    """
    if not body:
        raise EmptyBodyError("The upload holds no bytes: send a picture.")
    formats = sniff(body)
    if not formats:
        raise NotAnImageError(f"These bytes are no picture that is read here: send {FORMATS}.")
    _configure_pillow()
    try:
        picture = Image.open(BytesIO(body), formats=formats)
    except UnidentifiedImageError as error:
        raise BrokenImageError(
            f"This begins like {_name(formats[0])}, but its header is damaged or cut off."
        ) from error
    except Exception as error:  # decoders raise whatever hostile bytes lead them to
        raise BrokenImageError(f"The header of this {_name(formats[0])} picture is damaged.") from error
    _check_size(picture, limits)
    return picture


def decode_image(
    body: bytes, *, size: int, limits: Limits, budget: PixelBudget, sha256: str | None = None
) -> DecodedImage:
    """Decode one picture, and crop and resize it to the (``size``, ``size``) pixels of a network. Blocking.

    ``sha256`` is that of ``body``, where it is known already. Raises as :func:`open_picture`.
    """
    digest = sha256 or hashlib.sha256(body).hexdigest()
    with open_picture(body, limits) as picture:
        name = _name(picture.format or "?")
        stored_size = picture.size
        try:
            # The decoder itself halves a large JPEG, as long as no side falls below the network's.
            picture.draft(None, (size, size))
            scaled = picture.size != stored_size
            sideways = scaled and _lies_on_its_side(picture)
            with budget.hold(picture.width * picture.height):
                pixels, crop, upright_size = prepare(picture, size)
        except Exception as error:  # decoders raise whatever hostile bytes lead them to
            raise BrokenImageError(
                f"This {name} picture is damaged or cut off, and cannot be decoded to its end."
            ) from error
    if scaled:
        upright_size = (stored_size[1], stored_size[0]) if sideways else stored_size
        crop = centre_square(*upright_size)
    width, height = upright_size
    return DecodedImage(pixels=pixels, crop=crop, width=width, height=height, format=name, sha256=digest)


def _name(pillow: str) -> str:
    """The name of a format for people, from Pillow's."""
    return _NAMES.get(pillow, pillow)


def _check_size(picture: Image.Image, limits: Limits) -> None:
    allowed = limits.jpeg_pixels if picture.format in ("JPEG", "MPO") else limits.pixels
    if picture.width * picture.height > allowed:
        name = _name(picture.format or "?")
        size = f"{picture.width} × {picture.height}"
        picture.close()
        raise TooManyPixelsError(
            f"This {name} picture declares {size} pixels; at most {allowed / 1e6:g} million are decoded."
        )


def _lies_on_its_side(picture: Image.Image) -> bool:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
    except Exception:  # broken EXIF is ignored, as model.preprocess does
        return False


@cache
def _configure_pillow() -> None:
    """Once in a process: teach Pillow HEIC, and replace its limit of pixels by ours."""
    pi_heif.register_heif_opener(thumbnails=False, aux_images=False, depth_images=False, decode_threads=1)
    Image.MAX_IMAGE_PIXELS = None

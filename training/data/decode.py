"""Decodes encoded pictures to pixels of one shape, and keeps a record of those that are broken."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from model.pictures.errors import PictureError
from model.pictures.opening import open_picture, shrink
from model.pictures.upright import upright_rgb
from model.preprocess import FILTER
from training.data.errors import BrokenPicture, DataError
from training.data.order import evenly_spaced
from training.data.split import EncodedPictures

Pixels = NDArray[np.uint8]
_SAMPLE = 64
_MAX_ENLARGED = 4  # times ``side``: pictures of one shape up to this size are not resized


def decode(data: bytes, shape: tuple[int, int]) -> Pixels:
    """(H, W, 3), upright RGB; of a picture of another size the middle, resized.

    Raises PictureError, or whatever Pillow raises for broken pixels.
    """
    height, width = shape
    with open_picture(data) as picture:
        shrink(picture, (2 * width, 2 * height))  # a large JPEG need not be decoded in full
        rgb = upright_rgb(picture)
        if rgb.size != (width, height):
            box = _central_box(*rgb.size, width, height)
            rgb = rgb.resize((width, height), FILTER, box=box, reducing_gap=2.0)
        return np.asarray(rgb)


def _central_box(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """The largest centred box of the target's aspect ratio; ``centre_square`` where that is square."""
    across = max(1, min(width, round(height * to_width / to_height)))
    down = max(1, min(height, round(width * to_height / to_width)))
    left = (width - across) // 2
    top = (height - down) // 2
    return left, top, left + across, top + down


def size_of(data: bytes) -> tuple[int, int]:
    """Upright (height, width) of an encoded picture. Raises as :func:`decode`."""
    with open_picture(data) as picture:
        width, height = upright_rgb(picture).size
    return height, width


def shape_for(pictures: EncodedPictures, side: int) -> tuple[int, int]:
    """(H, W) of the decoded pictures, from a sample that is the same each time.

    Their own where they have one shape, up to four times ``side``; else the square of ``side`` pixels. Raises DataError
    where none of the sample can be decoded.
    """
    if side < 1:
        raise ValueError(f"side must be at least 1 pixel, not {side}.")
    shapes = set()
    first_broken = ""
    indices = evenly_spaced(len(pictures), _SAMPLE, pictures.blocks)
    for index in indices.tolist():
        try:
            shapes.add(size_of(pictures.read(index)))
        except DataError:
            raise
        except Exception as error:
            first_broken = first_broken or str(BrokenPicture(pictures.name(index), reason_of(error)))
    if not shapes:
        raise DataError(f"None of {len(indices)} pictures tried can be decoded, the first being {first_broken}.")
    only = shapes.pop()
    return (side, side) if shapes or max(only) > _MAX_ENLARGED * side else only


def reason_of(error: Exception) -> str:
    """Why a picture cannot be decoded, in a few words, from the error of its decoder."""
    if isinstance(error, PictureError):
        return error.reason
    if "cannot identify image file" in str(error):
        return "not a picture in a known format"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """The threads that decode pictures, shared by all sets of the process."""
    return ThreadPoolExecutor(threads, thread_name_prefix="decode")


def threads_for(world: int) -> int:
    """One process's share of the processors that ``world`` processes may use, at least 1."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, available // world)


class Decoder:
    """Decodes pictures of one split by index; records broken ones, and lets the next good one stand in."""

    def __init__(self, pictures: EncodedPictures, shape: tuple[int, int], max_bad: float, place: str) -> None:
        self.pictures = pictures
        self.shape = shape
        self._allowed = int(max_bad) if max_bad >= 1 else math.ceil(max_bad * len(pictures))
        self._place = place
        self._reasons: dict[int, str] = {}
        self._lock = Lock()

    @property
    def broken(self) -> tuple[BrokenPicture, ...]:
        """The broken pictures met so far, in the order of the set."""
        with self._lock:
            reasons = sorted(self._reasons.items())
        return tuple(BrokenPicture(self.pictures.name(index), reason) for index, reason in reasons)

    def decode_into(self, index: int, pixels: Pixels) -> int:
        """Write picture ``index``, or the next good one, into ``pixels`` (H, W, 3); returns the index of the one used.

        Raises DataError where more are broken than ``max_bad`` allows.
        """
        for step in range(len(self.pictures)):
            candidate = (index + step) % len(self.pictures)
            if candidate not in self._reasons and self._try_decoding(candidate, pixels):
                return candidate
        raise DataError(f"No picture of {self._place} can be decoded.")

    def _try_decoding(self, index: int, pixels: Pixels) -> bool:
        try:
            pixels[:] = decode(self.pictures.read(index), self.shape)
        except DataError:
            raise
        except Exception as error:  # a hostile or damaged file makes Pillow raise nearly anything
            self._record_broken(index, reason_of(error))
            return False
        return True

    def _record_broken(self, index: int, reason: str) -> None:
        with self._lock:
            self._reasons[index] = reason
            count = len(self._reasons)
        if count > self._allowed:
            first = BrokenPicture(self.pictures.name(index), reason)
            raise DataError(
                f"More than {self._allowed} of the {len(self.pictures):,} pictures of {self._place} cannot be decoded, "
                f"among them {first}: `python -m training inspect` names them all."
            )

"""Encoded pictures to pixels of one shape, with an account of those that are broken."""

from __future__ import annotations

import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.preprocess import FILTER, upright_rgb
from training.data.errors import Broken, DataError
from training.data.order import spread
from training.data.split import Encoded

Pixels = NDArray[np.uint8]
_SAMPLE = 64
_AS_IT_IS = 4  # times ``side``: pictures of one shape up to this size are not resized


def decode(data: bytes, shape: tuple[int, int]) -> Pixels:
    """(H, W, 3), upright RGB; of a picture of another size the middle, resized. Raises whatever Pillow raises."""
    height, width = shape
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft(None, (2 * width, 2 * height))  # a large JPEG need not be decoded in full
        rgb = upright_rgb(picture)
        if rgb.size != (width, height):
            box = _middle(*rgb.size, width, height)
            rgb = rgb.resize((width, height), FILTER, box=box, reducing_gap=2.0)
        return np.asarray(rgb)


def _middle(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """The largest centred box of the target's aspect; ``centre_square`` where that is square."""
    across = max(1, min(width, round(height * to_width / to_height)))
    down = max(1, min(height, round(width * to_height / to_width)))
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def size_of(data: bytes) -> tuple[int, int]:
    """Upright (height, width). Raises whatever Pillow raises."""
    with Image.open(io.BytesIO(data)) as picture:
        width, height = upright_rgb(picture).size
    return height, width


def shape_for(pictures: Encoded, side: int) -> tuple[int, int]:
    """(H, W) of the decoded pictures, from a sample that is the same each time.

    Their own where they have one shape, up to four times ``side``; else the square of ``side`` pixels. Raises DataError
    where none of the sample can be decoded.
    """
    if side < 1:
        raise ValueError(f"side must be at least 1 pixel, not {side}.")
    shapes, reason, indices = set(), "", spread(len(pictures), _SAMPLE, pictures.blocks)
    for index in indices.tolist():
        try:
            shapes.add(size_of(pictures.read(index)))
        except DataError:
            raise
        except Exception as error:
            reason = reason or str(Broken(pictures.name(index), said(error)))
    if not shapes:
        raise DataError(f"None of {len(indices)} pictures tried can be decoded, the first being {reason}.")
    only = shapes.pop()
    return (side, side) if shapes or max(only) > _AS_IT_IS * side else only


def said(error: Exception) -> str:
    """An error of a decoder in a few words."""
    if "cannot identify image file" in str(error):
        return "not a picture in a known format"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """The threads that decode, shared by all sets of the process."""
    return ThreadPoolExecutor(threads, thread_name_prefix="decode")


def threads_for(world: int) -> int:
    """A process's share of the processors it may use."""
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, able // world)


class Decoder:
    """Pictures of one half by index. A broken one is noted, and the next good one stands in for it."""

    def __init__(self, pictures: Encoded, shape: tuple[int, int], max_bad: float, where: str) -> None:
        self.pictures, self.shape = pictures, shape
        self._allowed = int(max_bad) if max_bad >= 1 else math.ceil(max_bad * len(pictures))
        self._where = where
        self._reasons: dict[int, str] = {}
        self._lock = Lock()

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Those met so far, in the order of the set."""
        with self._lock:
            reasons = sorted(self._reasons.items())
        return tuple(Broken(self.pictures.name(index), reason) for index, reason in reasons)

    def fill(self, index: int, pixels: Pixels) -> int:
        """Write picture ``index``, or the next good one, into ``pixels`` (H, W, 3); which one it was.

        Raises DataError where more are broken than ``max_bad`` allows.
        """
        for step in range(len(self.pictures)):
            at = (index + step) % len(self.pictures)
            if at not in self._reasons and self._decoded(at, pixels):
                return at
        raise DataError(f"No picture of {self._where} can be decoded.")

    def _decoded(self, index: int, pixels: Pixels) -> bool:
        try:
            pixels[:] = decode(self.pictures.read(index), self.shape)
        except DataError:
            raise
        except Exception as error:  # a hostile or damaged file makes Pillow raise nearly anything
            self._note(index, said(error))
            return False
        return True

    def _note(self, index: int, reason: str) -> None:
        with self._lock:
            self._reasons[index] = reason
            count = len(self._reasons)
        if count > self._allowed:
            first = Broken(self.pictures.name(index), reason)
            raise DataError(
                f"More than {self._allowed} of the {len(self.pictures):,} pictures of {self._where} cannot be decoded, "
                f"among them {first}: `python -m training inspect` names them all."
            )

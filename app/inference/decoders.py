"""The threads that pictures are decoded on, and what they may hold together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import get_native_id
from typing import Any

from app.inference.images import DecodedImage, Limits, PixelBudget, decode_image
from app.settings import Settings
from model.preprocess import TakesPictures

_NICENESS = 10
"""How much lower than the engine's their priority is (see nice(2))."""


class Decoders(ThreadPoolExecutor):
    """``number`` threads to decode on, of lower priority than the engine's.

    The engine's threads wait for each other, hence for the slowest; a decoder that took its core would delay them all.
    """

    def __init__(self, number: int, limits: Limits | None = None) -> None:
        super().__init__(number, thread_name_prefix="decode", initializer=_lower_priority)
        self._number = number
        self._limits = limits or Limits()
        self._budget = PixelBudget(self._limits.pixels)
        self._unfinished: set[Future[Any]] = set()

    @classmethod
    def of(cls, settings: Settings) -> Decoders:
        """As many threads, and pictures as large, as the settings say."""
        limits = Limits(jpeg_pixels=int(settings.max_jpeg_mpx * 1e6), pixels=int(settings.max_mpx * 1e6))
        return cls(settings.decode_threads, limits)

    def decode(self, body: bytes, takes: TakesPictures, sha256: str | None = None) -> DecodedImage:
        """Decode on the thread that calls. Raises as :func:`app.inference.images.decode_image`."""
        return decode_image(body, takes, limits=self._limits, budget=self._budget, sha256=sha256)

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Do work on the next thread that is free."""
        future = super().submit(work, *arguments, **options)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return future

    def all_busy(self) -> bool:
        """Return whether every thread has a picture, so that further ones will be there in a moment."""
        return len(self._unfinished) >= self._number


def _lower_priority() -> None:
    if sys.platform != "linux":  # elsewhere a priority belongs to the whole process
        return
    with suppress(OSError):  # not all systems allow it, and answers are only a little slower without
        os.setpriority(os.PRIO_PROCESS, get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)

"""A photo that a command was given, wherever it lies, and its embedding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import GlassbotError
from app.inference.offline import network
from app.inference.offline.in_order import in_order
from app.inference.offline.paths import printable, reading_error
from app.inference.predictor import Predictor


@dataclass(frozen=True)
class Photo:
    """The file of a photo, which is read when it is wanted."""

    place: str
    """Where it lies, as messages name it."""
    file_name: str
    """Its own name, without any folder."""
    read: Callable[[], bytes]
    """Returns its bytes. Raises OSError."""


@dataclass(frozen=True)
class EmbeddedPhoto:
    """A photo and its embedding, or why there is none."""

    photo: Photo
    sha256: str = ""
    """SHA-256 of its bytes, in hexadecimal digits."""
    embedding: NDArray[np.float16] | None = None
    """(size,) numbers; None where there is an ``error``."""
    error: str = ""
    """What is wrong with the photo, in one sentence that names it."""


def photo_at(path: Path) -> Photo:
    """Return the photo in a file."""
    return Photo(str(path), path.name, path.read_bytes)


async def embed_photos(
    predictor: Predictor, photos: Iterable[Photo], max_pending: int
) -> AsyncGenerator[EmbeddedPhoto]:
    """Yield the embedding of each photo, in their order; a bad photo has an error and harms no other."""

    async def embed(photo: Photo) -> EmbeddedPhoto:
        try:
            body = await asyncio.to_thread(photo.read)
            done = await network.one_picture(predictor.embed(body))
        except (OSError, GlassbotError) as error:
            return EmbeddedPhoto(photo, error=printable(f"{photo.place}: {reading_error(error)}"))
        return EmbeddedPhoto(photo, done.image.sha256, done.embedding)

    async with aclosing(in_order(photos, embed, max_pending)) as embedded:
        async for one in embedded:
            yield one

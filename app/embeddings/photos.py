"""A photo that a command was given, wherever it lies, and its embedding."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.inference.images import DecodedImage
from app.inference.offline.batches import Batches, Failure, Work
from app.inference.offline.paths import printable, reading_error
from app.inference.predictor import Predictor
from app.inference.teaching import FC7
from app.settings import Settings
from model.engines import Output


@dataclass(frozen=True)
class Photo:
    """The file of a photo, which is read when it is wanted."""

    place: str
    """Where it lies, as messages name it."""
    file_name: str
    """Its own name, without any folder."""
    read: Callable[[], bytes]
    """Returns its bytes. Raises OSError."""
    corrected: bool = False
    """Whether a table of corrections gives its name."""

    def corrects(self, other: Photo) -> bool:
        """Whether its name counts for more than that of the same photo elsewhere: a correction beats a folder."""
        return self.corrected and not other.corrected


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


def photo_at(path: Path, *, corrected: bool = False) -> Photo:
    """Return the photo in a file."""
    return Photo(str(path), path.name, path.read_bytes, corrected)


def under_two_names(first: Photo, second: Photo, name: str, other: str) -> str:
    """Say that one photo has two names; the sentence ends in a colon, after which the reader is told what to do."""
    same_file = Path(first.place).resolve() == Path(second.place).resolve()
    places = f"{first.place} is given" if same_file else f"{first.place} and {second.place} are the same photo,"
    return printable(f"{places} under the names {name!r} and {other!r}: ")


async def embed_photos(
    predictor: Predictor, photos: Iterable[Photo], settings: Settings
) -> AsyncGenerator[EmbeddedPhoto]:
    """Yield the embedding of each photo, in their order; a bad photo has an error and harms no other."""

    def embedded(photo: Photo, image: DecodedImage, output: Output) -> EmbeddedPhoto:
        embedding = predictor.teacher.embedding.of(output.maps[FC7])[0].astype(np.float16)
        return EmbeddedPhoto(photo, image.sha256, embedding)

    def failed(photo: Photo, error: Failure) -> EmbeddedPhoto:
        return EmbeddedPhoto(photo, error=printable(f"{photo.place}: {reading_error(error)}"))

    work = Work(lambda photo: photo.read(), (FC7,), embedded, failed)
    with closing(Batches(settings, predictor.host)) as batches:
        async with aclosing(batches.results(photos, work)) as results:
            async for one in results:
                yield one

"""Photographs as people send them, made from those that ship with scikit-image: the same each time, nothing fetched."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NAMES = (
    "astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle", "hubble_deep_field", "retina",
    "immunohistochemistry",
)  # fmt: skip
ORDINARY, LARGE = (640, 480), (4000, 3000)
ORDINARY_BYTES, LARGE_BYTES = 100_000, 4_000_000

Encoding = Literal["raw", "multipart", "base64"]
ENCODINGS: tuple[Encoding, ...] = ("raw", "multipart", "base64")
_BOUNDARY = "glassbot-benchmark"


@dataclass(frozen=True)
class Body:
    """What is posted, and what it says that it is."""

    content_type: str
    content: bytes


def ordinary(count: int) -> list[bytes]:
    """So many different JPEGs of 640 × 480, each about 100 KB."""
    return [_made(number, ORDINARY, ORDINARY_BYTES) for number in range(count)]


def large(count: int) -> list[bytes]:
    """So many different JPEGs of 12 megapixels, each about 4 MB, as a telephone writes them."""
    return [_made(number, LARGE, LARGE_BYTES) for number in range(count)]


def encoded(jpeg: bytes, encoding: Encoding) -> Body:
    """One photo as a body of one of the kinds that ``POST /predict`` takes."""
    if encoding == "raw":
        return Body("image/jpeg", jpeg)
    if encoding == "base64":
        text = base64.b64encode(jpeg).decode("ascii")
        return Body("application/json", json.dumps({"image": text}).encode("ascii"))
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    content = head.encode("ascii") + jpeg + f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")
    return Body(f"multipart/form-data; boundary={_BOUNDARY}", content)


def _made(number: int, size: tuple[int, int], about: int) -> bytes:
    """A part of a photograph, mirrored every other time, with the noise of a sensor."""
    random = np.random.default_rng(number)
    picture = Image.fromarray(_photograph(NAMES[number % len(NAMES)]))
    scale = random.uniform(0.75, 1.0) * min(picture.width / size[0], picture.height / size[1])
    width, height = scale * size[0], scale * size[1]
    left, top = random.uniform(0, picture.width - width), random.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=box), np.float32)
    if number // len(NAMES) % 2:
        pixels = pixels[:, ::-1]
    noisy = pixels + 4 * random.standard_normal((*pixels.shape[:2], 1), np.float32)
    return _of_about(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), about)


def _photograph(name: str) -> NDArray[np.uint8]:
    from skimage import data

    read: Callable[[], Any] = getattr(data, name)
    found = read()
    pixels: NDArray[np.uint8] = found[0] if name == "stereo_motorcycle" else found
    return pixels


def _of_about(picture: Image.Image, size: int) -> bytes:
    """As a JPEG, of the best quality from 60 to 98 that takes no more bytes than ``size``."""
    low, high, best = 61, 98, _jpeg(picture, 60)
    while low <= high:
        quality = (low + high) // 2
        found = _jpeg(picture, quality)
        if len(found) <= size:
            low, best = quality + 1, found
        else:
            high = quality - 1
    return best


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()

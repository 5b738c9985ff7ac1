"""Photos of the usual sizes, made from those that ship with scikit-image: the same each time, without a download."""

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
    "astronaut",
    "chelsea",
    "coffee",
    "rocket",
    "stereo_motorcycle",
    "hubble_deep_field",
    "retina",
    "immunohistochemistry",
)
ORDINARY = (640, 480)
TELEPHONE = (2592, 1944)
LARGE = (4000, 3000)
ORDINARY_BYTES = 100_000
TELEPHONE_BYTES = 1_660_000
LARGE_BYTES = 4_000_000

Encoding = Literal["raw", "multipart", "base64"]
ENCODINGS: tuple[Encoding, ...] = ("raw", "multipart", "base64")
_BOUNDARY = "glassbot-benchmark"


@dataclass(frozen=True)
class Body:
    """The body of a request, and its content type."""

    content_type: str
    content: bytes


def ordinary(count: int) -> list[bytes]:
    """Return ``count`` different JPEGs of 640 × 480 pixels, of about 100 KB each."""
    return [_photo(number, ORDINARY, ORDINARY_BYTES) for number in range(count)]


def large(count: int) -> list[bytes]:
    """Return ``count`` different JPEGs of 12 megapixels, of about 4 MB each, as from a telephone."""
    return [_photo(number, LARGE, LARGE_BYTES) for number in range(count)]


def telephone(count: int) -> list[bytes]:
    """Return ``count`` different JPEGs of 5 megapixels, of about 1.66 MB each."""
    return [_photo(number, TELEPHONE, TELEPHONE_BYTES) for number in range(count)]


def encoded(jpeg: bytes, encoding: Encoding) -> Body:
    """Encode a photo as a body, in one of the encodings that ``POST /predict`` accepts."""
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


def _photo(number: int, size: tuple[int, int], max_bytes: int) -> bytes:
    """Make the photo of a number: a part of a photograph, sometimes mirrored, with the noise of a sensor."""
    random = np.random.default_rng(number)
    picture = Image.fromarray(_photograph(NAMES[number % len(NAMES)]))
    scale = random.uniform(0.75, 1.0) * min(picture.width / size[0], picture.height / size[1])
    width = scale * size[0]
    height = scale * size[1]
    left = random.uniform(0, picture.width - width)
    top = random.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=box), np.float32)
    if number // len(NAMES) % 2:
        pixels = pixels[:, ::-1]
    noisy = pixels + 4 * random.standard_normal((*pixels.shape[:2], 1), np.float32)
    return _best_jpeg(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), max_bytes)


def _photograph(name: str) -> NDArray[np.uint8]:
    from skimage import data

    read: Callable[[], Any] = getattr(data, name)
    photograph = read()
    pixels: NDArray[np.uint8] = photograph[0] if name == "stereo_motorcycle" else photograph
    return pixels


def _best_jpeg(picture: Image.Image, max_bytes: int) -> bytes:
    """Encode a picture with the best quality from 60 to 98 that takes at most ``max_bytes``."""
    low, high = 61, 98
    best = _jpeg(picture, 60)
    while low <= high:
        quality = (low + high) // 2
        jpeg = _jpeg(picture, quality)
        if len(jpeg) <= max_bytes:
            best = jpeg
            low = quality + 1
        else:
            high = quality - 1
    return best


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()

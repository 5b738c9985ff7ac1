"""Awkward pictures, made here so that nobody has to trust a file."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

# 64 x 48, left half red, right half blue: nothing that we install can write HEIC.
_HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j
AAAAAERAAAEAAQAAAAABoQABAAAAAAAAAEAAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/Wlw
cnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AA
AAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAA
QAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB
AgMFhAAAAEhtZGF0AAAAPCgBr1jm9Oq//+J8//o2kh8eP/X/89vVftM/P+jslaV9tHbBRIcPyrBEyKVv3GQGkTdV6NB8du1Vrys3oA==
"""


def photo(width: int = 320, height: int = 240, seed: int = 0) -> Image.Image:
    """Left half reddish, right half bluish, with some texture."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 60, (height, width, 3))
    pixels[:, : width // 2, 0] += 180
    pixels[:, width // 2 :, 2] += 180
    return Image.fromarray(pixels.astype(np.uint8))


def encode(picture: Image.Image, format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(width: int = 320, height: int = 240, *, seed: int = 0, orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    return encode(photo(width, height, seed), "JPEG", quality=90, exif=exif)


def cmyk_jpeg() -> bytes:
    return encode(photo().convert("CMYK"), "JPEG")


def deep_png() -> bytes:
    return encode(Image.fromarray(np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)), "PNG")


def alpha_png() -> bytes:
    picture = photo(64, 48).convert("RGBA")
    picture.putalpha(0)
    return encode(picture, "PNG")


def palette_png() -> bytes:
    return encode(photo(64, 48).quantize(16), "PNG", transparency=3)


def heic() -> bytes:
    return b64decode(_HEIC)


def animated_gif() -> bytes:
    first, second = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")
    return encode(first, "GIF", save_all=True, append_images=[second])


def bomb_png(width: int = 50_000, height: int = 50_000) -> bytes:
    """A header that declares 2,500 megapixels, and nothing behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def bomb_jpeg(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small JPEG whose frame header lies about its size."""
    body = bytearray(jpeg(16, 16))
    at = body.index(b"\xff\xc0") + 5
    body[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(body)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def good_pictures() -> dict[str, bytes]:
    return {
        "plain JPEG": jpeg(),
        "CMYK JPEG": cmyk_jpeg(),
        "grey JPEG": encode(photo().convert("L"), "JPEG"),
        "progressive JPEG": encode(photo(), "JPEG", progressive=True),
        "16-bit PNG": deep_png(),
        "transparent PNG": alpha_png(),
        "palette PNG": palette_png(),
        "1-bit PNG": encode(photo(64, 48).convert("1"), "PNG"),
        "animated GIF": animated_gif(),
        "WebP": encode(photo(), "WEBP"),
        "BMP": encode(photo(64, 48), "BMP"),
        "TIFF": encode(photo(64, 48), "TIFF", compression="tiff_lzw"),
        "AVIF": encode(photo(64, 48), "AVIF"),
        "HEIC": heic(),
        "1 x 1": encode(photo(1, 1), "PNG"),
        "20000 x 1": encode(photo(20_000, 1), "PNG"),
        "20000 x 1 JPEG": jpeg(20_000, 1),
        "1 x 20000": encode(photo(1, 20_000), "PNG"),
    }

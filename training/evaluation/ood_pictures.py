"""Out-of-distribution pictures, which show no label of any vocabulary: noise, gradients, patterns, text, textures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Random = np.random.Generator
Pixels = NDArray[np.uint8]
_CAPTURED = ("brick", "grass", "gravel", "page", "text", "cell", "moon", "microaneurysms")
_LETTERS = tuple("etaoinshrdlucmfwypvbgkjqxz")


def make_ood_pictures(number: int, size: int, seed: int, *, captured: bool) -> Pixels:
    """(number, size, size, 3) out-of-distribution pictures, the kinds in turn; the same for the same seed.

    ``captured`` adds crops of scikit-image's textures, pages and microscopy, which nothing is ever fitted on.
    """
    random = np.random.default_rng(seed)
    makers = [*_MAKERS, *([_crop] * 5 if captured else [])]
    pictures = [makers[i % len(makers)](random, size).convert("RGB").resize((size, size)) for i in range(number)]
    return np.stack([np.asarray(picture) for picture in pictures])


def _noise(random: Random, size: int) -> Image.Image:
    """Grey or coloured noise, from a few large cells to single pixels."""
    cells = int(random.integers(4, size + 1))
    shape = (cells, cells, 3) if random.random() < 0.5 else (cells, cells)
    spread = random.uniform(10, 90)
    values = random.normal(random.uniform(60, 200), spread, shape).clip(0, 255).astype(np.uint8)
    resampling = Image.Resampling.BICUBIC if random.random() < 0.7 else Image.Resampling.NEAREST
    return Image.fromarray(values).resize((size, size), resampling)


def _gradient(random: Random, size: int) -> Image.Image:
    """A gradient from one colour to another, along a line or from a point."""
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    if random.random() < 0.5:
        angle = random.uniform(0, 2 * np.pi)
        distance = x * np.cos(angle) + y * np.sin(angle)
    else:
        distance = np.hypot(x - random.uniform(), y - random.uniform())
    share = (distance - distance.min()) / np.ptp(distance)
    first, last = random.uniform(0, 255, (2, 3))
    return Image.fromarray((first + share[..., None] * (last - first)).astype(np.uint8))


def _plain(random: Random, size: int) -> Image.Image:
    """A square of a single random colour."""
    return Image.new("RGB", (size, size), _colour(random))


def _pattern(random: Random, size: int) -> Image.Image:
    """Stripes or a chequerboard of two colours, turned by a random angle."""
    step = int(random.integers(4, size // 3))
    y, x = np.indices((2 * size, 2 * size)) // step
    cells = (x + (y if random.random() < 0.5 else 0)) % 2
    colours = np.array([_colour(random), _colour(random)], np.uint8)
    turned = Image.fromarray(colours[cells]).rotate(random.uniform(0, 90), Image.Resampling.BICUBIC)
    return turned.crop((size // 2, size // 2, size // 2 + size, size // 2 + size))


def _text(random: Random, size: int) -> Image.Image:
    """A page, or a piece of one, in letters of any size; dark on light or light on dark."""
    dark, light = _colour(random, 0, 90), _colour(random, 165, 256)
    paper, ink = (light, dark) if random.random() < 0.8 else (dark, light)
    page = Image.new("RGB", (size, size), paper)
    font = ImageFont.load_default(int(random.integers(8, 60)))
    lines = [
        " ".join("".join(random.choice(_LETTERS, int(random.integers(1, 10)))) for _ in range(20)) for _ in range(40)
    ]
    ImageDraw.Draw(page).multiline_text((-int(random.integers(0, 40)), 4), "\n".join(lines), ink, font)
    turned = page.rotate(random.uniform(-8, 8), Image.Resampling.BICUBIC, fillcolor=paper)
    return turned.filter(ImageFilter.GaussianBlur(random.uniform(0, 1.2)))


def _crop(random: Random, _: int) -> Image.Image:
    """A random square out of a texture, a page or a slide under the microscope."""
    from skimage import data as photographs  # a machine that only trains need not have it

    whole = Image.fromarray(getattr(photographs, str(random.choice(_CAPTURED)))())
    side = int(random.integers(min(whole.size) // 3, min(whole.size) + 1))
    x, y = (int(random.integers(0, length - side + 1)) for length in whole.size)
    return whole.crop((x, y, x + side, y + side))


def _colour(random: Random, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    red, green, blue = random.integers(low, high, 3)
    return int(red), int(green), int(blue)


_MAKERS: Sequence[Callable[[Random, int], Image.Image]] = (_noise, _gradient, _plain, _pattern, _text)

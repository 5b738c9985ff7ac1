"""Drawn embeddings: clouds of points that stand for photos of things."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from model.teaching.examples import Examples, Photos

NETWORK = "0123456789ab"
SIZE = 24


def shas(tag: str, number: int) -> tuple[str, ...]:
    return tuple(sha256(f"{tag} {i}".encode()).hexdigest() for i in range(number))


def cloud(seed: int, number: int, *, spread: float = 0.3, size: int = SIZE) -> NDArray[np.float32]:
    """Points around a place of their own, which the seed decides."""
    random = np.random.default_rng(seed)
    return (random.standard_normal(size) + spread * random.standard_normal((number, size))).astype(np.float32)


def nothing(number: int = 40, *, size: int = SIZE) -> NDArray[np.float32]:
    """Photos of nothing in particular: each at a place of its own."""
    return np.random.default_rng(99).standard_normal((number, size)).astype(np.float32)


def photos(tag: str, embeddings: NDArray[np.float32]) -> Photos:
    return Photos(shas(tag, len(embeddings)), embeddings.astype(np.float16))


def examples(**things: NDArray[np.float32]) -> Examples:
    """Examples of the given clouds, by name; an underscore stands for a space."""
    named = {name.replace("_", " "): photos(name, points) for name, points in things.items()}
    return Examples(NETWORK, SIZE, named)

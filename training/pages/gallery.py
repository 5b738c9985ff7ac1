"""Fifty held-out pictures with what is said of them and what is true, on one page for a person to read."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model import explain
from model.checkpoint import Checkpoint
from model.describe import Description, describe
from model.engines import Engine, Output
from model.preprocess import prepare
from training.data import PictureSet
from training.data.split import Half
from training.pages.templates import fill

SHOWN = 50
_SEED = 2012


@dataclass(frozen=True)
class Exhibit:
    """One picture on the page."""

    picture: str
    """As a data URI."""
    said: Description
    truth: tuple[str, ...]
    """Its class, or what five people said."""


def gallery(network: Checkpoint, engine: Engine, sets: Sequence[tuple[PictureSet, Half]]) -> str:
    """HTML in one piece, from as many pictures of each set; always the same ones, in the same order."""
    random = np.random.default_rng(_SEED)
    chosen = [
        (one, half, int(row))
        for number, (one, half) in enumerate(sets)
        for row in random.choice(len(one.pictures), min(len(one.pictures), _share(number, len(sets))), replace=False)
    ]
    order = random.permutation(len(chosen))
    exhibits = [_exhibit(network, engine, *chosen[i]) for i in order]
    return fill("gallery.html.j2", network=network, exhibits=exhibits)


def look(network: Checkpoint, engine: Engine, picture: Image.Image) -> tuple[NDArray[np.uint8], Output, Description]:
    """(S, S, 3) what the network sees of a picture, what its layers answer, and what is said of it."""
    seen, _, _ = prepare(picture, network.architecture.input_size)
    output = engine.run(seen[None], maps=explain.needed_activations(network.architecture))
    return seen, output, describe(output.logits[0], network, pixels=seen, output=output)


def _share(number: int, sets: int) -> int:
    return SHOWN // sets + (number < SHOWN % sets)


def _exhibit(network: Checkpoint, engine: Engine, one: PictureSet, half: Half, row: int) -> Exhibit:
    pixels, row = (found[0] for found in one.pictures.take(np.array([row])))
    _, _, said = look(network, engine, Image.fromarray(pixels))
    truth = tuple(half.captions[row]) if half.captions else (one.vocabulary.labels[int(one.targets[row])].name,)
    return Exhibit(_uri(pixels), said, truth)


def _uri(pixels: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=80)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode('ascii')}"

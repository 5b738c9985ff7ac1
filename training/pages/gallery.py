"""The gallery: fifty held-out pictures with the network's sentence and the truth, on one page for a person to read."""

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
from training.data.split import Split
from training.pages.templates import fill

PICTURES = 50
"""Number of pictures on the page."""
_SEED = 2012


@dataclass(frozen=True)
class Exhibit:
    """One picture on the page, with its description and the truth."""

    picture_uri: str
    """The picture as a data URI."""
    description: Description
    truth: tuple[str, ...]
    """The name of its class, or the captions of five people."""


def render_gallery(network: Checkpoint, engine: Engine, sets: Sequence[tuple[PictureSet, Split]]) -> str:
    """One self-contained HTML page with equally many pictures of each set; always the same ones in the same order."""
    random = np.random.default_rng(_SEED)
    chosen = []
    for number, (pictures, split) in enumerate(sets):
        count = min(len(pictures.pictures), _number_from_set(number, len(sets)))
        rows = random.choice(len(pictures.pictures), count, replace=False)
        chosen += [(pictures, split, int(row)) for row in rows]
    exhibits = [_exhibit(network, engine, *chosen[i]) for i in random.permutation(len(chosen))]
    return fill("gallery.html.j2", network=network, exhibits=exhibits)


def describe_picture(
    network: Checkpoint, engine: Engine, picture: Image.Image
) -> tuple[NDArray[np.uint8], Output, Description]:
    """The (S, S, 3) pixels that the network is given of a picture, its output, and the description made of it."""
    pixels, _, _ = prepare(picture, network.architecture)
    output = engine.run(pixels[None], maps=explain.needed_activations(network.architecture))
    return pixels, output, describe(output.logits[0], network, pixels=pixels, output=output)


def _number_from_set(number: int, sets: int) -> int:
    return PICTURES // sets + (number < PICTURES % sets)


def _exhibit(network: Checkpoint, engine: Engine, pictures: PictureSet, split: Split, row: int) -> Exhibit:
    batch, actual_rows = pictures.pictures.read_batch(np.array([row]))
    pixels = batch[0]
    actual_row = actual_rows[0]
    _, _, description = describe_picture(network, engine, Image.fromarray(pixels))
    if split.captions:
        truth = tuple(split.captions[actual_row])
    else:
        truth = (pictures.vocabulary.labels[int(pictures.targets[actual_row])].name,)
    return Exhibit(_webp_uri(pixels), description, truth)


def _webp_uri(pixels: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=80)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode('ascii')}"

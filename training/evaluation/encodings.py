"""Whether what a network says of a picture hangs on how its file was made: the same pictures in six encodings."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.checkpoint import Checkpoint
from model.describe import believe, probabilities
from model.engines import Engine
from model.language.sentence import caption
from model.preprocess import prepare
from training.data import PictureSet
from training.evaluation.word_thresholds import says_person

PICTURES = 300
"""Number of pictures that are looked at in every encoding."""
_BATCH = 25
_SMALL = 2  # times fewer pixels along each side


def _saved(picture: Image.Image, form: str, **settings: Any) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, form, **settings)
    return Image.open(file).convert("RGB")


def _halved(picture: Image.Image, kernel: Image.Resampling) -> Image.Image:
    return picture.resize((max(1, picture.width // _SMALL), max(1, picture.height // _SMALL)), kernel)


ENCODINGS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda picture: picture,
    "JPEG 90": lambda picture: _saved(picture, "JPEG", quality=90, subsampling="4:4:4"),
    "JPEG 50": lambda picture: _saved(picture, "JPEG", quality=50),
    "WebP 50": lambda picture: _saved(picture, "WEBP", quality=50),
    "half, JPEG 75": lambda picture: _saved(_halved(picture, Image.Resampling.LANCZOS), "JPEG", quality=75),
    "half, aliased, JPEG 75, WebP 50": lambda picture: _saved(
        _saved(_halved(picture, Image.Resampling.NEAREST), "JPEG", quality=75), "WEBP", quality=50
    ),
}
"""Name -> what is done to a picture before it is looked at; the first is the one that the others are held against."""


def encodings_report(engine: Engine, network: Checkpoint, pictures: PictureSet) -> dict[str, dict[str, float]]:
    """Encoding -> ``same_label``, ``same_sentence`` and ``person``, shares of at most ``PICTURES`` pictures of a set.

    ``same_label`` and ``same_sentence`` compare the top label of the set's vocabulary, and the sentence, with those of
    the picture as it is; ``person`` is how often the sentence speaks of a person. Raises DataError.
    """
    pixels_NHWC = pictures.sample(PICTURES)
    vocabulary = pictures.vocabulary
    rows = network.slices()[vocabulary.name]
    report: dict[str, dict[str, float]] = {}
    first: tuple[NDArray[np.int64], list[str]] | None = None
    for name, encode in ENCODINGS.items():
        logits = _logits(engine, [encode(Image.fromarray(pixels)) for pixels in pixels_NHWC])
        top = probabilities(logits[:, rows], vocabulary).argmax(1)
        sentences = [caption(beliefs) for beliefs in believe(logits, network.vocabularies)]
        texts = [sentence.text for sentence in sentences]
        first = first or (top, texts)
        report[name] = {
            "same_label": round(float((top == first[0]).mean()), 4),
            "same_sentence": round(float(np.mean([a == b for a, b in zip(texts, first[1], strict=True)])), 4),
            "person": round(float(np.mean([says_person(sentence) for sentence in sentences])), 4),
            "n": len(texts),
        }
    return report


def _logits(engine: Engine, pictures: list[Image.Image]) -> NDArray[np.float32]:
    inputs_NHWC = np.stack([prepare(picture, engine.architecture)[0] for picture in pictures])
    parts = [engine.run(inputs_NHWC[start : start + _BATCH]).logits for start in range(0, len(inputs_NHWC), _BATCH)]
    return np.concatenate(parts)

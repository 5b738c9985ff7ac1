"""The page of photos that belong to no set: what the network says of each, and whether that is so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model import explain
from model.checkpoint import Checkpoint
from model.describe import Description, Scored
from model.drawing import overlay
from model.engines import Engine, Output
from model.files import atomically, write_atomically
from model.vocabulary import Label
from training.pages.gallery import describe_picture
from training.pages.templates import fill


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One photo, as ``photos.json`` lists it."""

    file: str
    """Path of the photo, relative to the folder of the page."""
    shows: str
    """The motif, in the words of a person."""
    right: tuple[str, ...]
    """Labels, words and their ancestors that are true of the photo."""
    by: str
    licence: str
    source: str
    """The address where the photo was found."""

    @property
    def map(self) -> str:
        """Path of the class map of its first label, relative to the folder of the page."""
        return f"maps/{Path(self.file).stem}.webp"


@dataclass(frozen=True)
class DescribedPhoto:
    """A photo with the description that the network makes of it."""

    photo: Photo
    description: Description
    has_label: bool
    """Whether any label of the network is true of the photo."""

    @classmethod
    def of(cls, photo: Photo, description: Description, network: Checkpoint) -> DescribedPhoto:
        """A photo with what a network says of it, and whether the network has a label for it."""
        labels = {label.name for vocabulary in network.vocabularies for label in vocabulary.labels}
        return cls(photo, description, has_label=not labels.isdisjoint(photo.right))

    @property
    def wrong(self) -> tuple[str, ...]:
        """The claims of the sentence that are not true of the photo."""
        said = self.description.caption.said
        return tuple(claim.node for claim in said if claim.node not in self.photo.right)

    @property
    def guess(self) -> Label | None:
        """The label that follows a kind with a "maybe", which is no claim; None where the sentence has none."""
        caption = self.description.caption
        leading = (claim.members[0].label for claim in caption.said if len(claim.members) > 1)
        return next((label for label in leading if caption.phrase.endswith(f", maybe {label.phrase}")), None)

    @property
    def silent(self) -> bool:
        """Whether the sentence claims nothing."""
        return self.description.caption.tier == "pass"


def read_photos(folder: Path) -> list[Photo]:
    """The photos that ``photos.json`` of a folder lists. Raises ValueError where it is missing or wrong."""
    try:
        entries = json.loads((folder / "photos.json").read_text("utf-8"))
        return [Photo(**{**entry, "right": tuple(entry["right"])}) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        fields = ", ".join(Photo.__dataclass_fields__)
        raise ValueError(f"{folder / 'photos.json'} lists the photos, each with {fields}: {error}") from error


def write_page(network: Checkpoint, engine: Engine, folder: Path) -> Sequence[DescribedPhoto]:
    """Write ``README.md`` and a class map for each photo into ``folder``; returns the described photos.

    Raises ValueError as :func:`read_photos`, and OSError.
    """
    photos = []
    for photo in read_photos(folder):
        with Image.open(folder / photo.file) as picture:
            pixels, output, description = describe_picture(network, engine, picture)
        with atomically(folder / photo.map) as file:
            class_map = _draw_class_map(network, pixels, output, description.labels[0])
            Image.fromarray(class_map).save(file, "WEBP", quality=75)
        photos.append(DescribedPhoto.of(photo, description, network))
    guesses = [photo.guess.name in photo.photo.right for photo in photos if photo.guess]
    text = fill(
        "photo_page.md.j2",
        network=network,
        photos=photos,
        silent=sum(photo.silent for photo in photos),
        wrong=sum(bool(photo.wrong) for photo in photos),
        guesses=len(guesses),
        right_guesses=sum(guesses),
        right=sum(not photo.silent and not photo.wrong for photo in photos),
    )
    write_atomically(folder / "README.md", text)
    return photos


def _draw_class_map(network: Checkpoint, pixels: NDArray[np.uint8], output: Output, label: Scored) -> NDArray[np.uint8]:
    """(S, S, 3): the pixels with the class map of a label laid over them."""
    row = explain.find_row(network, label.label.id, label.vocabulary)
    activations = output.maps[network.architecture.last_convolution][0]
    evidence = explain.class_map(explain.gradient(output, 0, network.folded(), row), activations)
    return overlay(pixels, evidence / (evidence.max() or 1), network.architecture)

"""Photos that are in no set, with what is said of them and whether it is so: a page of the documentation."""

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
from training.pages.gallery import look
from training.pages.templates import fill


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One photo, as ``photos.json`` lists it."""

    file: str
    """Relative to the folder of the page."""
    shows: str
    """What a person sees there."""
    right: tuple[str, ...]
    """Labels, words and their ancestors that are true of it."""
    by: str
    licence: str
    source: str
    """Where it is from."""

    @property
    def map(self) -> str:
        """Where the class map of its first label lies."""
        return f"maps/{Path(self.file).stem}.webp"


@dataclass(frozen=True)
class Seen:
    """What the network says of a photo."""

    photo: Photo
    said: Description
    known: bool
    """Whether any label of the network is the thing or the place there."""

    @property
    def wrong(self) -> tuple[str, ...]:
        """What the sentence claims and is not so."""
        claims = self.said.caption.claims if self.said.caption.tier != "pass" else ()
        return tuple(claim.node for claim in claims if claim.node not in self.photo.right)

    @property
    def silent(self) -> bool:
        """Whether the sentence claims nothing."""
        return self.said.caption.tier == "pass"


def listed(folder: Path) -> list[Photo]:
    """The photos of a folder. Raises ValueError where ``photos.json`` is missing or wrong."""
    try:
        lines = json.loads((folder / "photos.json").read_text("utf-8"))
        return [Photo(**{**line, "right": tuple(line["right"])}) for line in lines]
    except (OSError, ValueError, TypeError, KeyError) as error:
        fields = ", ".join(Photo.__dataclass_fields__)
        raise ValueError(f"{folder / 'photos.json'} lists the photos, each with {fields}: {error}") from error


def write_page(network: Checkpoint, engine: Engine, folder: Path) -> Sequence[Seen]:
    """Write ``README.md`` and a class map for each photo into ``folder``, and say what was seen."""
    labels = {label.name for vocabulary in network.vocabularies for label in vocabulary.labels}
    seen = []
    for photo in listed(folder):
        with Image.open(folder / photo.file) as picture:
            pixels, output, said = look(network, engine, picture)
        with atomically(folder / photo.map) as file:
            Image.fromarray(_map(network, pixels, output, said.labels[0])).save(file, "WEBP", quality=75)
        seen.append(Seen(photo, said, not labels.isdisjoint(photo.right)))
    text = fill(
        "photo_page.md.j2",
        network=network,
        seen=seen,
        silent=sum(one.silent for one in seen),
        wrong=sum(bool(one.wrong) for one in seen),
        right=sum(not one.silent and not one.wrong for one in seen),
    )
    write_atomically(folder / "README.md", text)
    return seen


def _map(network: Checkpoint, pixels: NDArray[np.uint8], output: Output, label: Scored) -> NDArray[np.uint8]:
    row = explain.find_row(network, label.label.id, label.vocabulary)
    activations = output.maps[network.architecture.last_convolution][0]
    evidence = explain.class_map(explain.gradient(output, 0, network.folded(), row), activations)
    return overlay(pixels, evidence / (evidence.max() or 1), network.architecture)

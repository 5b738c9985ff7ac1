"""A small stand-in for trained weights: a seeded random network that knows a few labels of each vocabulary."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from model import checkpoint, unit_cards
from model.architecture import Architecture
from model.checkpoint import Checkpoint, Preprocessing, expected_shapes
from model.language.phrases import label_for
from model.vocabulary import Vocabulary

OBJECTS = ("n02099601", "n02123045", "n07920052", "n04146614", "n03584254", "n04456115")
SCENES = ("abbey", "beach", "kitchen", "street", "church/outdoor")
WORDS = ("man", "dog", "riding", "bike", "red", "snow", "water")


def tiny_network(input_size: int = 227, seed: int = 0, *, architecture: Architecture | None = None) -> Checkpoint:
    """Random weights with the scale of a trained network, so that activations neither die nor explode."""
    vocabularies = (
        Vocabulary(name="object", activation="softmax", labels=tuple(label_for("object", i) for i in OBJECTS)),
        Vocabulary(name="scene", activation="softmax", labels=tuple(label_for("scene", i) for i in SCENES)),
        Vocabulary(name="word", activation="sigmoid", labels=tuple(label_for("word", i) for i in WORDS)),
    )
    outputs = sum(map(len, vocabularies))
    architecture = architecture or Architecture(outputs=outputs, input_size=input_size, lrn=None)
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in expected_shapes(architecture).items():
        spread = (2 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.01
        weights[name] = random.standard_normal(shape, np.float32) * np.float32(spread)
    return Checkpoint(
        architecture=architecture, preprocessing=Preprocessing(mean=(120.0, 115.0, 105.0), scale=1 / 60),
        vocabularies=vocabularies, weights=weights, name="tiny",
    )  # fmt: skip


def tiny_checkpoint(path: Path, *, input_size: int = 227, seed: int = 0) -> Path:
    """Write :func:`tiny_network` to ``path`` and return it: about 220 MB at 227 px, so share it in a session."""
    checkpoint.save(path, tiny_network(input_size, seed), small=False)
    return path


def tiny_cards(path: Path) -> None:
    """Write a card for each unit and each label beside the checkpoint at ``path``, all of them alike."""
    card = {"synthetic": 3.0, "real": 2.0, "fed_by": [[0, 0.2]]}
    architecture = checkpoint.load(path).architecture
    layers = []
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc8"):
        units = architecture.layer(name).shape[0]
        sheet = BytesIO()
        Image.new("RGB", (16 * unit_cards.ACROSS, 16 * -(-units // unit_cards.ACROSS))).save(sheet, "WEBP")
        facts = unit_cards.LayerCards(name=name, units=units, side=16, seen=16)
        layers.append((facts, [{**card, "fed_by": []} if name == "conv1" else card] * units, sheet.getvalue()))
    digest = checkpoint.weights_digest(path)
    unit_cards.write(unit_cards.path_beside(path), weights=digest, layers=layers, figures={}, made={})

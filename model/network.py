"""A network at rest: its layer table, its weights, its vocabularies, and where they come from. numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from model import vocabulary
from model.architecture import Architecture
from model.int8 import Int8
from model.teaching.examples import Examples
from model.vocabulary import Vocabulary
from model.weights import Floats


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How pixels from 0 to 255 become the network's inputs: (pixel - mean) * scale."""

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Mean of red, green and blue, from 0 to 255."""
    scale: float = 1.0
    """Factor after the mean is subtracted."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network at rest. Raises ValueError where the vocabularies do not have as many labels as fc8 has rows."""

    architecture: Architecture
    preprocessing: Preprocessing
    vocabularies: tuple[Vocabulary, ...]
    """What it answers, in the order of their rows of fc8."""
    weights: Mapping[str, Floats]
    """Name of a tensor, as in the torch module's state dict, -> the tensor."""
    name: str = "glassbot"
    """Name of the network, for people."""
    version: str = ""
    """First 12 hexadecimal digits of the SHA-256 of its file; empty for a network that was not read from one."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from: command, data, seed, time and more."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """Vocabulary -> the figures that ``evaluate`` printed for it."""
    int8: Int8 | None = None
    """How its convolutions run in whole numbers of 8 bits; None where nobody has measured that."""
    examples: Examples | None = None
    """What its taught vocabulary was taught by; None where it has none."""

    def __post_init__(self) -> None:
        labels = sum(len(v) for v in self.vocabularies)
        if labels != self.architecture.outputs:
            raise ValueError(f"The vocabularies hold {labels} labels, but fc8 has {self.architecture.outputs} rows.")
        if self.int8 is not None:
            self.int8.check(self.architecture, sum(len(v) for v in self.vocabularies if not v.taught))
        weights = {len(consent.weights) for v in self.vocabularies for consent in v.consent.values()}
        if weights - {labels}:
            raise ValueError(f"Consent has {min(weights - {labels})} weights, but fc8 has {labels} rows.")

    def slices(self) -> dict[str, slice]:
        """Return for each vocabulary, by name, the rows of fc8 that belong to it."""
        return vocabulary.rows_of(self.vocabularies)

    def vocabulary_at(self, row: int) -> tuple[Vocabulary, slice]:
        """Return the vocabulary of a row of fc8, and all its rows. Raises IndexError where there is no such row."""
        slices = self.slices()
        for candidate in self.vocabularies:
            rows = slices[candidate.name]
            if rows.start <= row < rows.stop:
                return candidate, rows
        raise IndexError(row)

    def folded(self) -> Checkpoint:
        """Return the same function as a network without batch norm and without a factor for dropout at test time.

        The weights take both in.
        """
        if not (self.architecture.batch_norm or self.architecture.dropout_at_test):
            return self
        weights = dict(self.weights)
        if self.architecture.dropout_at_test:
            for name in ("fc7.weight", "fc8.weight"):
                weights[name] = weights[name] * np.float32(1 - self.architecture.dropout)
        for row in self.architecture.layers:
            if row.batch_norm:
                _fold_batch_norm(weights, row.name)
        architecture = replace(self.architecture, batch_norm=False, dropout_at_test=False)
        return replace(self, architecture=architecture, weights=weights)


_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
_NORM_EPSILON = 1e-5  # torch's default, which the network was trained with


def _fold_batch_norm(weights: dict[str, Floats], name: str) -> None:
    """Replace the weight and bias of one layer by those that need no batch norm after them."""
    norm = {part: weights.pop(f"{name}_norm.{part}") for part in _NORM_PARTS}
    gain = norm["weight"] / np.sqrt(norm["running_var"] + _NORM_EPSILON)
    weight = weights[f"{name}.weight"]
    weights[f"{name}.weight"] = weight * gain.reshape(-1, *[1] * (weight.ndim - 1))
    weights[f"{name}.bias"] = (weights[f"{name}.bias"] - norm["running_mean"]) * gain + norm["bias"]


def expected_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor that a checkpoint of this architecture holds."""
    shapes: dict[str, tuple[int, ...]] = {}
    for row in architecture.layers:
        if row.weight_shape:
            shapes[f"{row.name}.weight"] = row.weight_shape
            shapes[f"{row.name}.bias"] = row.shape[:1]
        if row.batch_norm:
            shapes |= {f"{row.name}_norm.{part}": row.shape[:1] for part in _NORM_PARTS}
    return shapes

"""What a network was taught, as the part of its checkpoint's file that stands beside the network's own tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from model import vocabulary
from model.network import Checkpoint
from model.teaching.attach import attach
from model.teaching.examples import from_parts
from model.teaching.fitting import VOCABULARY, Fitted
from model.weights import Floats, weight_rows

T = TypeVar("T")

_PREFIX = "taught."
Tensors = Mapping[str, NDArray[Any]]


def split(tensors: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """Return the tensors of the network itself, and those of what it was taught, without their prefix."""
    base = {name: tensor for name, tensor in tensors.items() if not name.startswith(_PREFIX)}
    taught = {name.removeprefix(_PREFIX): tensors[name] for name in tensors if name.startswith(_PREFIX)}
    return base, taught


def pack(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and tensors of what a network was taught. Raises ValueError where that is nothing."""
    learned = next((v for v in checkpoint.vocabularies if v.taught), None)
    if learned is None or checkpoint.examples is None:
        raise ValueError("This network was taught nothing.")
    rows = checkpoint.slices()[learned.name]
    tensors: dict[str, NDArray[Any]] = {
        "weight": weight_rows(checkpoint.weights, "fc8.weight", range(rows.start, rows.stop)),
        "bias": checkpoint.weights["fc8.bias"][rows],
        **{f"examples.{name}": tensor for name, tensor in checkpoint.examples.tensors().items()},
    }
    header = {
        "vocabulary": vocabulary.to_json(learned),
        "measured": dict(checkpoint.measured[VOCABULARY]),
        "examples": checkpoint.examples.header(),
    }
    return header, {_PREFIX + name: tensor for name, tensor in tensors.items()}


def unpack(base: Checkpoint, header: Mapping[str, Any], tensors: Tensors) -> Checkpoint:
    """Return the network with what it was taught. Raises ValueError, KeyError or TypeError where parts do not fit."""
    learned = vocabulary.from_json(header["vocabulary"])
    weight: Floats = np.asarray(tensors["weight"], np.float32)
    bias: Floats = np.asarray(tensors["bias"], np.float32)
    _, units = base.architecture.layer("fc8").weight_shape
    if weight.shape != (len(learned), units) or bias.shape != (len(learned),):
        raise ValueError(f"its taught rows are {weight.shape} and {bias.shape}, not {len(learned)} of {units}")
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ValueError("a taught row holds a value that is not finite")
    prefix = "examples."
    embeddings = {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}
    fitted = Fitted(learned, weight, bias, header["measured"])
    return attach(base, fitted, weight, from_parts(header["examples"], embeddings))

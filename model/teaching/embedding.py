"""The embedding of a picture: what fc7 answers, as far as the network tells things apart by it. numpy.

fc8 is trained to tell labels apart by fc7 alone. The leading right singular vectors of its centred weight are the
directions of fc7 by which it does so most, and 256 of them keep what a few photos can be told apart by
(docs/decisions, 17). They are computed from the weights, so that no file needs to hold them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from model.network import Checkpoint
from model.weights import Floats, Quantised, Weights

SIZE = 256
"""Numbers in an embedding, where fc8 has more rows than that; else an embedding is fc7 itself."""


@dataclass(frozen=True)
class Embedding:
    """How one network's fc7 becomes embeddings."""

    network: str
    """Name of the network, by :func:`network_name`: embeddings of two networks cannot be compared."""
    directions: Floats | None
    """(units of fc7, SIZE) orthonormal columns; None where an embedding is fc7 itself."""
    size: int
    """How many numbers an embedding has."""

    def of(self, fc7: Floats) -> Floats:
        """Return (N, size) embeddings of (N, units) activations of fc7."""
        return fc7 if self.directions is None else np.asarray(fc7 @ self.directions, np.float32)

    def to_fc7(self, weight: Floats) -> Floats:
        """Return the (K, units) rows of fc8 that answer to fc7 what ``weight`` (K, size) answers to embeddings."""
        return weight if self.directions is None else np.asarray(weight @ self.directions.T, np.float32)


def embedding_of(checkpoint: Checkpoint) -> Embedding:
    """Return how a network, one that was taught nothing, embeds pictures. Takes some tenths of a second."""
    weight = checkpoint.weights["fc8.weight"].astype(np.float64)
    network = network_name(checkpoint)
    if len(weight) <= SIZE:
        return Embedding(network, None, weight.shape[1])
    centred = weight - weight.mean(0)
    # By the eigenvectors of the small Gram matrix: a tenth of the time that a singular value decomposition takes.
    squares, left = np.linalg.eigh(centred @ centred.T)
    directions = centred.T @ (left[:, : -SIZE - 1 : -1] / np.sqrt(squares[: -SIZE - 1 : -1]))
    strongest = np.abs(directions).argmax(0)  # a singular vector has no sign of its own
    directions = directions * np.sign(directions[strongest, range(SIZE)])
    return Embedding(network, np.ascontiguousarray(directions, np.float32), SIZE)


def network_name(checkpoint: Checkpoint) -> str:
    """Return 12 hexadecimal digits that name a network's weights and what it takes of a picture.

    Calibration changes neither.
    """
    digest = hashlib.sha256()
    if detail := checkpoint.architecture.input_detail:
        digest.update(f"detail {detail}".encode())
    weights = checkpoint.weights
    for name in sorted(weights):
        part = weights.parts[name] if isinstance(weights, Weights) else weights[name]
        digest.update(name.encode())
        arrays = (part.codes, part.scale) if isinstance(part, Quantised) else (part,)
        for array in arrays:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:12]

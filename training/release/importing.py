"""Imports torchvision's weights of AlexNet into a checkpoint of this repository."""

from __future__ import annotations

from pathlib import Path

from model import checkpoint
from model.engines import interop


def import_weights(weights: Path, out: Path) -> None:
    """Write the network in the .pth file ``weights`` to ``out`` as a checkpoint. Raises ForeignError and OSError."""
    network = interop.read(weights)
    checkpoint.save(out, network)
    parameters = network.architecture.parameters
    labels = network.architecture.outputs
    print(f"{out}: {parameters:,} parameters, {labels} labels, {out.stat().st_size / 1e6:.1f} MB")

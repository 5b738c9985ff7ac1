"""``import``: torchvision's weights of AlexNet as a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from model import checkpoint
from model.engines import interop
from training.commands import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("import", help="turn torchvision's weights of AlexNet into a checkpoint")
    parser.add_argument("weights", type=Path, help="a .pth file")
    parser.add_argument("out", type=Path, help="a .safetensors file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, write, and say what it is."""
    bring_in(options.weights, options.out)
    return 0


def bring_in(weights: Path, out: Path) -> None:
    """Write the network in ``weights`` to ``out`` as a checkpoint of ours. Raises ForeignError and OSError."""
    network = interop.read(weights)
    checkpoint.save(out, network)
    parameters, labels = network.architecture.parameters, network.architecture.outputs
    print(f"{out}: {parameters:,} parameters, {labels} labels, {out.stat().st_size / 1e6:.1f} MB")

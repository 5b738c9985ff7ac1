"""``import``: turns torchvision's weights of AlexNet into a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands import Commands
from training.release.importing import import_weights


def add(commands: Commands) -> None:
    """Describe the ``import`` command to the parser."""
    parser = commands.add_parser("import", help="turn torchvision's weights of AlexNet into a checkpoint")
    parser.add_argument("weights", type=Path, help="a .pth file")
    parser.add_argument("out", type=Path, help="a .safetensors file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Import the weights and print what they are."""
    import_weights(options.weights, options.out)
    return 0

"""Pictures of a network as it learns: at each evaluation its kernels, and every layer's activations for one photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from model.checkpoint import Checkpoint
from model.engines import Engine
from model.files import atomically
from model.preprocess import prepare, square
from model.runlog import reader, sprites, writer

PICTURE = Path(__file__).parent / "chelsea.webp"
"""Chelsea the cat, by Stéfan van der Walt (CC0). Ours to pass on, as no picture of a training set is."""

_PICTURE_SIZE = 256  # pixels


def keep_picture(path: Path, file: Path | None = None) -> None:
    """Put the centred square of a photo, by default :data:`PICTURE`, beside the run log ``path``, at 256 px.

    A run log that has one keeps it, so that all its snapshots show the same photo; it may be shown to anybody.
    Raises ValueError with one sentence where ``file`` is no picture.
    """
    target = reader.picture_path(path)
    if target.is_file():
        return
    photo = square(_open_picture(file or PICTURE), _PICTURE_SIZE)
    with atomically(target) as out:
        photo.save(out, "WEBP", quality=85, method=6)


def snapshot(network: Checkpoint, engine: Engine, path: Path, step: int) -> None:
    """Add a sheet of pictures of ``network``, which ``engine`` runs, to the run log ``path``.

    The kernels are shown as they serve, with batch norm folded in. Raises OSError where the disk will not take it.
    """
    keep_picture(path)
    size = engine.architecture.input_size
    pixels, _, _ = prepare(_open_picture(reader.picture_path(path)), engine.architecture)
    layers = [row.name for row in engine.architecture.layers if row.name in sprites.LAYERS]
    output = engine.run(np.stack([pixels]), maps=layers)  # a copy: torch warns of pictures that it may not write to
    kernels = network.folded().weights["conv1.weight"]
    writer.append_sheet(path, step, size, kernels, {name: map_[0] for name, map_ in output.maps.items()})


def _open_picture(file: Path) -> Image.Image:
    try:
        picture = Image.open(file)
        picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} is no picture that can be read, so it cannot be the fixed one.") from error
    return picture

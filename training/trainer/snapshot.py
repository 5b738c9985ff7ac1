"""Watching it learn: the kernels, and what every layer makes of one fixed photo, at each evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from model.checkpoint import Checkpoint
from model.engines import Engine
from model.files import atomically
from model.preprocess import prepare
from model.runlog import reader, sprites, writer

PICTURE = Path(__file__).parent / "chelsea.webp"
"""Chelsea the cat, by Stéfan van der Walt (CC0). Ours to pass on, as no picture of a training set is."""

_KEPT_SIZE = 256


def keep_picture(path: Path, file: Path | None = None) -> None:
    """Put the fixed photo, by default :data:`PICTURE`, into the journal ``path``, which may be shown to anybody.

    The centred square at 256 px. A journal that has one keeps it: what is compared is always the same photo.
    Raises ValueError with one sentence where ``file`` is no picture.
    """
    kept = reader.picture_path(path)
    if kept.is_file():
        return
    pixels, _, _ = prepare(_opened(file or PICTURE), _KEPT_SIZE)
    with atomically(kept) as out:
        Image.fromarray(pixels).save(out, "WEBP", quality=85, method=6)


def snapshot(network: Checkpoint, engine: Engine, path: Path, step: int) -> None:
    """Add a sheet for ``network``, which ``engine`` runs, to the journal ``path``.

    The kernels are those that serve: batch norm is folded into them. Raises OSError where the disk will not take it.
    """
    keep_picture(path)
    size = engine.architecture.input_size
    pixels, _, _ = prepare(_opened(reader.picture_path(path)), size)
    present = [row.name for row in engine.architecture.layers if row.name in sprites.LAYERS]
    output = engine.run(np.stack([pixels]), maps=present)  # a copy: torch warns of pictures that it may not write to
    kernels = network.folded().weights["conv1.weight"]
    writer.append_sheet(path, step, size, kernels, {name: map_[0] for name, map_ in output.maps.items()})


def _opened(file: Path) -> Image.Image:
    try:
        picture = Image.open(file)
        picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} is no picture that can be read, so it cannot be the fixed one.") from error
    return picture

"""``python -m benchmarks.copies FOLDER``: does an embedding find a photo by a copy of it?

Photos of the folder are saved anew, shrunk, mirrored, cropped, brightened and made grey; each copy then looks for its
original among all photos of the folder. Recall is the share of copies whose nearest photo is the original. The cosines
say from where on two photos may be called near-duplicates.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.options import whole
from model.checkpoint import PRETRAINED, load
from model.engines import Engine, create_engine
from model.pictures.upright import upright_rgb
from model.preprocess import prepare
from model.teaching.embedding import Embedding, embedding_of
from model.weights import Floats

_BATCH = 16
_FIRST_LINE = (__doc__ or "").splitlines()[0]
Copy = Callable[[Image.Image], Image.Image]


def _saved(quality: int, scale: float = 1.0) -> Copy:
    def copy(picture: Image.Image) -> Image.Image:
        side = tuple(max(1, round(length * scale)) for length in picture.size)
        file = BytesIO()
        picture.resize((side[0], side[1])).save(file, "JPEG", quality=quality)
        return Image.open(file)

    return copy


def _cropped(share: float, across: float, down: float) -> Copy:
    def copy(picture: Image.Image) -> Image.Image:
        width, height = (round(length * share) for length in picture.size)
        x, y = round((picture.width - width) * across), round((picture.height - height) * down)
        return picture.crop((x, y, x + width, y + height))

    return copy


COPIES: Mapping[str, Copy] = {
    "JPEG of quality 50": _saved(50),
    "half the size, quality 85": _saved(85, 0.5),
    "mirrored": ImageOps.mirror,
    "90 % of each side, the middle": _cropped(0.9, 0.5, 0.5),
    "80 % of each side, a corner": _cropped(0.8, 0, 0),
    "75 % of each side": _cropped(0.75, 0.7, 0.6),
    "30 % brighter": lambda picture: picture.point(lambda value: min(255, int(value * 1.3))),
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
}
"""How each copy is made."""


def embedded(engine: Engine, embedding: Embedding, pictures: Sequence[Image.Image]) -> Floats:
    """Return (N, size) embeddings of pictures, each of length 1."""
    parts = []
    for start in range(0, len(pictures), _BATCH):
        pixels = np.stack([prepare(picture, engine.architecture)[0] for picture in pictures[start : start + _BATCH]])
        parts.append(embedding.of(engine.run(pixels, maps=("fc7",)).maps["fc7"]))
    found = np.concatenate(parts)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Read the options, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copies", description=_FIRST_LINE)
    parser.add_argument("folder", type=Path, help="photos, each of something else")
    parser.add_argument("--copied", type=whole(), default=150, help="of how many copies are made (default: 150)")
    parser.add_argument("--checkpoint", type=Path, default=PRETRAINED)
    options = parser.parse_args()
    checkpoint = load(options.checkpoint)
    engine, embedding = create_engine(checkpoint), embedding_of(checkpoint)
    files = [path for path in sorted(options.folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".webp")]
    pictures = [upright_rgb(Image.open(path)) for path in track(files, "Reading")]
    originals = embedded(engine, embedding, pictures)
    cosines = originals @ originals.T
    np.fill_diagonal(cosines, -1)
    nearest = cosines.max(1)
    console = Console(width=140)
    console.print(
        f"{len(files)} photos; nearest other photo: cosine {np.median(nearest):.3f} (median), "
        f"{np.quantile(nearest, 0.95):.3f} (95 %), {nearest.max():.3f} (largest)"
    )
    table = Table("copy", "n", "recall at 1", "cosine, median", "5 % below")
    chosen = pictures[:: max(1, len(pictures) // options.copied)][: options.copied]
    truth = np.arange(len(pictures))[:: max(1, len(pictures) // options.copied)][: options.copied]
    for name, copy in COPIES.items():
        found = embedded(engine, embedding, [copy(picture) for picture in chosen])
        own = (found * originals[truth]).sum(1)
        recall = ((found @ originals.T).argmax(1) == truth).mean()
        table.add_row(name, str(len(chosen)), f"{recall:.3f}", f"{np.median(own):.3f}", f"{np.quantile(own, 0.05):.3f}")
    console.print(table)


if __name__ == "__main__":
    main()

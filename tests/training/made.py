"""Small picture sets, made where a test needs them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from training.data.layouts import read_split
from training.data.split import SPLITS, SplitName

EVALUATION: SplitName = "evaluation"


def encoded(seed: int, width: int = 40, height: int = 30, form: str = "PNG") -> bytes:
    """A picture of noise in 4 × 4 px squares, unlike that of any other seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (-(-height // 4), -(-width // 4), 3), np.uint8)
    picture = Image.fromarray(noise.repeat(4, 0).repeat(4, 1)[:height, :width])
    file = io.BytesIO()
    picture.save(file, form)
    return file.getvalue()


def folders(root: Path, counts: dict[str, int], *, mixed: bool = False) -> Path:
    """Class folders with so many pictures, of 40 × 30 px or ``mixed`` sizes; the bytes of each depend on its place."""
    for place, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for number in range(count):
            seed = 1000 * place + number
            size = (30 + seed % 50, 60 - seed % 31) if mixed else (40, 30)
            (root / name / f"{number:03}.png").write_bytes(encoded(seed, *size))
    return root


def shard(
    path: Path, pictures: Sequence[bytes | None], *, rows_per_group: int = 8, names: Sequence[str] = (), **columns: Any
) -> Path:
    """A shard with these pictures and columns; ``names`` of classes go where Hugging Face datasets put them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = pa.array(
        [{"bytes": one, "path": None} for one in pictures], pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    table = pa.table({"image": images, **columns})
    if names:
        record = {"info": {"features": {"label": {"_type": "ClassLabel", "names": list(names)}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(record)})
    pq.write_table(table, path, row_group_size=rows_per_group)
    return path


def shards(root: Path, *, train: int = 50, validation: int = 9, classes: int = 3, rows_per_group: int = 8) -> Path:
    """Two training shards and one for validation, of pictures of 40 × 30 px."""
    names = [f"class {letter}" for letter in "abcdefgh"[:classes]]
    for file, seeds in (
        ("train-00000", range(0, train // 2)),
        ("train-00001", range(train // 2, train)),
        ("validation-00000", range(5000, 5000 + validation)),
    ):
        pictures, labels = [encoded(seed) for seed in seeds], [seed % classes for seed in seeds]
        shard(root / f"{file}.parquet", pictures, rows_per_group=rows_per_group, names=names, label=labels)
    return root


def split_sizes(folder: Path) -> tuple[int, int, int]:
    """Number of pictures for training, for validation, and that an evaluation measures."""
    train, validation, evaluation = (len(read_split(folder, split).pictures) for split in (*SPLITS, EVALUATION))
    return train, validation, evaluation


def split_notes(folder: Path, split: SplitName = "train") -> str:
    """What is said of how a split was found."""
    return "; ".join(read_split(folder, split).notes)

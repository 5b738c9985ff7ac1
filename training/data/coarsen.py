"""Makes the pictures of a set as coarse as those of another: the centred square, made small, saved as JPEG once more.

Three sets teach the things that the shipped network knows, and pictures of one set look alike: 64 px, 84 px, sharp. A
network can tell the set by its looks, and with it which names are possible at all (docs/decisions/0025). Brought to one
size, by kernels and compression that differ from picture to picture, sets are told by their looks far less often
(docs/experiments.md, 20 and 24).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from model.files import replacing
from model.pictures.opening import open_picture
from model.preprocess import centre_square, upright_rgb
from training.data.columns import image_column
from training.data.decode import reason_of
from training.data.errors import BrokenPicture, DataError
from training.data.layouts import parquet_shards
from training.data.shards import open_shard

SIDE = 64
"""Pixels along the side of the pictures that are written: those of Tiny ImageNet."""
_KERNELS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
_QUALITIES = (75, 85, 90, 95)
_SUBSAMPLINGS = ("4:4:4", "4:2:0")
_MAX_SIDE = 65_500  # of a JPEG
_ROWS = 1024  # of a row group, and in memory at a time
_WORDS = "words.txt"  # lies beside shards with captions


def coarsen(folder: Path, out: Path, *, side: int = SIDE, seed: int = 0) -> Iterator[tuple[Path, int]]:
    """Write a set's Parquet shards to ``out``, their pictures ``side`` × ``side`` px; yield each file and its rows.

    All splits are written, under their names; of each row only the picture changes. The same ``seed`` makes the same
    choices of the same rows in the same order. Each file is written whole or not at all. Raises DataError where there
    are no shards, where ``out`` holds files already or where a row holds no picture that can be read, and OSError where
    the disk will not take it.
    """
    shards = _checked_shards(folder, out, side)
    chance = Random(seed)
    for shard in shards:
        target = out / shard.relative_to(folder)
        yield target, _coarsen_shard(shard, target, side, chance)
    if (folder / _WORDS).is_file():
        shutil.copyfile(folder / _WORDS, out / _WORDS)


def _checked_shards(folder: Path, out: Path, side: int) -> list[Path]:
    if not 1 <= side <= _MAX_SIDE:
        raise DataError(f"--side must be from 1 to {_MAX_SIDE:,} pixels, not {side}.")
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: name one that holds a set's Parquet shards (docs/data.md).")
    shards = parquet_shards(folder)
    if not shards:
        raise DataError(f"{folder} holds no Parquet shards: name a set that has some, as docs/data.md shows them.")
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file: give --out a new folder.")
    if any(path.is_file() for path in out.rglob("*")):
        raise DataError(f"{out} holds files already: give --out a new folder, or empty this one first.")
    return shards


def _coarsen_shard(shard: Path, target: Path, side: int, chance: Random) -> int:
    """Write one shard; returns its number of rows. Raises DataError and OSError."""
    with open_shard(shard) as file:
        schema = file.schema_arrow
    at = schema.get_field_index(image_column(schema, shard))
    rows = 0
    with replacing(target) as half, pq.ParquetWriter(half, schema) as writer:
        for batch in _batches(shard):
            cells = [
                _coarse_cell(cell, f"{shard}:{row}", side, chance)
                for row, cell in enumerate(batch.column(at).to_pylist(), rows)
            ]
            images = pa.array(cells, type=schema.field(at).type)
            writer.write_batch(batch.set_column(at, schema.field(at), images), row_group_size=_ROWS)
            rows += len(cells)
    return rows


def _batches(shard: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, as many at a time as a row group gets. Raises DataError."""
    with open_shard(shard) as file:
        yield from file.iter_batches(batch_size=_ROWS, use_threads=False)


def _coarse_cell(cell: Any, name: str, side: int, chance: Random) -> Any:
    """The cell of a column of pictures with a coarse picture in it; all else that it holds stays. Raises DataError."""
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if not data:
        raise DataError(f"{name} holds no bytes of a picture: write that shard again with its pictures in it.")
    try:
        coarse = _coarse_picture(data, side, chance)
    except Exception as error:  # a hostile or damaged file makes Pillow raise nearly anything
        broken = BrokenPicture(name, reason_of(error))
        raise DataError(
            f"A picture cannot be read, {broken}: take its row out; `python -m training inspect` names all of them."
        ) from error
    return {**cell, "bytes": coarse} if isinstance(cell, dict) else coarse


def _coarse_picture(data: bytes, side: int, chance: Random) -> bytes:
    """The centred square with ``side`` × ``side`` px, as JPEG. Raises what :func:`training.data.decode.decode` does."""
    kernel = chance.choice(_KERNELS)  # these three in this order: a seed stands for the pictures that were measured
    quality = chance.choice(_QUALITIES)
    subsampling = chance.choice(_SUBSAMPLINGS)
    with open_picture(data) as picture:
        upright = upright_rgb(picture)
        square = centre_square(*upright.size)
        box = (square.x, square.y, square.x + square.width, square.y + square.height)
        small = upright.crop(box).resize((side, side), kernel)  # with resize's own box kernels would see beyond it
    file = BytesIO()
    small.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return file.getvalue()

"""Writes a run log: one JSON object a line, each with its ``step``, and beside the file small pictures of the network.

``docs/runlog.md`` gives the format. The pictures of ``metrics.jsonl`` lie in the folder ``metrics``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.files import atomically
from model.runlog import reader, sprites


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Append one entry, which has a ``step``, to the run log as a line of JSON."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, separators=(",", ":")) + "\n")


def append_sheet(
    path: Path, step: int, size: int, kernels: NDArray[np.float32], maps: Mapping[str, NDArray[np.float32]]
) -> None:
    """Append a sheet: (K, 3, 11, 11) kernels of conv1 and activations (C, H, W) by layer, after ``step`` steps.

    ``size`` is the side of the pictures in pixels. The picture is whole before its line is written.
    """
    body, blocks = sprites.encode(kernels, maps)
    _write(reader.sheet_path(path, step), body)
    append(path, {"step": step, "size": size, "sheet": sprites.to_json(blocks)})


def cut_back(path: Path, step: int) -> None:
    """Drop the lines and pictures of steps after ``step``, so that a resumed run writes them again.

    Lines that are no entry go, too; so do half-written pictures. An absent run log becomes an empty one.
    """
    lines = [line for line in reader.lines(path) if (entry := reader.parse(line)) and entry["step"] <= step]
    _write(path, "".join(line + "\n" for line in lines).encode())
    for file in reader.sheet_files(path):
        if file.suffix != ".webp" or int(file.stem) > step:
            file.unlink()


def extend(path: Path, later: Path) -> None:
    """Append the run log of a later run that started from the network with which this one ends.

    The steps of the later run are counted on from the last step here. Its entries of step 0 are left out, because they
    are of the same network.
    """
    end = max((int(entry["step"]) for entry in reader.entries(path)), default=0)
    for entry in reader.entries(later):
        if entry["step"]:
            step = end + entry["step"]
            if "sheet" in entry and (file := reader.sheet_path(later, entry["step"])).is_file():
                _write(reader.sheet_path(path, step), file.read_bytes())
            append(path, {**entry, "step": step})


def _write(path: Path, body: bytes) -> None:
    with atomically(path) as file:
        file.write(body)

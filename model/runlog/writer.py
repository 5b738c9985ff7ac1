"""The run journal: one JSON object a line, each with its ``step``; and beside it small pictures of the network.

Written by training, read by the page. ``docs/journal.md`` gives the format. The pictures of ``metrics.jsonl`` lie in
the folder ``metrics``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.files import atomically
from model.runlog import sprites
from model.runlog.sprites import Block

_MOST_STEPS = 2**53  # what a browser still counts exactly


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The network at one step: see :mod:`model.runlog.sprites`."""

    step: int
    size: int
    """Of the pictures it was trained on then."""
    file: Path
    blocks: tuple[Block, ...]

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the file's picture."""
        return sprites.COLUMNS * max(block.side for block in self.blocks), self.blocks[-1].bottom


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Add one entry."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, separators=(",", ":")) + "\n")


def append_sheet(
    path: Path, step: int, size: int, kernels: NDArray[np.float32], maps: Mapping[str, NDArray[np.float32]]
) -> None:
    """Keep (K, 3, 11, 11) kernels of conv1 and activations (C, H, W) by layer; ``size`` is the pictures' in pixels."""
    body, blocks = sprites.encode(kernels, maps)
    file = _sheet_file(path, step)
    file.parent.mkdir(parents=True, exist_ok=True)
    _replace(file, body)
    append(path, {"step": step, "size": size, "sheet": sprites.to_json(blocks)})


def picture(path: Path) -> Path:
    """Where the fixed photo of a journal lies, if it has one."""
    return path.with_suffix("") / "picture.webp"


def read(path: Path) -> list[dict[str, Any]]:
    """All whole entries. An absent file is an empty journal; a line that is none, cut off by a crash, is left out."""
    return [entry for line in lines(path) if (entry := _entry(line)) is not None]


def lines(path: Path) -> list[str]:
    """All lines as they are, whole or not."""
    return [line for line in _text(path).split("\n") if line.strip()]


def sheets(path: Path) -> list[Sheet]:
    """The pictures that are there, by step."""
    found = {one.step: one for entry in read(path) if (one := _sheet(path, entry)) is not None}
    return [found[step] for step in sorted(found)]


def cut_back(path: Path, step: int) -> None:
    """Drop what was written after ``step``, pictures too, so that a resumed run writes it again."""
    kept = [line for line in lines(path) if (entry := _entry(line)) is not None and entry["step"] <= step]
    _replace(path, "".join(line + "\n" for line in kept).encode())
    for file in _sheet_files(path):
        if file.suffix != ".webp" or int(file.stem) > step:
            file.unlink()


def go_on(path: Path, other: Path) -> None:
    """Add the journal of a run that started where this one ends: its steps are counted on, and its first is ours."""
    end = max((int(entry["step"]) for entry in read(path)), default=0)
    for entry in read(other):
        if entry["step"]:
            if "sheet" in entry and (file := _sheet_file(other, entry["step"])).is_file():
                _replace(_sheet_file(path, end + entry["step"]), file.read_bytes())
            append(path, {**entry, "step": end + entry["step"]})


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    step = entry.get("step") if isinstance(entry, dict) else None
    return entry if type(step) is int and 0 <= step < _MOST_STEPS else None


def _sheet(path: Path, entry: Mapping[str, Any]) -> Sheet | None:
    file = _sheet_file(path, entry["step"])
    try:
        blocks = sprites.from_json(entry["sheet"])
        found = Sheet(step=entry["step"], size=int(entry["size"]), file=file, blocks=blocks)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return found if file.is_file() else None


def _sheet_file(path: Path, step: int) -> Path:
    return path.with_suffix("") / f"{step:07d}.webp"


def _sheet_files(path: Path) -> Iterator[Path]:
    """Files named by their step, half-written ones too; never the fixed photo."""
    return (file for file in path.with_suffix("").glob("*.webp*") if file.name.split(".")[0].isdecimal())


def _replace(file: Path, body: bytes) -> None:
    with atomically(file) as half:
        half.write(body)

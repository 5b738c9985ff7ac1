"""Reads a run log, which may be damaged: what cannot be right is left out, never an error.

A run log is a file of JSON lines with a folder of pictures beside it; ``docs/runlog.md`` gives the format.
:func:`entries`, :func:`lines` and :func:`sheets` read the parts of it, :func:`read` all that is known of a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from model.runlog import sprites
from model.runlog.sprites import Block

RUN_LOG = "metrics.jsonl"
"""Name of the run log in a run's folder."""
MOST = 1e12
"""Largest number that a run log may hold; one beyond it is taken for damage."""

_MOST_STEPS = 2**53  # the largest whole numbers that a browser tells apart


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A picture of the network after one step; :mod:`model.runlog.sprites` says what is drawn in it."""

    step: int
    """Updates made before it was drawn."""
    size: int
    """Side of the pictures that the network was trained on at that step, in pixels."""
    file: Path
    """The WebP file, which was there when the run log was read."""
    blocks: tuple[Block, ...]
    """Where the tiles of each layer lie, from top to bottom."""

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the file's picture, in pixels."""
        return sprites.COLUMNS * max(block.side for block in self.blocks), self.blocks[-1].bottom


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How often the network was right after some steps, on held-out pictures."""

    step: int
    """Updates made before it was measured."""
    size: int
    """Side of the pictures, in pixels; 0 where it is not known."""
    figures: Mapping[str, Mapping[str, float]]
    """Vocabulary -> figure (``top1``, ``top5``, ``map``) -> share from 0 to 1."""
    counts: Mapping[str, int]
    """Vocabulary -> number of pictures it was measured on; 0 where that is not known."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """What somebody who knows the run wrote into its log, to explain its curves."""

    step: int
    """Updates made before what it explains."""
    label: str
    """A word or two, to stand on a curve."""
    text: str
    """One sentence that explains the curve there."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that the folder of a run says of the run."""

    path: Path
    """File of the run log: ``metrics.jsonl``, or ``journal.jsonl`` of the shipped network."""
    config: Mapping[str, Any]
    """What ``config.json`` holds; empty where there is none beside the run log."""
    logged: list[dict[str, Any]]
    """Entries that have a loss, by step."""
    evaluations: list[Evaluation]
    """Evaluations that have a figure, by step."""
    sheets: list[Sheet]
    """Pictures of the network whose files are there, by step."""
    notes: Sequence[Note] = ()
    """What explains the curves, by step."""
    lost: int
    """Number of lines of the run log that are no entry."""
    broken: tuple[str, ...]
    """Pictures that could not be decoded, as the last evaluation named them."""

    @property
    def end(self) -> int:
        """The last step of any loss or evaluation; at least 1."""
        return max([1, *(int(e["step"]) for e in self.logged), *(e.step for e in self.evaluations)])

    @property
    def sizes(self) -> dict[int, int]:
        """Step -> picture size in pixels that came after it: 0, then the last known step of the size before."""
        sizes: dict[int, int] = {}
        before = 0
        for entry in self.logged:
            size = int(number_of(entry, "size") or 0)
            if size > 0 and size not in sizes.values():
                sizes[before] = size
            before = entry["step"]
        return sizes

    @property
    def seconds(self) -> float:
        """Seconds spent in training steps, from their speed, without evaluating and saving; 0 where it is not known."""
        batch_size = number_of(self.part("recipe"), "batch_size") or 0.0
        before = 0
        seconds = 0.0
        for entry in self.logged:
            if speed := number_of(entry, "images_per_second"):
                seconds += (entry["step"] - before) * batch_size / speed
            before = entry["step"]
        return max(seconds, 0.0)

    def part(self, name: str) -> Mapping[str, Any]:
        """Return a part of the config, ``recipe`` or ``provenance``; empty where there is none."""
        return mapping_of(self.config, name)


def entries(path: Path) -> list[dict[str, Any]]:
    """Return all whole entries of a run log, in the order of its lines; of an absent file none."""
    return [entry for line in lines(path) if (entry := parse(line)) is not None]


def lines(path: Path) -> list[str]:
    """Return all lines of a run log that are not blank, whether they are whole entries or not."""
    text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    return [line for line in text.split("\n") if line.strip()]


def parse(line: str) -> dict[str, Any] | None:
    """Return the entry that a line holds; None where it is cut off, damaged, or has no whole ``step`` from 0."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    step = entry.get("step") if isinstance(entry, dict) else None
    return entry if type(step) is int and 0 <= step < _MOST_STEPS else None


def sheets(path: Path) -> list[Sheet]:
    """Return the pictures of the network whose files are there, by step; of several for one step the last."""
    by_step = {sheet.step: sheet for entry in entries(path) if (sheet := _sheet(path, entry)) is not None}
    return [by_step[step] for step in sorted(by_step)]


def picture_path(path: Path) -> Path:
    """Return where a run log has its fixed photo, whether one is there or not."""
    return path.with_suffix("") / "picture.webp"


def sheet_path(path: Path, step: int) -> Path:
    """Return where a run log has the sheet of ``step``, whether one is there or not."""
    return path.with_suffix("") / f"{step:07d}.webp"


def sheet_files(path: Path) -> Iterator[Path]:
    """Yield the files beside a run log that are named by a step, half-written ones too; never the fixed photo."""
    return (file for file in path.with_suffix("").glob("*.webp*") if file.name.split(".")[0].isdecimal())


def read(run: Path) -> Record:
    """Return all that is known of a run from its folder, or from the file of its run log.

    Raises ValueError with one sentence where there is no run log, or no entry in it.
    """
    path = run / RUN_LOG if run.is_dir() else run
    if not path.is_file():
        raise ValueError(f"There is no run log at {path}: name the folder that train wrote with --out.")
    by_step = sorted(entries(path), key=lambda entry: int(entry["step"]))
    logged = [entry for entry in by_step if number_of(entry, "loss") is not None]
    evaluations = [evaluation for entry in by_step if (evaluation := _evaluation(entry)).figures]
    if not (logged or evaluations):
        raise ValueError(f"The run log {path} has no entry yet: a run writes its first within 25 steps.")
    return Record(
        path=path,
        config=_config(path.parent / "config.json"),
        logged=logged,
        evaluations=evaluations,
        sheets=sheets(path),
        notes=tuple(note for entry in by_step if (note := _note(entry)) is not None),
        lost=len(lines(path)) - len(by_step),
        broken=_broken(by_step),
    )


def number_of(record: Mapping[str, Any], key: str) -> float | None:
    """Return ``record[key]`` if it is a finite number of at most :data:`MOST`, either way; else None."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST and isfinite(value) else None


def mapping_of(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return ``record[key]`` if it is a mapping; else an empty one."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _sheet(path: Path, entry: Mapping[str, Any]) -> Sheet | None:
    file = sheet_path(path, entry["step"])
    try:
        blocks = sprites.from_json(entry["sheet"])
        sheet = Sheet(step=entry["step"], size=int(entry["size"]), file=file, blocks=blocks)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return sheet if file.is_file() else None


def _note(entry: Mapping[str, Any]) -> Note | None:
    label, text = (mapping_of(entry, "note").get(key) for key in ("label", "text"))
    return (
        Note(step=entry["step"], label=label, text=text) if isinstance(label, str) and isinstance(text, str) else None
    )


def _evaluation(entry: Mapping[str, Any]) -> Evaluation:
    measured = mapping_of(entry, "measured")
    figures: dict[str, Mapping[str, float]] = {}
    counts: dict[str, int] = {}
    for vocabulary in measured:
        values = mapping_of(measured, vocabulary)
        shares = {key: number_of(values, key) for key in values if key != "n"}
        possible = {key: share for key, share in shares.items() if share is not None and 0 <= share <= 1}
        if possible:
            figures[vocabulary] = possible
            counts[vocabulary] = int(number_of(values, "n") or 0)
    return Evaluation(step=entry["step"], size=int(number_of(entry, "size") or 0), figures=figures, counts=counts)


def _broken(by_step: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    lists = [entry["broken"] for entry in by_step if isinstance(entry.get("broken"), list)]
    return tuple(str(name) for name in lists[-1]) if lists else ()


def _config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}

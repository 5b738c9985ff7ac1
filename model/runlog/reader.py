"""What a run's folder says of the run. Nothing in it has to be so: what cannot be right is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from model.runlog import writer
from model.runlog.writer import Sheet

MOST = 1e12
"""A number beyond it is damage."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How often the network was right after ``step`` steps."""

    step: int
    size: int
    """Of the pictures, in pixels; 0 where it is not known."""
    figures: Mapping[str, Mapping[str, float]]
    """Vocabulary -> figure -> share from 0 to 1."""
    counts: Mapping[str, int]
    """Vocabulary -> pictures it was measured on."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run, read back."""

    journal: Path
    config: Mapping[str, Any]
    """What ``config.json`` holds; empty where there is none beside the journal."""
    logged: list[dict[str, Any]]
    """Entries with a loss, by step."""
    evaluations: list[Evaluation]
    sheets: list[Sheet]
    lost: int
    """Lines of the journal that are no entry."""
    broken: tuple[str, ...]
    """Pictures that could not be decoded, as the last evaluation named them."""

    @property
    def end(self) -> int:
        """The last step that is known of; at least 1."""
        return max([1, *(int(e["step"]) for e in self.logged), *(e.step for e in self.evaluations)])

    @property
    def sizes(self) -> dict[int, int]:
        """Picture sizes by the step after which they came: 0, then the last step that is known of the size before."""
        found: dict[int, int] = {}
        before = 0
        for entry in self.logged:
            size = int(number_of(entry, "size") or 0)
            if size > 0 and size not in found.values():
                found[before] = size
            before = entry["step"]
        return found

    @property
    def seconds(self) -> float:
        """Spent in training steps, from their speed; without reading, evaluating and saving. 0: not known."""
        batch, before, total = number_of(self.part("recipe"), "batch_size") or 0.0, 0, 0.0
        for entry in self.logged:
            if speed := number_of(entry, "images_per_second"):
                total += (entry["step"] - before) * batch / speed
            before = entry["step"]
        return max(total, 0.0)

    def part(self, name: str) -> Mapping[str, Any]:
        """A part of the config: ``recipe``, ``provenance``."""
        return mapping_of(self.config, name)


def read(run: Path) -> Record:
    """``run`` is a run's folder or a journal's file.

    Raises ValueError with one sentence where there is no journal, or no entry in it.
    """
    path = run / "metrics.jsonl" if run.is_dir() else run
    if not path.is_file():
        raise ValueError(f"There is no journal at {path}: name the folder that train wrote with --out.")
    entries = sorted(writer.read(path), key=lambda entry: int(entry["step"]))
    logged = [entry for entry in entries if number_of(entry, "loss") is not None]
    evaluations = [one for entry in entries if (one := _evaluation(entry)).figures]
    if not (logged or evaluations):
        raise ValueError(f"The journal {path} has no entry yet: a run writes its first within 25 steps.")
    return Record(
        journal=path, config=_config(path.parent / "config.json"), logged=logged, evaluations=evaluations,
        sheets=writer.sheets(path), lost=len(writer.lines(path)) - len(entries),
        broken=_broken(entries),
    )  # fmt: skip


def number_of(record: Mapping[str, Any], key: str) -> float | None:
    """A finite number of bearable size, or None."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST and isfinite(value) else None


def mapping_of(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A mapping, or an empty one."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _evaluation(entry: Mapping[str, Any]) -> Evaluation:
    measured = mapping_of(entry, "measured")
    figures, counts = {}, {}
    for name in measured:
        values = mapping_of(measured, name)
        shares = {key: number_of(values, key) for key in values if key != "n"}
        good = {key: share for key, share in shares.items() if share is not None and 0 <= share <= 1}
        if good:
            figures[name], counts[name] = good, int(number_of(values, "n") or 0)
    return Evaluation(step=entry["step"], size=int(number_of(entry, "size") or 0), figures=figures, counts=counts)


def _broken(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    named = [entry["broken"] for entry in entries if isinstance(entry.get("broken"), list)]
    return tuple(str(name) for name in named[-1]) if named else ()


def _config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}

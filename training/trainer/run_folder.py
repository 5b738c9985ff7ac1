"""The folder of a run: who may write in it, what it says of the run, and the state at which the run stopped.

``config.json`` is written whenever the run begins or goes on, ``metrics.jsonl`` (the run log) grows, ``state.pt`` is
replaced, and the checkpoints ``last.safetensors`` and ``best.safetensors`` are what a run is for. docs/runlog.md
describes the first two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from model.files import write_atomically
from model.runlog import reader
from model.runlog.reader import RUN_LOG
from training.evaluation.accuracy import overall_score
from training.trainer.plan import Plan
from training.trainer.state import read_state

CONFIG = "config.json"
"""Name of the file with what a resumed run does not decide anew: recipe, steps, provenance, sets and their colours."""
LAST = "last.safetensors"
"""Name of the checkpoint of the last evaluation."""
STATE = "state.pt"
"""Name of the file from which a run resumes."""
_ALWAYS_IN_CONFIG = frozenset({"recipe", "steps", "provenance", "preprocessing", "colours"})


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a run's folder, made if need be, for this process. Raises ValueError where another process trains in it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock").acquire(timeout=0):  # the system's: a process that is killed gives it back
            yield
    except Timeout as error:
        raise ValueError(f"Another process trains in {folder}: wait for it, stop it, or name another --out.") from error


def read_config(folder: Path, command: Literal["train", "teacher"], *, resume: bool) -> dict[str, Any] | None:
    """What :func:`write_config` wrote for a run of ``command``; None where there is no run yet.

    Raises ValueError where there is one and it is not to be resumed or is of the other command, or where its file is
    lost or broken.
    """
    path = folder / CONFIG
    if not path.exists():
        if left := sorted(one.name for one in folder.glob("*") if one.name == STATE or one.suffix == ".safetensors"):
            raise ValueError(
                f"{folder} holds {left[0]} of a run, but no {CONFIG}: bring it back, or name another --out."
            )
        return None
    if not resume:
        raise ValueError(f"{folder} holds a run already: add --resume, or name another --out.")
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
        lacking = sorted(_ALWAYS_IN_CONFIG - set(config))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is broken ({error}): bring it back whole, or name another --out.") from error
    if lacking:
        raise ValueError(f"{path} lacks {lacking[0]!r}: bring it back whole, or name another --out.")
    if command != (own := "teacher" if "backbone" in config["provenance"] else "train"):
        raise ValueError(f"{folder} holds a run of {own}, not of {command}: name another --out.")
    return config


def write_config(
    folder: Path, plan: Plan, *, data: Sequence[Mapping[str, Any]] = (), minutes: float | None = None
) -> None:
    """Write what a resumed run must not decide anew. Raises OSError where the disk will not take it.

    ``data``: the records of the sets (:class:`training.data.survey.SetRecord`), which a resumed run compares.
    ``minutes``: how long the run was asked to take, if it was.
    """
    config = {
        "recipe": asdict(plan.recipe),
        "steps": plan.steps,
        "provenance": plan.provenance,
        "preprocessing": asdict(plan.preprocessing),
        "colours": asdict(plan.colours),
        "data": list(data),
        **({"minutes": minutes} if minutes else {}),
    }
    write_atomically(folder / CONFIG, json.dumps(config, indent=1) + "\n")


def read_saved_state(folder: Path) -> dict[str, Any] | None:
    """The saved state of a run, or None where nothing was saved yet. Raises ValueError where the file is broken."""
    path = folder / STATE
    return read_state(path) if path.exists() else None


def read_scores(folder: Path, saved: dict[str, Any] | None) -> list[float]:
    """The scores of the evaluations up to a saved state, at the picture size it has; the run log holds them."""
    if saved is None:
        return []
    return [
        overall_score(entry["measured"])
        for entry in reader.entries(folder / RUN_LOG)
        if "measured" in entry and entry["step"] <= saved["step"] and entry["size"] == saved["size"]
    ]

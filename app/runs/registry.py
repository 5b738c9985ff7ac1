"""The runs whose journals the page shows: the shipped network's, and those that the operator names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from threading import Lock

from app.errors import NotFoundError
from model.checkpoint import PRETRAINED
from model.runlog import reader
from model.runlog.reader import Record, Sheet, read

SHIPPED = "shipped"
"""What the run of the shipped network is called in addresses."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a run wrote its journal."""

    name: str
    """In addresses: letters, digits, ``-`` and ``_``."""
    title: str
    """For people."""
    journal: Path


@dataclass(frozen=True, kw_only=True)
class Look:
    """A run as its journal was when somebody looked."""

    run: Run
    stamp: str
    """Another one when the journal is another."""
    record: Record | None = None
    problem: str = ""
    """Why there is no record, in one sentence for the reader."""

    @property
    def picture(self) -> Path | None:
        """The fixed photo, if the journal has one."""
        path = reader.picture_path(self.run.journal)
        return path if path.is_file() else None

    def sheet(self, step: str) -> Sheet | None:
        """The sheet that was kept after ``step``, written as in an address."""
        sheets = self.record.sheets if self.record else ()
        return next((one for one in sheets if str(one.step) == step), None)


class Runs:
    """All of them by name; a journal is read again only when it has changed. May be asked by several threads."""

    def __init__(self, folders: Sequence[Path], shipped: Path = PRETRAINED.parent / "journal.jsonl") -> None:
        first = Run(name=SHIPPED, title="The shipped network", journal=shipped)
        self.all = {first.name: first}
        """In the order in which they are offered."""
        for folder in folders:
            run = self._named(folder)
            self.all[run.name] = run
        self._looks: dict[str, Look] = {}
        self._lock = Lock()

    def look(self, name: str) -> Look:
        """The run as it is now. Raises NotFoundError where there is none of that name."""
        run = self.all.get(name)
        if run is None:
            raise NotFoundError("There is no run of this name here; GET /training lists those that there are.")
        with self._lock:  # a journal that has grown is read once, however many ask
            current = stamp(run.journal)
            known = self._looks.get(name)
            if known is None or known.stamp != current:
                known = self._looks[name] = _look(run, current)
            return known

    def _named(self, folder: Path) -> Run:
        title = folder.resolve().name
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", title).strip("-") or "run"
        name = next(n for n in chain([slug], (f"{slug}-{n}" for n in count(2))) if n not in self.all)
        title = title if name == slug else f"{title} ({name})"
        return Run(name=name, title=title, journal=folder / "metrics.jsonl")


def version(sheet: Sheet) -> str:
    """Another one when the sheet is another: its peaks tell, to three digits each."""
    return hashlib.sha256(repr(sheet.blocks).encode()).hexdigest()[:12]


def stamp(path: Path) -> str:
    """Another one when the file is another; the same for all files that are not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return "none"
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _look(run: Run, current: str) -> Look:
    try:
        if run.journal.is_file():
            return Look(run=run, stamp=current, record=read(run.journal))
        problem = f"There is no journal of {_quoted(run)}: its folder has no file {run.journal.name}."
    except ValueError:
        problem = _without_figures(run)
    except OSError as error:
        problem = f"The journal of {_quoted(run)} cannot be read: {(error.strerror or 'nobody knows why').lower()}."
    return Look(run=run, stamp=current, problem=problem)


def _without_figures(run: Run) -> str:
    lines, entries = len(reader.lines(run.journal)), len(reader.entries(run.journal))
    if lines and not entries:
        none = f"not one of its {lines} lines can" if lines > 1 else "its only line cannot"
        return f"The journal of {_quoted(run)} is damaged: {none} be read."
    return f"The journal of {_quoted(run)} has no figures yet: a run writes its first within 25 steps."


def _quoted(run: Run) -> str:
    return "the shipped network" if run.name == SHIPPED else f"“{run.title}”"

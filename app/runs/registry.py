"""The training runs that the page shows: the shipped network's, and those in the setting ``GLASSBOT_RUNS``."""

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
"""The name of the shipped network's run in addresses."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training run: its names, and where its log is."""

    name: str
    """The name in addresses, of letters, digits, ``-`` and ``_``."""
    title: str
    """The name that people read."""
    log: Path
    """The file of its log; the pictures are in a folder beside it."""


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run as its log was at one moment."""

    run: Run
    """The run whose log was read."""
    fingerprint: str
    """The fingerprint of the log at that moment; it changes when the log changes."""
    record: Record | None = None
    """What the log contains; None where there is a ``problem``."""
    problem: str = ""
    """Why there is no record, in one sentence for the reader of the page."""

    @property
    def picture(self) -> Path | None:
        """The file of the fixed photo, if the run has one."""
        path = reader.picture_path(self.run.log)
        return path if path.is_file() else None

    def sheet(self, step: str) -> Sheet | None:
        """Return the sheet of a step, which is written as in an address; None where there is none."""
        sheets = self.record.sheets if self.record else ()
        return next((sheet for sheet in sheets if str(sheet.step) == step), None)


class Runs:
    """All runs by name; a log is read again only when it has changed. Several threads may use it."""

    def __init__(self, folders: Sequence[Path], shipped: Path = PRETRAINED.parent / "journal.jsonl") -> None:
        first = Run(name=SHIPPED, title="The shipped network", log=shipped)
        self.by_name = {first.name: first}
        """The runs by their names, in the order in which the page offers them."""
        for folder in folders:
            run = self._named(folder)
            self.by_name[run.name] = run
        self._views: dict[str, RunView] = {}
        self._lock = Lock()

    def view(self, name: str) -> RunView:
        """Return the run as its log is now. Raises NotFoundError where there is no run of that name."""
        run = self.by_name.get(name)
        if run is None:
            raise NotFoundError("There is no run of this name here; GET /training lists all runs.")
        with self._lock:  # a log that has grown is read once, however many requests ask for it
            current = fingerprint(run.log)
            view = self._views.get(name)
            if view is None or view.fingerprint != current:
                view = _read_view(run, current)
                self._views[name] = view
            return view

    def _named(self, folder: Path) -> Run:
        title = folder.resolve().name
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", title).strip("-") or "run"
        name = next(n for n in chain([slug], (f"{slug}-{n}" for n in count(2))) if n not in self.by_name)
        title = title if name == slug else f"{title} ({name})"
        return Run(name=name, title=title, log=folder / reader.RUN_LOG)


def version(sheet: Sheet) -> str:
    """Return 12 hexadecimal digits that change with the sheet, whose peaks they are a hash of."""
    return hashlib.sha256(repr(sheet.blocks).encode()).hexdigest()[:12]


def fingerprint(path: Path) -> str:
    """Return a text that changes when the file changes; ``none`` for a file that is not there."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return "none"
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _read_view(run: Run, current: str) -> RunView:
    try:
        if run.log.is_file():
            return RunView(run=run, fingerprint=current, record=read(run.log))
        problem = f"There is no run log of {_quoted(run)}: its folder has no file {run.log.name}."
    except ValueError:
        problem = _problem_of_log(run)
    except OSError as error:
        reason = (error.strerror or "the reason is unknown").lower()
        problem = f"The run log of {_quoted(run)} cannot be read: {reason}."
    return RunView(run=run, fingerprint=current, problem=problem)


def _problem_of_log(run: Run) -> str:
    """Say why a log that can be read has no figures."""
    lines, entries = len(reader.lines(run.log)), len(reader.entries(run.log))
    if lines and not entries:
        unreadable = f"none of its {lines} lines can" if lines > 1 else "its only line cannot"
        return f"The run log of {_quoted(run)} is damaged: {unreadable} be read."
    return f"The run log of {_quoted(run)} has no figures yet: a run writes the first ones within 25 steps."


def _quoted(run: Run) -> str:
    return "the shipped network" if run.name == SHIPPED else f"“{run.title}”"

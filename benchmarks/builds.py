"""An older build of Glassbot as one more peer, and the engine of any build in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from benchmarks.servers import GLASSBOT, ROOT, Program, ServerError

OLDER = "older build"
"""The name of the older build in the report."""
_ALONE = ROOT / "benchmarks" / "engine_alone.py"
_READ = "import sys, pathlib; from model import checkpoint; checkpoint.load(pathlib.Path(sys.argv[1]))"
_SHIPPED = "from model.checkpoint import PRETRAINED; print(PRETRAINED.resolve())"


def older_build(folder: Path, checkpoint: Path) -> Program:
    """Return the build of another checkout as a program to start, by the interpreter of its ``.venv`` or by ours.

    It serves ``checkpoint`` where it can read that, else the network that it ships. Raises ServerError where there is
    no build.
    """
    own = folder / ".venv" / "bin" / "python"
    build = replace(
        GLASSBOT, name=OLDER, folder=folder, python=own if own.exists() else GLASSBOT.python, checkpoint=checkpoint
    )
    shipped = Path(_python(build, _SHIPPED).stdout.strip())
    if not shipped.is_relative_to(folder.resolve()):  # an installed Glassbot steps in for one that is not there
        raise ServerError(f"{folder} holds no build of Glassbot.")
    readable = _python(build, _READ, str(checkpoint)).returncode == 0
    return build if readable else replace(build, checkpoint=shipped)


def commit_of(folder: Path) -> str:
    """Return the short name of the commit that is checked out in a folder; empty where git knows none."""
    command = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


class EngineAlone:
    """The engine of one build, in a process that waits between measurements."""

    def __init__(self, name: str, asked: IO[str], answers: IO[str]) -> None:
        self._asked = asked
        self._answers = answers
        self.name = self._answer(name)
        """Which engine it is, in which precision."""

    def rate(self, batch: int, callers: int, seconds: float) -> float:
        """Return pictures a second through the engine, of so many callers with so many pictures each time."""
        self._asked.write(json.dumps([batch, callers, seconds]) + "\n")
        self._asked.flush()
        return float(self._answer(self.name))

    def _answer(self, name: str) -> str:
        if line := self._answers.readline().strip():
            return line
        raise ServerError(f"The engine of {name} ended; what went wrong stands above.")


@contextmanager
def engine_alone(program: Program, checkpoint: Path) -> Iterator[EngineAlone]:
    """Start the engine of a build, and end it when the block ends. Raises ServerError where it does not start."""
    command = [str(program.python), "-P", str(_ALONE), str(program.checkpoint or checkpoint)]
    process = subprocess.Popen(
        command, cwd=program.folder, env=_environment(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield EngineAlone(program.name, process.stdin, process.stdout)
    finally:
        process.kill()
        process.communicate()


def _python(program: Program, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run some lines by the interpreter of a build, on its modules."""
    command = [str(program.python), "-P", "-c", code, *arguments]
    return subprocess.run(
        command, cwd=program.folder, env=_environment(program), capture_output=True, text=True, check=False
    )


def _environment(program: Program) -> dict[str, str]:
    return {**os.environ, **program.environment, "PYTHONPATH": str(program.folder)}

"""What a server takes: seconds to start, bytes in memory, bytes on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.arrivals import together
from benchmarks.plan import Bench, Figures, Ratios, console, rounded
from benchmarks.servers import GLASSBOT, ROOT, Program, running

_CLIENTS = 8
_OURS = ("app", "model", "training", "static", "templates")
"""What a wheel of Glassbot itself holds; installed from a checkout, it lies there."""


def footprint(bench: Bench) -> tuple[Figures, Ratios]:
    """Glassbot's."""
    console.log("footprint: starts, memory, installed size")
    starts = []
    for number in range(bench.plan.starts + 1):
        with running(GLASSBOT, bench.plan.checkpoint) as server:
            if number:  # the first one fills the page cache
                starts.append(server.start_seconds)
    sizes = installed()
    return {
        "start_seconds": median(starts), "starts": rounded(starts),
        "memory": memory(bench, GLASSBOT),
        "installed_bytes": sum(sizes.values()), "installed": sizes,
    }, {}  # fmt: skip


def memory(bench: Bench, program: Program) -> Figures:
    """Bytes once it is ready, and after so many ordinary photos; and how long this start took."""
    with running(program, bench.plan.checkpoint) as server:
        before = server.memory()
        answers = asyncio.run(together(server.port, bench.bodies(program.encoding), bench.plan.sent, _CLIENTS))
        return {
            "start_seconds": server.start_seconds, "at_start": before, "after": server.memory(),
            "photos": len(answers), "answered": sum(answer.status == 200 for answer in answers),
        }  # fmt: skip


def installed(root: str = "glassbot") -> dict[str, int]:
    """Bytes of each distribution that serving needs: ``root`` and what it requires, without its extras."""
    sizes = {dist.metadata["Name"]: sum(_sizes(dist)) for dist in closure(root)}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def closure(root: str) -> list[Distribution]:
    """``root`` and everything that it requires here, directly or not."""
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [(root, "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in asked:
            asked.add((name, extra))
            try:
                found[name] = distribution(name)
            except PackageNotFoundError:  # required, and not installed: then it takes no bytes
                continue
            waiting += _required(found[name], extra)
    return list(found.values())


def _required(dist: Distribution, extra: str) -> Iterator[tuple[str, str]]:
    for line in dist.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            for wanted in ("", *requirement.extras):
                yield canonicalize_name(requirement.name), wanted


def _sizes(dist: Distribution) -> Iterator[int]:
    files = [Path(str(dist.locate_file(file))) for file in dist.files or ()]
    if canonicalize_name(dist.metadata["Name"]) == "glassbot" and not any(
        path.parts[-2:-1] == ("app",) for path in files
    ):
        files += [path for folder in _OURS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return (path.stat().st_size for path in files if path.is_file())

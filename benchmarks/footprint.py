"""The resources of a server: seconds to start, bytes in memory, bytes on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.arrivals import concurrent
from benchmarks.plan import Bench, Figures, Ratios, console, rounded
from benchmarks.servers import GLASSBOT, ROOT, Program, running

_CLIENTS = 8
_OUR_FOLDERS = ("app", "model", "training", "static", "templates")
"""The folders of the wheel, which stay in the checkout where Glassbot was installed from one."""


def footprint(bench: Bench) -> tuple[Figures, Ratios]:
    """Measure the start, the memory and the installed size of Glassbot."""
    console.log("footprint: starts, memory, installed size")
    starts = []
    for number in range(bench.plan.starts + 1):
        with running(GLASSBOT, bench.plan.checkpoint) as server:
            if number:  # the first one fills the page cache
                starts.append(server.start_seconds)
    sizes = installed()
    figures: Figures = {
        "start_seconds": median(starts),
        "starts": rounded(starts),
        "memory": memory(bench, GLASSBOT),
        "installed_bytes": sum(sizes.values()),
        "installed": sizes,
    }
    return figures, {}


def memory(bench: Bench, program: Program) -> Figures:
    """Measure the memory of a server in bytes, once it is ready and after ``plan.memory_photos`` ordinary photos."""
    with running(program, bench.plan.checkpoint) as server:
        before = server.memory()
        answers = asyncio.run(
            concurrent(server.port, bench.bodies(program.encoding), bench.plan.memory_photos, _CLIENTS)
        )
        return {
            "start_seconds": server.start_seconds,
            "at_start": before,
            "after": server.memory(),
            "photos": len(answers),
            "answered": sum(answer.status == 200 for answer in answers),
        }


def installed(root: str = "glassbot") -> dict[str, int]:
    """Return the bytes of each distribution that serving needs: ``root`` and its requirements, without extras."""
    sizes = {dist.metadata["Name"]: sum(_sizes(dist)) for dist in closure(root)}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def closure(root: str) -> list[Distribution]:
    """Return ``root`` and all installed distributions that it requires, directly or indirectly."""
    distributions: dict[str, Distribution] = {}
    visited: set[tuple[str, str]] = set()
    pending = [(root, "")]
    while pending:
        name, extra = pending.pop()
        if (name, extra) not in visited:
            visited.add((name, extra))
            try:
                distributions[name] = distribution(name)
            except PackageNotFoundError:  # required, but not installed here: it takes no bytes
                continue
            pending += _required(distributions[name], extra)
    return list(distributions.values())


def _required(dist: Distribution, extra: str) -> Iterator[tuple[str, str]]:
    for line in dist.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            for required_extra in ("", *requirement.extras):
                yield canonicalize_name(requirement.name), required_extra


def _sizes(dist: Distribution) -> Iterator[int]:
    files = [Path(str(dist.locate_file(file))) for file in dist.files or ()]
    if canonicalize_name(dist.metadata["Name"]) == "glassbot" and not any(
        path.parts[-2:-1] == ("app",) for path in files
    ):
        files += [
            path for folder in _OUR_FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts
        ]
    return (path.stat().st_size for path in files if path.is_file())

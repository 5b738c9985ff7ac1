"""What pictures in a bucket cost: ``python -m benchmarks.buckets FOLDER --pictures 20000``.

The photos of a folder, again and again under new names, are captioned from the disk, from an S3 of this machine (moto)
and from there by Ray. Printed are pictures per second, pictures per core-hour of all processes of the command (the S3
is none of them), their peak memory (proportional set size), and whether the answers are the same byte for byte.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from app.captioning.buckets.stores import open_store
from benchmarks.options import exit_on_sigterm, whole
from benchmarks.servers import memory_of

_SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_EVERY_S = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """What the processes of one command took."""

    seconds: float = 0.0
    """How long it took by the clock."""
    memory: int = 0
    """The most bytes that all had at once; shared ones are counted once."""
    cores: dict[int, float] = field(default_factory=dict)
    """Process -> seconds of a core, as far as it was seen."""

    def look(self, pid: int) -> None:
        """Add what a process and its descendants have taken until now."""
        family = [pid, *descendants(pid)]
        for one in family:
            with suppress(OSError, ValueError, IndexError):
                facts = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                self.cores[one] = (int(facts[11]) + int(facts[12])) / _TICKS
        self.memory = max(self.memory, memory_of(Path(f"/proc/{one}") for one in family)["pss"])


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started."""
    found = [pid]
    for parent in found:  # which grows meanwhile
        with suppress(OSError):
            tasks = Path(f"/proc/{parent}/task").glob("*/children")
            found += [int(child) for task in tasks for child in task.read_text().split()]
    return found[1:]


def measure(*arguments: str) -> Cost:
    """Run ``glassbot caption`` and return what it cost. Raises CalledProcessError where it fails."""
    cost, began = Cost(), time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "app", "caption", "--quiet", *arguments])
    try:
        while process.poll() is None:
            cost.look(process.pid)
            time.sleep(_EVERY_S)
    finally:
        process.terminate()  # nothing where it has ended
        process.wait()
    cost.seconds = time.monotonic() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return cost


@contextmanager
def s3() -> Iterator[str]:
    """Run an S3 (moto) in a process of its own, and yield its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        with process:  # waits for it, and closes its pipes
            pass


def s3_environment(url: str) -> dict[str, str]:
    """Return what a process needs to know of such an S3."""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    return {**keys, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}


def create_bucket(url: str, name: str) -> str:
    """Make a bucket, whose keys are in the environment, and return its address."""
    from pyarrow.fs import S3FileSystem

    host = url.removeprefix("http://")
    S3FileSystem(endpoint_override=host, scheme="http", allow_bucket_creation=True).create_dir(name)
    return f"s3://{name}"


def prepare(photos: Path, number: int, folder: Path, address: str) -> None:
    """Put ``number`` pictures, made of the photos, into a folder and a bucket."""
    store, path = open_store(address)
    files = sorted(file for file in photos.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    for count, file in enumerate(islice(cycle(files), number)):
        content = file.read_bytes()
        name = f"{count:07}{file.suffix}"
        (folder / name).write_bytes(content)
        store.write(f"{path}/{name}", content)


def answers(address: str) -> list[bytes]:
    """Return the lines of all parts at an address, sorted."""
    store, path = open_store(address)
    files = store.files(path) or []
    return sorted(line for file in files for line in store.read(file.path).splitlines(keepends=True))


def main() -> None:
    """Measure all three ways in turn and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--pictures", type=whole(), default=20_000)
    options = parser.parse_args()
    exit_on_sigterm()
    with TemporaryDirectory() as temporary, s3() as url:
        os.environ.update(s3_environment(url))
        address = create_bucket(url, "benchmark")
        folder = Path(temporary) / "photos"
        folder.mkdir()
        prepare(options.photos, options.pictures, folder, f"{address}/photos")
        places = {
            "folder": (str(folder), "--out", f"{temporary}/out.jsonl"),
            "s3": (f"{address}/photos", "--out", f"{address}/here"),
            "s3 --ray": (f"{address}/photos", "--out", f"{address}/there", "--ray"),
        }
        for name, arguments in places.items():
            cost = measure(*arguments)
            cores = sum(cost.cores.values())
            print(
                f"{name}: {options.pictures / cost.seconds:.0f} pictures/s, {3600 * options.pictures / cores:,.0f} per "
                f"core-hour ({cores:.0f} s of a core in {cost.seconds:.0f} s), peak {cost.memory / 1e6:.0f} MB",
                flush=True,
            )
        lines = sorted(Path(temporary, "out.jsonl").read_bytes().splitlines(keepends=True))
        renamed = sorted(line.replace(f'"{folder}'.encode(), f'"{address}/photos'.encode()) for line in lines)
        same = renamed == answers(f"{address}/here") == answers(f"{address}/there")
        print(f"{len(renamed)} answers, {'the same three times' if same else 'NOT THE SAME'}")


if __name__ == "__main__":
    main()

"""``fetch``: published weights, downloaded and imported."""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from model.engines import interop
from model.files import atomically
from training.commands import Commands
from training.commands.importing import bring_in

NETWORK = "alexnet-imagenet"
_PATIENCE = 30.0  # seconds without a byte


class FetchError(OSError):
    """A file that did not come; the message is one sentence: what is wrong, and what to do."""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("fetch", help="download published weights and turn them into a checkpoint")
    parser.add_argument("network", choices=(NETWORK,), help="torchvision's AlexNet of ImageNet's 1000 classes")
    parser.add_argument(
        "--out", type=Path, default=Path(f"{NETWORK}.safetensors"), metavar="FILE", help="default: %(default)s"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Download and import torchvision's official weights."""
    fetch(interop.published().url, options.out)
    return 0


def fetch(url: str, out: Path) -> None:
    """Download ``url`` beside ``out``, unless it lies there already, and import it into ``out``.

    Raises FetchError, ForeignError and OSError.
    """
    weights = out.with_name(url.rpartition("/")[2])
    if not (weights.is_file() and _digest(weights).startswith(_promised(url))):
        download(url, weights)
    bring_in(weights, out)


def download(url: str, path: Path) -> None:
    """Stream ``url`` into ``path``, which then has the digest that ``url`` promises, or stays as it was.

    Raises FetchError, and OSError where the disk will not take it.
    """
    digest = hashlib.sha256()
    try:
        with atomically(path) as file, closing(_chunks(url)) as chunks:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
            if not digest.hexdigest().startswith(_promised(url)):
                raise _failed(url, path, f"its SHA-256 begins with {digest.hexdigest()[:8]}, not {_promised(url)}")
    except httpx.HTTPStatusError as error:
        answer = error.response
        raise _failed(url, path, f"the answer is {answer.status_code} {answer.reason_phrase}") from error
    except httpx.HTTPError as error:
        raise _failed(url, path, str(error) or type(error).__name__) from error


def _failed(url: str, path: Path, why: str) -> FetchError:
    rescue = f"python -m training import {path.name} OUT"
    return FetchError(f"{url} could not be fetched ({why}): download it elsewhere, then run {rescue}.")


def _chunks(url: str) -> Generator[bytes, None, None]:
    """The body, with a bar on a terminal."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console()
    with (
        httpx.stream("GET", url, follow_redirects=True, timeout=_PATIENCE) as answer,
        Progress(TextColumn("{task.description}"), *columns, console=console, disable=not console.is_terminal) as bar,
    ):
        answer.raise_for_status()
        length = answer.headers.get("Content-Length", "")
        task = bar.add_task(url.rpartition("/")[2], total=int(length) if length.isdecimal() else None)
        for chunk in answer.iter_bytes():
            yield chunk
            bar.update(task, completed=answer.num_bytes_downloaded)


def _promised(url: str) -> str:
    """The first hexadecimal digits of the SHA-256, which torchvision's file names end in."""
    found = re.search(r"-([0-9a-f]{8,64})\.\w+$", url)
    assert found, url
    return found[1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

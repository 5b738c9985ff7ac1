"""``fetch``: downloads published weights and imports them."""

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
from training.release.importing import import_weights

NETWORK = "alexnet-imagenet"
_TIMEOUT_S = 30.0  # without a byte


class FetchError(OSError):
    """A file that could not be downloaded; the message is one sentence: what is wrong, and what to do."""


def add(commands: Commands) -> None:
    """Describe the ``fetch`` command to the parser."""
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
    if not (weights.is_file() and _digest(weights).startswith(_expected_digest(url))):
        download(url, weights)
    import_weights(weights, out)


def download(url: str, path: Path) -> None:
    """Stream ``url`` into ``path``, which then has the digest that ``url`` ends in, or stays as it was.

    Raises FetchError, and OSError where the disk will not take it.
    """
    digest = hashlib.sha256()
    try:
        with atomically(path) as file, closing(_chunks(url)) as chunks:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
            if not digest.hexdigest().startswith(_expected_digest(url)):
                actual = digest.hexdigest()[:8]
                raise _failed(url, path, f"its SHA-256 begins with {actual}, not {_expected_digest(url)}")
    except httpx.HTTPStatusError as error:
        response = error.response
        raise _failed(url, path, f"the answer is {response.status_code} {response.reason_phrase}") from error
    except httpx.HTTPError as error:
        raise _failed(url, path, str(error) or type(error).__name__) from error


def _failed(url: str, path: Path, reason: str) -> FetchError:
    command = f"python -m training import {path.name} OUT"
    return FetchError(f"{url} could not be fetched ({reason}): download it elsewhere, then run {command}.")


def _chunks(url: str) -> Generator[bytes, None, None]:
    """The body of the response in pieces, with a progress bar on a terminal."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console()
    with (
        httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_S) as response,
        Progress(TextColumn("{task.description}"), *columns, console=console, disable=not console.is_terminal) as bar,
    ):
        response.raise_for_status()
        length = response.headers.get("Content-Length", "")
        task = bar.add_task(url.rpartition("/")[2], total=int(length) if length.isdecimal() else None)
        for chunk in response.iter_bytes():
            yield chunk
            bar.update(task, completed=response.num_bytes_downloaded)


def _expected_digest(url: str) -> str:
    """The first hexadecimal digits of the SHA-256, which torchvision's file names end in."""
    match = re.search(r"-([0-9a-f]{8,64})\.\w+$", url)
    assert match, url
    return match[1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

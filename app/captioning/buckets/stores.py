"""Where files lie that have an address, such as ``s3://bucket/photos``: they are listed, read and written here.

S3 goes by Arrow, which reads a picture for a quarter of the processor's time that the S3 of fsspec takes
(docs/experiments.md, 27); every other address by fsspec.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from app.inference.offline.paths import printable
from app.settings import SettingsError, s3_endpoint
from model.files import atomically

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

_CONNECT_S = 5
_REQUEST_S = 60


@dataclass(frozen=True)
class StoredFile:
    """A file of a store, as its listing tells."""

    path: str
    """Where it lies, in the form of its store."""
    size: int
    """How many bytes it has."""


class Store(Protocol):
    """A place for files. Everything raises OSError where the store does not answer or refuses."""

    def files(self, path: str) -> list[StoredFile] | None:
        """Return all files below a folder, or the one file at ``path``; None where there is neither."""

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file. Whoever looks meanwhile finds the whole file, or none, or the one that was there before."""

    def make_folder(self, path: str) -> None:
        """Make a folder that can be written to, where the store knows folders."""

    def name(self, path: str) -> str:
        """Return the address of a file."""


def open_store(address: str) -> tuple[Store, str]:
    """Return the store of an address and the path there. Raises SettingsError where the address cannot be used."""
    if "::" in address:
        raise SettingsError(printable(f"{address} cannot be used: an address of addresses (::) is not read."))
    try:
        if address.startswith(("s3://", "s3a://")):
            path = address.split("://", 1)[1].rstrip("/")
            if not path or path.startswith("/"):
                raise ValueError("it names no bucket")
            return _S3Store(), path
        return _open_fsspec(address)
    except ImportError as error:
        if error.name in ("fsspec", "pyarrow"):
            raise SettingsError(
                "Addresses such as s3://… and --ray need more packages: pip install 'glassbot[bucket]'."
            ) from error
        raise SettingsError(printable(f"{address} cannot be used: {reason_of(error)}.")) from error
    except (ValueError, TypeError, OSError) as error:
        raise SettingsError(printable(f"{address} cannot be used: {reason_of(error)}.")) from error


def reason_of(error: Exception) -> str:
    """Return the first sentence of what a library says, without its full stop."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0].rstrip(". ")


@contextmanager
def _only_os_errors() -> Iterator[None]:
    """Turn whatever a library raises in the block into OSError: each store has errors of its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {reason_of(error)}") from error


class _S3Store:
    """S3 and what speaks like it. Keys, region and endpoint come from where Amazon's own programs have them."""

    def __init__(self) -> None:
        from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

        endpoint = _endpoint()
        self._s3 = S3FileSystem(
            scheme="http" if endpoint and endpoint.scheme == "http" else "https",
            endpoint_override=endpoint.netloc if endpoint else None,
            connect_timeout=_CONNECT_S,
            request_timeout=_REQUEST_S,
            retry_strategy=AwsStandardS3RetryStrategy(max_attempts=3),
            # A small file is one request, and not the three of a large one.
            allow_delayed_open=True,  # type: ignore[call-arg]  # the stubs lack it
        )

    def files(self, path: str) -> list[StoredFile] | None:
        from pyarrow.fs import FileSelector, FileType

        with _only_os_errors():
            bucket = self._s3.get_file_info(path.split("/", 1)[0])
            if bucket.type == FileType.NotFound:
                raise FileNotFoundError(f"there is no bucket {bucket.path}")
            found: FileInfo = self._s3.get_file_info(path)
            if found.type == FileType.File:
                return [StoredFile(path, found.size)]
            listing = self._s3.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
        files = [StoredFile(file.path, file.size) for file in listing if file.type == FileType.File]
        return files if listing or found.type == FileType.Directory else None

    def read(self, path: str) -> bytes:
        with _only_os_errors(), self._s3.open_input_stream(path) as stream:
            return bytes(stream.read())

    def write(self, path: str, content: bytes) -> None:
        # A stream that is closed writes what it has: on a thread of its own no signal closes it before it has all.
        with _only_os_errors(), ThreadPoolExecutor(1) as writer:
            writer.submit(self._put, path, content).result()

    def _put(self, path: str, content: bytes) -> None:
        with self._s3.open_output_stream(path, buffer_size=0) as stream:
            stream.write(content)

    def make_folder(self, path: str) -> None:
        if "/" in path:  # else it is the bucket, which was listed
            with _only_os_errors():
                self._s3.create_dir(path)  # an empty object, by which a key shows whether it may write

    def name(self, path: str) -> str:
        return f"s3://{path}"


def _endpoint() -> SplitResult | None:
    """Where an S3 is that is not Amazon's. Raises ValueError: what is meant for it must not reach Amazon by mistake."""
    text = s3_endpoint()
    if text is None:
        return None
    endpoint = urlsplit(text)
    whole = endpoint.hostname and endpoint.port != 0 and endpoint.path in ("", "/")  # a port that is none raises
    if endpoint.scheme not in ("http", "https") or not whole:
        raise ValueError(f"AWS_ENDPOINT_URL is {text!r}, and no URL such as http://127.0.0.1:9000")
    return endpoint


def _open_fsspec(address: str) -> tuple[Store, str]:
    from fsspec.core import url_to_fs

    files, path = url_to_fs(address)
    return _FsspecStore(files), str(path)


class _FsspecStore:
    """Whatever fsspec opens: other clouds, SFTP, HDFS, a folder of this machine."""

    def __init__(self, files: Any) -> None:
        self._fs = files
        self._is_local = type(files).__name__ == "LocalFileSystem"

    def files(self, path: str) -> list[StoredFile] | None:
        with _only_os_errors():
            if not self._fs.exists(path):
                return None
            found: dict[str, dict[str, Any]] = self._fs.find(path, detail=True)
        return [
            StoredFile(file, int(facts.get("size") or 0))
            for file, facts in found.items()
            if facts.get("type", "file") == "file"  # and no pipe, from which nothing may ever come
        ]

    def read(self, path: str) -> bytes:
        with _only_os_errors():
            return bytes(self._fs.cat_file(path))

    def write(self, path: str, content: bytes) -> None:
        with _only_os_errors():
            if not self._is_local:
                self._fs.pipe_file(path, content)
                return
            with atomically(Path(path)) as file:
                file.write(content)

    def make_folder(self, path: str) -> None:
        if self._is_local:
            Path(path).mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK):
                raise PermissionError("this account may not write there")

    def name(self, path: str) -> str:
        return str(self._fs.unstrip_protocol(path))

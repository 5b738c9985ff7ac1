"""An S3 of this machine, and pictures in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.captioning.buckets import parts, tables
from app.captioning.buckets.stores import open_store
from benchmarks.buckets import create_bucket, s3, s3_environment
from tests.app.inference import corpus


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Address of a moto server in a process of its own."""
    for package in ("moto", "flask_cors", "pyarrow"):
        pytest.importorskip(package)
    with s3() as url:
        yield url


@pytest.fixture
def bucket(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty bucket, for this process and those that it starts."""
    for name, value in s3_environment(s3_url).items():
        monkeypatch.setenv(name, value)
    return create_bucket(s3_url, f"bucket-{uuid4().hex}")


def fill(address: str, number: int) -> None:
    """Write as many small pictures below an address, no two alike."""
    store, path = open_store(address)
    for one in range(number):
        store.write(f"{path}/{one % 3}/{one:05}.jpg", corpus.jpeg(48, 40, seed=one))


def lines_in(address: str | Path) -> list[bytes]:
    """All answers in a folder, sorted."""
    store, path = open_store(str(address))
    lines: list[bytes] = []
    for file in store.files(path) or []:
        content = store.read(file.path)
        if file.path.endswith(".parquet"):
            lines += tables.decode(content)
        elif not file.path.endswith((parts.ERRORS, ".half")):
            lines += content.splitlines(keepends=True)
    return sorted(lines)

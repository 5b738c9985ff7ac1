"""An S3 of this machine, and pictures in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.captioning.buckets import parts, tables
from app.captioning.buckets.stores import open_store
from tests.app.inference import corpus

SERVER = """
import sys, logging
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Address of a moto server in a process of its own."""
    for package in ("moto", "flask_cors", "pyarrow"):
        pytest.importorskip(package)
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def s3_environment(url: str) -> dict[str, str]:
    """What a process needs to know of an S3."""
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    return {**keys, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}


@pytest.fixture
def bucket(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty bucket, for this process and those that it starts."""
    from pyarrow.fs import S3FileSystem

    for name, value in s3_environment(s3_url).items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{uuid4().hex}"
    host = s3_url.removeprefix("http://")
    S3FileSystem(endpoint_override=host, scheme="http", allow_bucket_creation=True).create_dir(name)
    return f"s3://{name}"


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

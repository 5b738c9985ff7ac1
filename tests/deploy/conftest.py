"""A fleet of replicas with a small network, and the gateway before it, for the tests that need them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fleet import Fleet
from tests.tiny import tiny_checkpoint

with_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None, reason="the gateway is HAProxy, which is not installed: apt-get install haproxy"
)


@pytest.fixture(scope="package")
def small_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("network") / "tiny.safetensors", input_size=67)


@pytest.fixture
def fleet(small_network: Path, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(small_network, tmp_path) as fleet:
        yield fleet

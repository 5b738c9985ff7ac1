"""For all tests: which of them run, how long one may take, and what none may leave behind."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # torch's threads wait by turning: on two cores, two processes of two each are slower (docs/experiments.md, 38).
    # Set before torch is imported; the processes that tests start have one, too. `make soak` leaves all their threads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

SLOW = 4
"""A test that is marked slow may take this many times as long as any other."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long tests to ``make soak``; give slow ones more time, unless they say themselves how much they need."""
    for item in items if "GLASSBOT_SOAK" not in os.environ else ():
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: make soak"))
    given = config.getoption("timeout")
    seconds = float(config.getini("timeout") if given is None else given)
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW * seconds))


@pytest.fixture(autouse=True)
def _no_log_goes_on() -> Iterator[None]:
    """A command that sets up logging writes to the stderr of its test, which is closed when the test ends."""
    yield
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)

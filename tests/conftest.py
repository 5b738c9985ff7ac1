"""For all tests: how long one may take."""

from __future__ import annotations

import pytest

SLOW = 4
"""A test that is marked slow may take this many times as long as any other."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give slow tests more time, unless they say themselves how much they need."""
    given = config.getoption("timeout")
    seconds = float(config.getini("timeout") if given is None else given)
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW * seconds))

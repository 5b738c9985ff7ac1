"""What the options of several benchmarks share: counts, and the end of every server when the benchmark is ended."""

from __future__ import annotations

import argparse
import math
import signal
import sys
from collections.abc import Callable


def whole(least: int = 1, most: int | None = None) -> Callable[[str], int]:
    """Return the ``type`` of an option that takes a whole number from ``least`` to ``most``; anything else is refused.

    Without ``most`` there is no upper bound.
    """
    bounds = f"of at least {least}" if most is None else f"from {least:,} to {most:,}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"{text} is no whole number {bounds}")
        return number

    return read


def positive(text: str) -> float:
    """Read the value of an option that takes a finite number above 0; anything else is refused."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def exit_on_sigterm() -> None:
    """Let SIGTERM raise SystemExit(143), so that every process that the benchmark has started is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

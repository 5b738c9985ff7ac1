"""Intervals for what was measured on a sample."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

_T = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""Student's t for 95 % and one to nine degrees of freedom."""


def wilson(share: float, n: int) -> tuple[float, float]:
    """Lower and upper end of the 95 % interval of a share of ``n`` (Wilson 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def interval(gains: Sequence[float]) -> tuple[float, float]:
    """Mean and half of its 95 % interval, by Student's t; the half is NaN for a single value."""
    if len(gains) < 2:
        return fmean(gains), float("nan")
    return fmean(gains), _T[min(len(gains), 10) - 2] * stdev(gains) / len(gains) ** 0.5

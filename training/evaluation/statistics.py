"""95 % intervals for what was measured on a sample, by scipy.

scipy is imported where it is used: it takes seconds, and most commands compute no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

CONFIDENCE = 0.95
"""The probability with which an interval holds the true value."""


def wilson_interval(hits: int, number: int) -> tuple[float, float]:
    """Lower and upper end of the 95 % interval of the share ``hits / number`` (Wilson 1927).

    Raises ValueError where ``number`` is below 1 or below ``hits``.
    """
    from scipy.stats import binomtest

    interval = binomtest(hits, number).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def student_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval by Student's t; the half width of a single value is NaN."""
    if len(values) < 2:
        return fmean(values), float("nan")
    from scipy.stats import t

    quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return fmean(values), quantile * stdev(values) / len(values) ** 0.5

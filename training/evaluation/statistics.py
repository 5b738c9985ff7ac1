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


def logit_interval(precision: float, positives: int) -> tuple[float, float]:
    """Lower and upper end of the 95 % interval of an average precision over so many positives.

    Boyd, Eng and Page, "Area under the precision-recall curve", ECML 2013: the logit of it is taken as normal, with the
    deviation 1 / sqrt(positives p (1 - p)). Raises ValueError where ``positives`` is below 1.
    """
    from scipy.special import expit, logit
    from scipy.stats import norm

    if positives < 1:
        raise ValueError("An average precision needs a positive.")
    precision = min(max(precision, 1e-6), 1 - 1e-6)
    width = float(norm.ppf((1 + CONFIDENCE) / 2)) / (positives * precision * (1 - precision)) ** 0.5
    return float(expit(logit(precision) - width)), float(expit(logit(precision) + width))


def student_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval by Student's t; the half width of a single value is NaN."""
    if len(values) < 2:
        return fmean(values), float("nan")
    from scipy.stats import t

    quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return fmean(values), quantile * stdev(values) / len(values) ** 0.5

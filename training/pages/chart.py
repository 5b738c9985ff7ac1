"""Curves for a page: numbers to positions in percent and SVG paths. Pure.

Paths are drawn in a box of 100 x 100 that the page stretches; text lies beside it as HTML, so that it keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

Point = tuple[float, float]
_MOST_POINTS = 600
_APART = 13.0  # percent of the height between two names at the right edge


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve and the height, in percent from the top, of its name at the right edge."""

    name: str
    path: str
    name_y: float


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A value on an axis: ``at`` in percent from the left or from the top."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure: title, what it means, curves and both axes."""

    title: str
    note: str
    lines: tuple[Line, ...]
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    marks: tuple[float, ...] = ()
    """Percent from the left of thin upright lines."""


def chart(
    title: str, note: str, curves: Sequence[tuple[str, Sequence[Point]]], *, end: float, marks: Sequence[float] = (),
    from_zero: bool = False, stairs: bool = False,
) -> Chart:  # fmt: skip
    """Curves of (step, value) points over 0 to ``end`` steps; every curve holds a point. ``marks`` are steps.

    ``from_zero``: the axis begins at 0. ``stairs``: a value holds until the next.
    """
    values = [y for _, points in curves for _, y in points]
    y = ticks(min([0.0, *values] if from_zero else values), max(values))
    low, span = y[0], y[-1] - y[0]
    x = [t for t in ticks(0, end) if t <= end]

    def down(value: float) -> float:
        return round(100 * (1 - (value - low) / span), 2)

    def along(step: float) -> float:
        return round(100 * step / end, 2)

    paths = [_path([(along(a), down(b)) for a, b in thin(points)], stairs=stairs) for _, points in curves]
    names_y = apart([down(points[-1][1]) for _, points in curves], _APART)
    return Chart(
        title=title, note=note,
        lines=tuple(Line(name=c[0], path=p, name_y=at) for c, p, at in zip(curves, paths, names_y, strict=True)),
        x=tuple(Tick(at=along(t), text=number(t)) for t in x), y=tuple(Tick(at=down(t), text=number(t)) for t in y),
        marks=tuple(along(mark) for mark in marks),
    )  # fmt: skip


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values that enclose ``low`` to ``high``: at least two, about ``most``."""
    if high <= low:
        low, high = low - abs(low or 1) / 2, high + abs(high or 1) / 2
    rough = (high - low) / (most - 1)
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def thin(points: Sequence[Point], most: int = _MOST_POINTS) -> list[Point]:
    """At most about ``most`` points: means of neighbours, and the last as it is."""
    if len(points) <= most:
        return list(points)
    width = ceil(len(points) / most)
    groups = [points[at : at + width] for at in range(0, len(points), width)]
    means = [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]
    return [*means[:-1], points[-1]]


def apart(positions: Sequence[float], least: float) -> list[float]:
    """The positions, in their order, moved until neighbours are ``least`` apart, and within 0 to 100 where they fit."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    moved = list(positions)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    over = max(0.0, max(moved, default=0.0) - 100)
    return [round(m - over, 2) for m in moved] if len(moved) * least <= 100 else moved


def number(value: float) -> str:
    """As a person writes it: 1,700; 0.35; 2.5e-05."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e9):
        return f"{value:.2g}"
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def _path(points: Sequence[Point], *, stairs: bool) -> str:
    x, y = points[0]
    parts = [f"M{x:g} {y:g}"]
    parts += [f"H{x:g}V{y:g}" if stairs else f"L{x:g} {y:g}" for x, y in points[1:]]
    if len(points) == 1:
        parts.append("h0")  # a round cap makes it a dot
    return "".join(parts)

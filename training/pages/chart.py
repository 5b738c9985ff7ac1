"""Line charts for a page: turns numbers into positions in percent and SVG paths. Pure.

Paths are drawn in a box of 100 x 100 that the page stretches; text lies beside it as HTML, so that it keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

Point = tuple[float, float]
_MAX_POINTS = 600
_NAME_DISTANCE = 13.0  # percent of the height between two names at the right edge


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve with its name at the right edge."""

    name: str
    path: str
    """The ``d`` of an SVG path."""
    name_y: float
    """Height of the name, in percent from the top."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A labelled value on an axis."""

    at: float
    """Its position, in percent from the left or from the top."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure: title, explanation, curves and the ticks of both axes."""

    title: str
    note: str
    lines: tuple[Line, ...]
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    marks: tuple[float, ...] = ()
    """Positions of thin upright lines, in percent from the left."""


def chart(
    title: str,
    note: str,
    curves: Sequence[tuple[str, Sequence[Point]]],
    *,
    end: float,
    marks: Sequence[float] = (),
    from_zero: bool = False,
    stairs: bool = False,
) -> Chart:
    """A chart of curves of (step, value) points over 0 to ``end`` steps; every curve holds a point.

    ``marks``: steps at which an upright line stands. ``from_zero``: the y axis begins at 0. ``stairs``: a value holds
    until the next.
    """
    values = [y for _, points in curves for _, y in points]
    y_ticks = ticks(min([0.0, *values] if from_zero else values), max(values))
    x_ticks = [tick for tick in ticks(0, end) if tick <= end]
    low = y_ticks[0]
    span = y_ticks[-1] - low

    def y_of(value: float) -> float:
        return round(100 * (1 - (value - low) / span), 2)

    def x_of(step: float) -> float:
        return round(100 * step / end, 2)

    paths = [_path([(x_of(a), y_of(b)) for a, b in thin(points)], stairs=stairs) for _, points in curves]
    names_y = spread_apart([y_of(points[-1][1]) for _, points in curves], _NAME_DISTANCE)
    lines = [Line(name=c[0], path=p, name_y=y) for c, p, y in zip(curves, paths, names_y, strict=True)]
    return Chart(
        title=title,
        note=note,
        lines=tuple(lines),
        x=tuple(Tick(at=x_of(tick), text=number(tick)) for tick in x_ticks),
        y=tuple(Tick(at=y_of(tick), text=number(tick)) for tick in y_ticks),
        marks=tuple(x_of(mark) for mark in marks),
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values that enclose ``low`` to ``high``: at least two, about ``most``."""
    if high <= low:
        low, high = low - abs(low or 1) / 2, high + abs(high or 1) / 2
    rough = (high - low) / (most - 1)
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= rough * 0.999)
    first = floor(low / step + 1e-9)
    last = ceil(high / step - 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def thin(points: Sequence[Point], most: int = _MAX_POINTS) -> list[Point]:
    """At most ``most`` points that keep the curve's shape: means of neighbours, and the last point as it is."""
    if len(points) <= most:
        return list(points)
    width = ceil(len(points) / most)
    groups = [points[at : at + width] for at in range(0, len(points), width)]
    means = [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]
    return [*means[:-1], points[-1]]


def spread_apart(positions: Sequence[float], least: float) -> list[float]:
    """The positions moved until neighbours are ``least`` apart, within 0 to 100 where they fit; in the order given."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    moved = list(positions)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    excess = max(0.0, max(moved, default=0.0) - 100)
    return [round(position - excess, 2) for position in moved] if len(moved) * least <= 100 else moved


def number(value: float) -> str:
    """A number as a person writes it: 1,700; 0.35; 2.5e-05."""
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

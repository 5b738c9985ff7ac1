"""The charts of a run: loss, accuracy, learning rate, speed and picture size by step. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.runlog.reader import Record, number_of
from training.pages.chart import Chart, Point, chart, number

FIGURES = {"top1": "top-1", "top5": "top-5", "map": "mAP"}
"""What a figure is called."""


def charts(record: Record) -> list[Chart]:
    """Those that there is something to draw of."""
    made = [_loss(record), *_accuracies(record), _rate(record), _speed(record), _sizes(record)]
    return [one for one in made if one is not None]


def _loss(record: Record) -> Chart | None:
    points = _points(record.logged, "loss")
    if not points:
        return None
    least = min(points, key=lambda point: point[1])
    note = (
        f"How surprised it was by the right answers; lower is better. Last {number(points[-1][1])}, "
        f"least {number(least[1])} at step {number(least[0])}.{_grown(record)}"
    )
    return chart("Loss", note, [("", points)], end=record.end, marks=_marks(record))


def _accuracies(record: Record) -> list[Chart]:
    """One for each vocabulary."""
    return [_accuracy(record, name) for name in {name: None for one in record.evaluations for name in one.figures}]


def _accuracy(record: Record, vocabulary: str) -> Chart:
    curves: dict[str, list[Point]] = {}
    for one in record.evaluations:
        for name, share in one.figures.get(vocabulary, {}).items():
            curves.setdefault(FIGURES.get(name, name), []).append((one.step, 100 * share))
    said = (f"{name} last {p[-1][1]:.1f}, best {max(v for _, v in p):.1f}" for name, p in curves.items())
    note = f"In percent, on pictures it never learned from: {'; '.join(said)}."
    return chart(
        f"Accuracy: {vocabulary}", note, list(curves.items()), end=record.end, marks=_marks(record), from_zero=True
    )


def _rate(record: Record) -> Chart | None:
    points = _points(record.logged, "lr")
    if not points:
        return None
    note = f"How far it moves at each step. Last {number(points[-1][1])}, most {number(max(y for _, y in points))}."
    return chart("Learning rate", note, [("", points)], end=record.end, from_zero=True)


def _speed(record: Record) -> Chart | None:
    points = _points(record.logged, "images_per_second")
    if not points:
        return None
    median = sorted(y for _, y in points)[len(points) // 2]
    note = f"While it takes steps. Median {number(round(median))}.{_grown(record)}"
    return chart("Pictures a second", note, [("", points)], end=record.end, marks=_marks(record), from_zero=True)


def _sizes(record: Record) -> Chart | None:
    sizes = [(float(step), float(size)) for step, size in record.sizes.items()]
    if not sizes:
        return None
    points = [*sizes, (float(record.end), sizes[-1][1])]
    said = " → ".join(number(size) for _, size in sizes)
    note = f"Side of the square that it is shown: {said}\N{NO-BREAK SPACE}px."
    return chart("Picture size", note, [("", points)], end=record.end, from_zero=True, stairs=True)


def _points(entries: Sequence[Mapping[str, Any]], key: str) -> list[Point]:
    return [(float(e["step"]), value) for e in entries if (value := number_of(e, key)) is not None]


def _marks(record: Record) -> list[int]:
    return list(record.sizes)[1:]


def _grown(record: Record) -> str:
    return " Dashed: larger pictures from here." if _marks(record) else ""

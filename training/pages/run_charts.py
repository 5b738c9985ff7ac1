"""The charts of a run: loss, accuracy, learning rate, speed and picture size by step. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.runlog.reader import Record, number_of
from training.pages.chart import Chart, Point, chart, number

FIGURE_NAMES = {"top1": "top-1", "top5": "top-5", "map": "mAP"}
"""Key of a figure -> its name on the page."""


def charts(record: Record) -> list[Chart]:
    """The charts of a run for which it logged any values."""
    possible = [_loss(record), *_accuracies(record), _learning_rate(record), _speed(record), _sizes(record)]
    return [one_chart for one_chart in possible if one_chart is not None]


def _loss(record: Record) -> Chart | None:
    points = _points(record.logged, "loss")
    if not points:
        return None
    least = min(points, key=lambda point: point[1])
    note = (
        f"Cross-entropy of its answers with the targets; lower is better. Last {number(points[-1][1])}, "
        f"least {number(least[1])} at step {number(least[0])}.{_larger_pictures(record)}"
    )
    return chart("Loss", note, [("", points)], end=record.end, marks=_marks(record))


def _accuracies(record: Record) -> list[Chart]:
    names = {name: None for evaluation in record.evaluations for name in evaluation.figures}
    return [_accuracy(record, name) for name in names]


def _accuracy(record: Record, vocabulary: str) -> Chart:
    curves: dict[str, list[Point]] = {}
    for evaluation in record.evaluations:
        for name, share in evaluation.figures.get(vocabulary, {}).items():
            curves.setdefault(FIGURE_NAMES.get(name, name), []).append((evaluation.step, 100 * share))
    summaries = (f"{name} last {p[-1][1]:.1f}, best {max(v for _, v in p):.1f}" for name, p in curves.items())
    return chart(
        f"Accuracy: {vocabulary}",
        f"In percent, on held-out pictures: {'; '.join(summaries)}.",
        list(curves.items()),
        end=record.end,
        marks=_marks(record),
        from_zero=True,
    )


def _learning_rate(record: Record) -> Chart | None:
    points = _points(record.logged, "lr")
    if not points:
        return None
    note = f"Size of the weights' steps. Last {number(points[-1][1])}, most {number(max(y for _, y in points))}."
    return chart("Learning rate", note, [("", points)], end=record.end, from_zero=True)


def _speed(record: Record) -> Chart | None:
    points = _points(record.logged, "images_per_second")
    if not points:
        return None
    median = sorted(y for _, y in points)[len(points) // 2]
    note = f"During training steps. Median {number(round(median))}.{_larger_pictures(record)}"
    return chart("Pictures a second", note, [("", points)], end=record.end, marks=_marks(record), from_zero=True)


def _sizes(record: Record) -> Chart | None:
    sizes = [(float(step), float(size)) for step, size in record.sizes.items()]
    if not sizes:
        return None
    points = [*sizes, (float(record.end), sizes[-1][1])]
    changes = " → ".join(number(size) for _, size in sizes)
    note = f"Side of the square input: {changes}\N{NO-BREAK SPACE}px."
    return chart("Picture size", note, [("", points)], end=record.end, from_zero=True, stairs=True)


def _points(entries: Sequence[Mapping[str, Any]], key: str) -> list[Point]:
    return [(float(entry["step"]), value) for entry in entries if (value := number_of(entry, key)) is not None]


def _marks(record: Record) -> list[int]:
    return list(record.sizes)[1:]


def _larger_pictures(record: Record) -> str:
    return " Dashed: larger pictures from here." if _marks(record) else ""

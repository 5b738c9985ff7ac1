"""What the page draws of a run: curves, picture sizes, and sheets, the pictures of the network after some steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.runs.marks import marks
from app.runs.registry import RunView, version
from model.runlog import sprites
from model.runlog.reader import Record, Sheet, number_of

_TWO_COLUMNS = 96
"""The number of conv1 kernels in the network of the paper, which has two columns of 48."""

Value = float | None
"""A value of a curve; None where it was not measured at that step."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The curves of one figure, over one axis of steps."""

    name: str
    """``loss``, or the name of a vocabulary."""
    steps: Sequence[int]
    """The steps of the values, ascending."""
    curves: Mapping[str, Sequence[Value]]
    """The values of each curve, one for each step.

    The curve is ``loss``; or, in percent, ``first`` (top-1 error), ``five`` (top-5 error) or ``map`` (mean average
    precision).
    """
    pictures: int = 0
    """The number of pictures of the last measurement; 0 where that is not known."""

    @property
    def last(self) -> dict[str, float]:
        """The last value of each curve that was measured."""
        return {name: [v for v in values if v is not None][-1] for name, values in self.curves.items()}

    def paths(self, end: int, *, width: int = 600, height: int = 200) -> dict[str, str]:
        """Return each curve as the ``d`` of an SVG path in a box of ``width`` × ``height``, for steps 0 to ``end``."""
        lowest, highest = self.range
        drawn: dict[str, str] = {}
        for name, values in self.curves.items():
            points = [
                f"{width * step / end:.1f} {height * (highest - value) / (highest - lowest):.1f}"
                for step, value in zip(self.steps, values, strict=True)
                if value is not None
            ]
            drawn[name] = "M" + "L".join(points)
        return drawn

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value of a drawing of it: errors and precision from 0, the loss as it is."""
        values = [value for curve in self.curves.values() for value in curve if value is not None]
        if self.name != "loss":
            return 0.0, 100.0 if "map" not in self.curves else max(1.0, 1.15 * max(values))
        lowest, highest = min(values), max(values)
        return (lowest, highest) if highest > lowest else (lowest - 1, highest + 1)

    def rows(self, most: int = 40) -> list[tuple[int, list[Value]]]:
        """Return at most ``most`` steps, evenly spread and the last among them, with the values of all curves."""
        stride = -(-len(self.steps) // most)
        indices = range(len(self.steps))[::-1][::stride][::-1]
        return [(self.steps[i], [values[i] for values in self.curves.values()]) for i in indices]


def charts(record: Record) -> list[Chart]:
    """Return the chart of the loss, where there is one, then the charts of the vocabularies that were measured."""
    losses = {int(entry["step"]): number_of(entry, "loss") for entry in record.logged}
    loss = [Chart(name="loss", steps=list(losses), curves={"loss": list(losses.values())})] if losses else []
    vocabularies = {name: None for evaluation in record.evaluations for name in evaluation.figures}
    return loss + [chart for name in vocabularies if (chart := _accuracy_chart(record, name)).curves]


def _accuracy_chart(record: Record, vocabulary: str) -> Chart:
    evaluations = {one.step: one for one in record.evaluations if vocabulary in one.figures}
    curves: dict[str, list[Value]] = {}
    for name, figure in (("first", "top1"), ("five", "top5"), ("map", "map")):
        shares = [one.figures[vocabulary].get(figure) for one in evaluations.values()]
        if any(share is not None for share in shares):
            curves[name] = [_percent(share, error=figure != "map") for share in shares]
    pictures = [one.counts[vocabulary] for one in evaluations.values()][-1]
    return Chart(name=vocabulary, steps=list(evaluations), curves=curves, pictures=pictures)


def _percent(share: Value, *, error: bool) -> Value:
    return None if share is None else round(100 * (1 - share if error else share), 2)


def planned_steps(record: Record) -> int:
    """Return the steps that the run is to take; 0 where that is not known, or the run is complete."""
    steps = int(number_of(record.config, "steps") or 0)
    return steps if steps > record.end else 0


def kernel_ranges(record: Record) -> list[tuple[int, int]]:
    """Return the kernels of each column of the network as (first, after the last); none where there is no sheet."""
    blocks = record.sheets[-1].blocks if record.sheets else ()
    number = next((len(block.peaks) for block in blocks if block.name == "kernels"), 0)
    if number == _TWO_COLUMNS and number_of(record.part("recipe"), "columns") in (2, None):
        return [(0, number // 2), (number // 2, number)]
    return [(0, number)] if number else []


def to_json(view: RunView) -> dict[str, Any]:
    """Return the run as JSON values, for the scripts of the page."""
    names: dict[str, Any] = {"name": view.run.name, "title": view.run.title, "problem": view.problem}
    record = view.record
    if record is None:
        return names
    return names | {
        "end": record.end,
        "planned": planned_steps(record),
        "charts": [asdict(chart) for chart in charts(record)],
        "marks": [asdict(mark) for mark in marks(record)],
        "sheets": [_sheet_to_json(sheet) for sheet in record.sheets],
    }


def _sheet_to_json(sheet: Sheet) -> dict[str, Any]:
    file = f"{sheet.step}.webp?v={version(sheet)}"
    return {"step": sheet.step, "size": sheet.size, "file": file, "blocks": sprites.to_json(sheet.blocks)}

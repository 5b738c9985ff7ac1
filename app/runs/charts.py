"""What the page draws of a run: curves, picture sizes, and the small pictures that the network kept of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.runs.registry import Look, version
from model.runlog import sprites
from model.runlog.reader import Record, Sheet, number_of

_TWO_COLUMNS = 96
"""Kernels of the network of the paper, which has two columns of 48."""

Value = float | None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves over one axis of steps."""

    name: str
    """``loss``, or a vocabulary."""
    steps: Sequence[int]
    curves: Mapping[str, Sequence[Value]]
    """``loss``; or, in percent, ``first`` (errors of the first answer), ``five`` (of five answers) and ``map``.

    None where it was not measured then.
    """
    pictures: int = 0
    """How many were measured last; 0 where that is not known."""

    @property
    def last(self) -> dict[str, float]:
        """The newest value of each curve."""
        return {name: [v for v in values if v is not None][-1] for name, values in self.curves.items()}

    def rows(self, most: int = 40) -> list[tuple[int, list[Value]]]:
        """At most ``most`` steps, evenly spread, and the values of each; the last among them."""
        apart = -(-len(self.steps) // most)
        chosen = range(len(self.steps))[::-1][::apart][::-1]
        return [(self.steps[i], [values[i] for values in self.curves.values()]) for i in chosen]


def charts(record: Record) -> list[Chart]:
    """The loss, where there is one, then what was measured on each vocabulary."""
    losses = {int(entry["step"]): number_of(entry, "loss") for entry in record.logged}
    loss = [Chart(name="loss", steps=list(losses), curves={"loss": list(losses.values())})] if losses else []
    names = {name: None for one in record.evaluations for name in one.figures}
    return loss + [chart for name in names if (chart := _measured(record, name)).curves]


def _measured(record: Record, vocabulary: str) -> Chart:
    found = {one.step: one for one in record.evaluations if vocabulary in one.figures}
    curves: dict[str, list[Value]] = {}
    for name, figure in (("first", "top1"), ("five", "top5"), ("map", "map")):
        shares = [one.figures[vocabulary].get(figure) for one in found.values()]
        if any(share is not None for share in shares):
            curves[name] = [_percent(share, error=figure != "map") for share in shares]
    pictures = [one.counts[vocabulary] for one in found.values()][-1]
    return Chart(name=vocabulary, steps=list(found), curves=curves, pictures=pictures)


def _percent(share: Value, *, error: bool) -> Value:
    return None if share is None else round(100 * (1 - share if error else share), 2)


def planned(record: Record) -> int:
    """Steps that the run set out to take; 0 where it is not known, or it has taken them."""
    steps = int(number_of(record.config, "steps") or 0)
    return steps if steps > record.end else 0


def halves(record: Record) -> list[tuple[int, int]]:
    """Which kernels belong together, as (first, after the last): those of each column, or all; none without a sheet."""
    blocks = record.sheets[-1].blocks if record.sheets else ()
    number = next((len(block.peaks) for block in blocks if block.name == "kernels"), 0)
    if number == _TWO_COLUMNS and number_of(record.part("recipe"), "columns") in (2, None):
        return [(0, number // 2), (number // 2, number)]
    return [(0, number)] if number else []


def told(look: Look) -> dict[str, Any]:
    """The run as JSON values, for the scripts of the page."""
    known: dict[str, Any] = {"name": look.run.name, "title": look.run.title, "problem": look.problem}
    record = look.record
    if record is None:
        return known
    return known | {
        "end": record.end, "planned": planned(record),
        "sizes": [{"step": step, "size": size} for step, size in record.sizes.items()],
        "charts": [asdict(chart) for chart in charts(record)],
        "sheets": [_sheet(one) for one in record.sheets],
    }  # fmt: skip


def _sheet(one: Sheet) -> dict[str, Any]:
    file = f"{one.step}.webp?v={version(one)}"
    return {"step": one.step, "size": one.size, "file": file, "blocks": sprites.to_json(one.blocks)}

"""The report of a run as one page: its settings, curves, kernels and activations, and a table of evaluations."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.runlog import reader
from model.runlog.reader import MOST, Record, Sheet, mapping_of, number_of, read
from model.runlog.sprites import COLUMNS, Block
from training.pages.chart import number
from training.pages.run_charts import FIGURE_NAMES, charts
from training.pages.templates import fill

_MAX_LENGTH = 120  # characters of a value
_MAX_SHEETS = 120  # of about 35 kB each, so that a phone opens the page


def render_report(run: Path) -> str:
    """The report as self-contained HTML that fetches nothing. ``run`` is a run's folder or a run log's file.

    Raises ValueError with one sentence where there is no run log, or no entry in it.
    """
    return fill("run_report.html.j2", **context(read(run)))


def context(record: Record) -> dict[str, Any]:
    """The values that the template fills in, by name."""
    recipe = record.part("recipe")
    return {
        "facts": facts(record),
        "recipe": {name: format_value(value) for name, value in recipe.items()},
        "reached": record.end,
        "planned": number_of(record.config, "steps"),
        "end": record.end,
        "charts": charts(record),
        "evaluations": record.evaluations,
        "columns": columns(record),
        "names": FIGURE_NAMES,
        "sheets": [sheet_view(sheet) for sheet in choose_sheets(record.sheets)],
        "two_columns": recipe.get("columns", 2) == 2,
        "photo": webp_uri(reader.picture_path(record.path)),
        "unreadable": record.lost,
    }


def facts(record: Record) -> dict[str, str]:
    """The facts that are known of a run, name -> value, in reading order."""
    recipe = record.part("recipe")
    provenance = record.part("provenance")
    data = mapping_of(provenance, "data")
    values = {
        "Recipe": format_value(provenance.get("preset", recipe.get("name"))),
        "Pictures to learn from": ", ".join(
            f"{name}\N{NO-BREAK SPACE}{format_value(count)}" for name, count in data.items()
        ),
        "Pictures a step": format_value(recipe.get("batch_size")),
        "Picture size": " → ".join(map(str, record.sizes.values())) + "\N{NO-BREAK SPACE}px" if record.sizes else "",
        "Time in training steps": f"about {format_duration(record.seconds)}" if record.seconds else "",
        "Device": format_value(provenance.get("device")),
        "Processes": format_value(provenance.get("processes")),
        "Precision": format_value(recipe.get("precision")),
        "torch": format_value(provenance.get("torch")),
        "Seed": format_value(provenance.get("seed", recipe.get("seed"))),
        "Started": format_value(provenance.get("started")),
        "Started from": format_value(provenance.get("started_from")),
        "Distilled from": format_value(provenance.get("teachers")),
        "Broken pictures": f"{len(record.broken)}, the first {record.broken[0]}" if record.broken else "",
    }
    return {name: value for name, value in values.items() if value}


def columns(record: Record) -> list[tuple[str, str, float]]:
    """Vocabulary, key of a figure and its best value, for each column of the table."""
    best: dict[tuple[str, str], float] = {}
    for evaluation in record.evaluations:
        for vocabulary, figures in evaluation.figures.items():
            for name, share in figures.items():
                best[vocabulary, name] = max(share, best.get((vocabulary, name), 0.0))
    return [(vocabulary, name, share) for (vocabulary, name), share in best.items()]


def choose_sheets(sheets: Sequence[Sheet], most: int = _MAX_SHEETS) -> list[Sheet]:
    """At most ``most`` sheets, evenly spread over the run, the last among them."""
    number = min(most, len(sheets))
    return [sheets[(i + 1) * len(sheets) // number - 1] for i in range(number)]


def sheet_view(sheet: Sheet) -> dict[str, Any]:
    """A sheet for the page: its picture, and for each block a caption and two views (x, y, width, height)."""
    width, height = sheet.pixels
    blocks = {b.name: {"caption": _caption(b), "side": b.side, "views": _views(b)} for b in sheet.blocks}
    return {
        "step": sheet.step,
        "size": sheet.size,
        "uri": webp_uri(sheet.file),
        "width": width,
        "height": height,
        "blocks": blocks,
    }


def webp_uri(file: Path) -> str:
    """A WebP file as a data URI; empty where there is no such file."""
    return "data:image/webp;base64," + b64encode(file.read_bytes()).decode() if file.is_file() else ""


def format_duration(seconds: float) -> str:
    """A duration for people: ``45 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def format_value(value: Any) -> str:
    """A value of the config in at most 120 characters: ``227:0.18, 99:0.6``, ``yes``, ``100,000``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value) if abs(value) < MOST else "?"
    if isinstance(value, dict):
        return ":".join(format_value(part) for part in value.values())[:_MAX_LENGTH]
    if isinstance(value, list):
        return ", ".join(format_value(part) for part in value)[:_MAX_LENGTH]
    return "" if value is None else str(value)[:_MAX_LENGTH]


def _caption(block: Block) -> str:
    channels, height, width = block.shape
    if block.name == "kernels":
        return f"{channels} kernels of {height} × {width} × 3"
    fewer = f"; {len(block.peaks)} maps of {channels}" if len(block.peaks) < channels else ""
    return f"{channels} × {height} × {width}{fewer}" + (
        f", in {block.side} × {block.side}" if block.side < height else ""
    )


def _views(block: Block) -> list[tuple[int, int, int, int]]:
    """Upper and lower half of the kernels, which are the two columns of the network; of a layer left and right half."""
    side = block.side
    height = block.rows * side
    upper = block.rows // 2 * side
    if block.name == "kernels" and upper:
        width = COLUMNS * side
        return [(0, block.y, width, upper), (0, block.y + upper, width, height - upper)]
    width = COLUMNS // 2 * side
    return [(x, block.y, width, height) for x in (0, width)]

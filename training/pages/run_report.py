"""A run as one page for people: what it was, its curves, what it looked for and saw, and its figures."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.runlog import reader
from model.runlog.reader import MOST, Record, Sheet, mapping_of, number_of, read
from model.runlog.sprites import COLUMNS, Block
from training.pages.chart import number
from training.pages.run_charts import FIGURES, charts
from training.pages.templates import fill

_LONGEST = 120  # characters of a value
_MOST_SHEETS = 120  # of about 35 kB each, so that a phone opens the page


def page(run: Path) -> str:
    """HTML in one piece that fetches nothing. ``run`` is a run's folder or a journal's file.

    Raises ValueError with one sentence where there is no journal, or no entry in it.
    """
    return fill("run_report.html.j2", **context(read(run)))


def context(record: Record) -> dict[str, Any]:
    """What the template is given."""
    recipe = record.part("recipe")
    return {
        "facts": facts(record), "recipe": {name: text_of(value) for name, value in recipe.items()},
        "reached": record.end, "planned": number_of(record.config, "steps"), "end": record.end,
        "charts": charts(record), "evaluations": record.evaluations, "columns": columns(record), "names": FIGURES,
        "sheets": [shown(one) for one in thinned(record.sheets)], "two": recipe.get("columns", 2) == 2,
        "photo": uri(reader.picture_path(record.path)), "lost": record.lost,
    }  # fmt: skip


def facts(record: Record) -> dict[str, str]:
    """Name and value of what is known of the run, in reading order."""
    recipe, provenance = record.part("recipe"), record.part("provenance")
    data = mapping_of(provenance, "data")
    known = {
        "Recipe": text_of(provenance.get("preset", recipe.get("name"))),
        "Pictures to learn from": ", ".join(
            f"{name}\N{NO-BREAK SPACE}{text_of(count)}" for name, count in data.items()
        ),
        "Pictures a step": text_of(recipe.get("batch_size")),
        "Picture size": " → ".join(map(str, record.sizes.values())) + "\N{NO-BREAK SPACE}px" if record.sizes else "",
        "Time in training steps": f"about {duration(record.seconds)}" if record.seconds else "",
        "Device": text_of(provenance.get("device")),
        "Processes": text_of(provenance.get("processes")),
        "Precision": text_of(recipe.get("precision")),
        "torch": text_of(provenance.get("torch")),
        "Seed": text_of(provenance.get("seed", recipe.get("seed"))),
        "Started": text_of(provenance.get("started")),
        "Started from": text_of(provenance.get("started_from")),
        "Taught by": text_of(provenance.get("teachers")),
        "Broken pictures": f"{len(record.broken)}, the first {record.broken[0]}" if record.broken else "",
    }
    return {name: value for name, value in known.items() if value}


def columns(record: Record) -> list[tuple[str, str, float]]:
    """Vocabulary, figure and best value, for each column of the table."""
    best: dict[tuple[str, str], float] = {}
    for one in record.evaluations:
        for vocabulary, figures in one.figures.items():
            for name, share in figures.items():
                best[vocabulary, name] = max(share, best.get((vocabulary, name), 0.0))
    return [(vocabulary, name, share) for (vocabulary, name), share in best.items()]


def thinned(sheets: Sequence[Sheet], most: int = _MOST_SHEETS) -> list[Sheet]:
    """At most ``most``, evenly spread, the last among them."""
    number = min(most, len(sheets))
    return [sheets[(i + 1) * len(sheets) // number - 1] for i in range(number)]


def shown(one: Sheet) -> dict[str, Any]:
    """A sheet for the page: its picture, and of each block a caption and two views (x, y, width, height)."""
    width, height = one.pixels
    blocks = {b.name: {"caption": _caption(b), "side": b.side, "views": _views(b)} for b in one.blocks}
    return {
        "step": one.step, "size": one.size, "uri": uri(one.file), "width": width, "height": height, "blocks": blocks,
    }  # fmt: skip


def uri(file: Path) -> str:
    """A WebP file inside a URI; empty where there is none."""
    return "data:image/webp;base64," + b64encode(file.read_bytes()).decode() if file.is_file() else ""


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def text_of(value: Any) -> str:
    """A value of the config in a few words: ``227:0.18, 99:0.6``, ``yes``, ``100,000``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value) if abs(value) < MOST else "?"
    if isinstance(value, dict):
        return ":".join(text_of(part) for part in value.values())[:_LONGEST]
    if isinstance(value, list):
        return ", ".join(text_of(part) for part in value)[:_LONGEST]
    return "" if value is None else str(value)[:_LONGEST]


def _caption(block: Block) -> str:
    channels, height, width = block.shape
    if block.name == "kernels":
        return f"{channels} kernels of {height} × {width} × 3"
    fewer = f"; {len(block.peaks)} channels of {channels}" if len(block.peaks) < channels else ""
    return f"{channels} × {height} × {width}{fewer}" + (
        f", in {block.side} × {block.side}" if block.side < height else ""
    )


def _views(block: Block) -> list[tuple[int, int, int, int]]:
    """Kernels: upper and lower half, which are the two columns of the network. Layers: left and right half."""
    side, half = block.side, block.rows // 2 * block.side
    if block.name == "kernels" and half:
        return [(0, block.y, COLUMNS * side, half), (0, block.y + half, COLUMNS * side, block.rows * side - half)]
    wide = COLUMNS // 2 * side
    return [(x, block.y, wide, block.rows * side) for x in (0, wide)]

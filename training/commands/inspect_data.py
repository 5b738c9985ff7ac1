"""``inspect``: what is in picture sets, and what is wrong with them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from training.commands import Commands
from training.data import DataError, check_apart
from training.data.inspection import HALVES, Inspection, Seen, inspect, spans
from training.data.memory import gigabytes
from training.data.sets import SIDE

_CLASSES, _EXAMPLES = 20, 10  # printed; the file holds all
Row = tuple[str, str, str]


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("inspect", help="look at picture sets before training on them")
    parser.add_argument("data", nargs="+", metavar="[NAME=]PATH")
    parser.add_argument("--json", type=Path, help="also write everything, with all names, to this file")
    parser.add_argument(
        "--side", type=int, default=SIDE, help="of decoded pictures that come in different sizes (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decode all, print, and write ``--json``."""
    console = Console()
    sets = []
    for spec in options.data:
        sets.append(inspect(spec, options.side, _track if console.is_terminal else _silently))
        _show(sets[-1], console)
    try:
        check_apart([one.vocabulary for one in sets])
    except DataError as error:  # a finding like the others: each set can be used
        print(f"\n{error}")
    if options.json:
        options.json.write_text(json.dumps([one.record() for one in sets], indent=1) + "\n", encoding="utf-8")
    return 0


def _track(items: Iterable[Any], total: int) -> Iterable[Any]:
    return track(items, "decoding", total=total, transient=True)


def _silently(items: Iterable[Any], _: int) -> Iterable[Any]:
    return items


def _show(one: Inspection, console: Console) -> None:
    print(f"{one.folder}, as --data {one.vocabulary.name}={one.folder}")
    rows = list(_rows(one))
    if console.is_terminal:
        table = Table("", *HALVES)
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
    else:
        wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for first, second, third in [("", *HALVES), *rows]:
            print(f"  {first:{wide[0]}}  {second:{wide[1]}}  {third}")
    for line in _findings(one):
        print(line)
    sys.stdout.flush()


def _rows(one: Inspection) -> Iterator[Row]:
    train, held = (one.halves[half] for half in HALVES)
    yield _row("pictures", (f"{len(s.half.pictures):,}" for s in (train, held)))
    if train.half.captions:
        yield _row("captions", (f"{sum(map(len, s.half.captions)):,}" for s in (train, held)))
        yield "words", str(len(one.vocabulary)), ""
    else:
        yield from _class_rows(train, held)
    yield _row("width", (_span(s, "width") for s in (train, held)))
    yield _row("height", (_span(s, "height") for s in (train, held)))
    yield _row("shapes", (str(len(s.sizes)) for s in (train, held)))
    yield _row("modes", (", ".join(f"{n:,} {mode}" for mode, n in s.modes.most_common()) for s in (train, held)))
    yield _row("decoded", (f"{s.shape[1]} × {s.shape[0]} px, {gigabytes(s.decoded_bytes())}" for s in (train, held)))
    yield _row("broken", (str(len(s.broken)) for s in (train, held)))
    yield _row("seen before", (str(sum(len(g) - 1 for g in one.duplicates(half))) for half in HALVES))


def _row(name: str, cells: Iterable[str]) -> Row:
    first, second = cells
    return name, first, second


def _class_rows(train: Seen, held: Seen) -> Iterator[Row]:
    counts, others = train.counts(), held.counts()
    yield _row("classes", (_of_each(numbers) for numbers in (counts, others)))
    if len(counts) <= _CLASSES:
        for name, number in counts.items():
            yield f"  {name}", f"{number:,}", f"{others.get(name, 0):,}"


def _of_each(counts: dict[str, int]) -> str:
    fewest, most = min(counts.values()), max(counts.values())
    return f"{len(counts)}, {fewest:,} of each" if fewest == most else f"{len(counts)}, {fewest:,} to {most:,} of each"


def _span(seen: Seen, axis: str) -> str:
    least, median, most = spans(seen)[axis]
    return f"{least} px" if least == most else f"{least} to {most} px, median {median}"


def _findings(one: Inspection) -> Iterator[str]:
    """Named examples of everything that is wrong; a heading alone is never printed."""
    lists = {
        "Broken, and skipped in training": [str(b) for half in HALVES for b in one.halves[half].broken],
        "The same picture more than once": [" = ".join(group) for half in HALVES for group in one.duplicates(half)],
        "In both halves": [" = ".join(group) for group in one.leaks()],
        "Under two classes": [" and ".join(group) for group in one.two_classes()],
        "Remarks": list(one.remarks()),
    }
    for heading, entries in lists.items():
        if entries:
            yield f"{heading}: {len(entries)}"
            yield from (f"  {entry}" for entry in entries[:_EXAMPLES])
        if len(entries) > _EXAMPLES:
            yield f"  and {len(entries) - _EXAMPLES} more: --json FILE has them all"

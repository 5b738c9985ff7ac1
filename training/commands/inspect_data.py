"""``inspect``: prints the content of picture sets and what is wrong with them."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from model.vocabulary import Vocabulary
from training import data
from training.commands import Commands, add_column_flags
from training.data import DataError
from training.data.inspection import InspectedSplit, Inspection, inspect, size_ranges
from training.data.memory import format_bytes
from training.data.sets import SIDE
from training.data.split import SPLITS

_MAX_CLASSES = 20  # printed; the file holds all
_MAX_EXAMPLES = 10
Row = tuple[str, str, str]


def add(commands: Commands) -> None:
    """Describe the ``inspect`` command to the parser."""
    parser = commands.add_parser("inspect", help="look at picture sets before training on them")
    parser.add_argument("data", nargs="+", metavar="[NAME=]PATH")
    parser.add_argument("--json", type=Path, help="also write everything, with all names, to this file")
    parser.add_argument(
        "--side", type=int, default=SIDE, help="of decoded pictures that come in different sizes (%(default)s)"
    )
    add_column_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decode all pictures, print the findings, and write ``--json``."""
    console = Console()
    sets = []
    for spec in options.data:
        sets.append(inspect(spec, options.side, _track if console.is_terminal else _silently))
        _print(sets[-1], console)
    try:
        for line in _shared([inspection.vocabulary for inspection in sets]):
            print(f"\n{line}")
    except DataError as error:  # a finding like the others: each set can be used
        print(f"\n{error}")
    if options.json:
        options.json.write_text(
            json.dumps([inspection.record() for inspection in sets], indent=1) + "\n", encoding="utf-8"
        )
    return 0


def _shared(vocabularies: Sequence[Vocabulary]) -> Iterator[str]:
    """A line for each vocabulary that several sets teach. Raises DataError where two sets cannot be trained on."""
    for vocabulary in data.united_vocabularies(vocabularies):
        counts = Counter(label for one in vocabularies if one.name == vocabulary.name for label in one.ids)
        sets = sum(one.name == vocabulary.name for one in vocabularies)
        if sets > 1:
            several = sum(count > 1 for count in counts.values())
            yield (
                f"{sets} sets teach {vocabulary.name}: {len(vocabulary)} labels together, {several} of them from more "
                "than one."
            )


def _track(items: Iterable[Any], total: int) -> Iterable[Any]:
    return track(items, "decoding", total=total, transient=True)


def _silently(items: Iterable[Any], _: int) -> Iterable[Any]:
    return items


def _print(inspection: Inspection, console: Console) -> None:
    print(f"{inspection.folder}, as --data {inspection.vocabulary.name}={inspection.folder}")
    rows = list(_rows(inspection))
    if console.is_terminal:
        table = Table("", *SPLITS)
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
    else:
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for first, second, third in [("", *SPLITS), *rows]:
            print(f"  {first:{widths[0]}}  {second:{widths[1]}}  {third}")
    for line in _findings(inspection):
        print(line)
    sys.stdout.flush()


def _rows(inspection: Inspection) -> Iterator[Row]:
    train, validation = (inspection.splits[split] for split in SPLITS)
    both = (train, validation)
    yield _row("pictures", (f"{len(s.split.pictures):,}" for s in both))
    if train.split.captions:
        yield _row("captions", (f"{sum(map(len, s.split.captions)):,}" for s in both))
        yield "words", str(len(inspection.vocabulary)), ""
    else:
        yield from _class_rows(train, validation)
    yield _row("width", (_range(s, "width") for s in both))
    yield _row("height", (_range(s, "height") for s in both))
    yield _row("shapes", (str(len(s.sizes)) for s in both))
    yield _row("modes", (", ".join(f"{n:,} {mode}" for mode, n in s.modes.most_common()) for s in both))
    yield _row("decoded", (f"{s.shape[1]} × {s.shape[0]} px, {format_bytes(s.decoded_bytes())}" for s in both))
    yield _row("broken", (str(len(s.broken)) for s in both))
    yield _row("seen before", (str(sum(len(g) - 1 for g in inspection.duplicates(split))) for split in SPLITS))


def _row(name: str, cells: Iterable[str]) -> Row:
    first, second = cells
    return name, first, second


def _class_rows(train: InspectedSplit, validation: InspectedSplit) -> Iterator[Row]:
    counts = train.counts()
    validation_counts = validation.counts()
    yield _row("classes", (_of_each(numbers) for numbers in (counts, validation_counts)))
    if len(counts) <= _MAX_CLASSES:
        for name, number in counts.items():
            yield f"  {name}", f"{number:,}", f"{validation_counts.get(name, 0):,}"


def _of_each(counts: dict[str, int]) -> str:
    fewest = min(counts.values())
    most = max(counts.values())
    return f"{len(counts)}, {fewest:,} of each" if fewest == most else f"{len(counts)}, {fewest:,} to {most:,} of each"


def _range(inspected: InspectedSplit, axis: str) -> str:
    least, median, most = size_ranges(inspected)[axis]
    return f"{least} px" if least == most else f"{least} to {most} px, median {median}"


def _findings(inspection: Inspection) -> Iterator[str]:
    """The lines of all findings: a heading for each kind that there is, with named examples below it."""
    lists = {
        "Broken, and skipped in training": [str(b) for split in SPLITS for b in inspection.splits[split].broken],
        "The same picture more than once": [
            " = ".join(group) for split in SPLITS for group in inspection.duplicates(split)
        ],
        "In both splits": [" = ".join(group) for group in inspection.leaks()],
        "Under two classes": [" and ".join(group) for group in inspection.two_classes()],
        "Remarks": list(inspection.remarks()),
    }
    for heading, entries in lists.items():
        if entries:
            yield f"{heading}: {len(entries)}"
            yield from (f"  {entry}" for entry in entries[:_MAX_EXAMPLES])
        if len(entries) > _MAX_EXAMPLES:
            yield f"  and {len(entries) - _MAX_EXAMPLES} more: --json FILE has them all"

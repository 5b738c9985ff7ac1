"""What was learned, for the person who taught it: a table of names, and what may be said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from model.checkpoint import Checkpoint
from model.language.hedging import NEVER, TIERS
from model.language.phrases import label_of_name
from model.teaching.fitting import VOCABULARY

_SAID = {"sure": "“it's …”", "think": "“I think it's …”", "hedge": "“I'm not sure, but I think it's …”"}


def print_report(taught: Checkpoint, out: Path | None, examples: Path | None) -> None:
    """Print the table of names to stdout, what may be said, and what was written."""
    figures = taught.measured[VOCABULARY]
    console = Console()
    console.print(_table(figures))
    for sentence in _sentences(figures):
        _say(console, sentence)
    if out is not None:
        _say(console, f"Written: {out}. Try it: glassbot caption PHOTO --checkpoint {out}")
    if examples is not None:
        _say(console, f"Written: {examples}, which the page /teach opens, too.")


def _say(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _table(figures: Mapping[str, Any]) -> Table:
    table = Table("name", "is said as", "photos", "right of those held back")
    for name in figures["names"]:
        right = f"{name['right']:,} of {name['tested']:,}" if name["tested"] else "none held back"
        phrase = label_of_name(name["name"]).phrase
        table.add_row(Text(name["name"], overflow="fold"), Text(phrase, overflow="fold"), f"{name['photos']:,}", right)
    return table


def _sentences(figures: Mapping[str, Any]) -> Iterator[str]:
    names = figures["names"]
    tested, right = (sum(name[key] for name in names) for key in ("tested", "right"))
    learned = f"Learned by {'the ' if figures['method'] == 'nearest mean' else ''}{figures['method']}"
    if len(names) > 1:
        learned += f": of {tested:,} photos, each held back once, {right:,} were named rightly"
    yield f"{learned}; {_may_be_said(figures)}."
    if single := [repr(name["name"]) for name in names if not name["tested"]]:
        some = ", ".join(single[:5]) + (f" and {len(single) - 5:,} others" if len(single) > 5 else "")
        yield f"{some}: one photo is too few to hold any back, so how often that is right is not known; give it three."


def _may_be_said(figures: Mapping[str, Any]) -> str:
    outside, called = figures["outside"], figures["outside_called"]
    tiers: list[str] = []
    lowest = NEVER
    for tier in TIERS[:-1]:
        threshold = figures["tiers"].get(tier, {}).get("threshold", NEVER)
        if threshold < lowest:  # else the surer tier says all of it
            tiers.append(f"{_SAID[tier]} from {100 * threshold:.0f} %")
            lowest = threshold
    if not tiers:
        return f"no name may be said yet, as too little is known: more photos of each would help ({outside:,} others)"
    said = tiers[0] if len(tiers) == 1 else ", ".join(tiers[:-1]) + f" and {tiers[-1]}"
    return f"a name may be said by {said}; {called:,} of {outside:,} photos of other things would be called by one"

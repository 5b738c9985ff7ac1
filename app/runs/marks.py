"""Why a curve jumps: the marks on it, each with one sentence, read from the run log and not guessed from the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from model.runlog.reader import Record, number_of

_RAISED = 5.0
"""The factor between two lines of the log from which a learning rate counts as raised, not as scheduled."""
_WARMING = 0.5
"""Share of the highest learning rate below which a run that begins is warming up."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One step of a run at which something changed."""

    step: int
    """The step after which it changed."""
    label: str
    """A word or two, to stand on the curve."""
    text: str
    """One sentence: what changed, and what that does to the curves."""


def marks(record: Record) -> list[Mark]:
    """Return what changed in a run, by step; of two changes at one step the one that the log itself explains."""
    found = [*_start(record), *_sizes(record), *_rates(record), *_notes(record)]  # the last of one step stays
    return [mark for _, mark in sorted({mark.step: mark for mark in found}.items())]


def _start(record: Record) -> Iterator[Mark]:
    if record.part("provenance").get("started_from"):
        text = "It starts from a network that was trained before, so its loss is low from the beginning."
        yield Mark(step=0, label="start", text=text)


def _notes(record: Record) -> Iterator[Mark]:
    for note in record.notes:
        yield Mark(step=note.step, label=note.label, text=note.text)


def _sizes(record: Record) -> Iterator[Mark]:
    for (_, before), (step, size) in pairwise(record.sizes.items()):
        text = (
            f"The pictures grow from {before} to {size} pixels a side. "
            "What fitted the small ones fits the large ones less: the loss jumps, then falls further."
        )
        yield Mark(step=step, label=f"{size}\u00a0px", text=text)


def _rates(record: Record) -> Iterator[Mark]:
    rates = [(int(entry["step"]), rate) for entry in record.logged if (rate := number_of(entry, "lr"))]
    if len(rates) < 2:
        return
    before = rates[0]
    for now in rates[1:]:
        if now[1] > _RAISED * before[1]:
            text = "The learning rate is raised again. Each step changes more, and the loss rises before it falls."
            yield Mark(step=before[0], label="rate raised", text=text)
        before = now
    first_round = rates[: len(rates) // 4 + 1]
    step, highest = max(first_round, key=lambda one: one[1])
    if rates[0][1] < _WARMING * highest:
        text = "The learning rate, which began small, is at its highest. From here on it falls."
        yield Mark(step=step, label="highest rate", text=text)

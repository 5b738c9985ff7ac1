"""Findings of ``python -m training ablate --json FILE``: hypotheses beside what pairs of networks say of them.

One definition for the trainer, which writes the file, and the page, which shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from model.files import write_atomically


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A hypothesis and the gains that pairs of networks, one pair from each seed, measured for it."""

    hypothesis: str
    """The hypothesis as one statement; in the file it is called ``said``."""
    paper: str
    """What the paper found; empty where it says nothing about it."""
    measure: str
    """Unit of the gains: ``top-1 points``, or something that ends in ``×`` for a factor."""
    even: float
    """The gain where the hypothesis makes no difference: 0 points, or a factor of 1."""
    mean: float
    """Mean of the gains over all seeds."""
    half: float | None
    """Half of the 95 % interval around the mean; None where there was a single seed."""
    gains: Sequence[float]
    """One gain for each seed."""

    @property
    def times(self) -> bool:
        """Whether the gain is a factor; otherwise it is in points."""
        return self.measure.endswith("×")

    @property
    def verdict(self) -> Literal["for", "against", "open"]:
        """Side of no difference on which the whole 95 % interval lies; ``open`` where it lies on both."""
        difference = self.mean - self.even
        if self.half is None or abs(difference) <= self.half:
            return "open"
        return "for" if difference > 0 else "against"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What one run of ``ablate`` found."""

    facts: Mapping[str, Any]
    """``command``, ``measured`` (the day), ``steps``, ``seeds``, ``batch_size``, ``size``, ``pictures`` and more."""
    by_name: Mapping[str, Finding]
    """Name of a hypothesis, as ``ablate`` takes it, -> its finding."""


def write(path: Path, findings: Findings) -> None:
    """Write the findings as JSON, whole or not at all. Raises OSError where the disk will not take it."""
    rows = {
        name: {
            "said": row.hypothesis,
            "paper": row.paper,
            "measure": row.measure,
            "even": row.even,
            "mean": row.mean,
            "half": row.half,
            "gains": list(row.gains),
        }
        for name, row in findings.by_name.items()
    }
    write_atomically(path, json.dumps({**findings.facts, "hypotheses": rows}, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> Findings | None:
    """Return what a file of :func:`write` holds; None where there is no file. Keys that are not known are ignored.

    Raises ValueError with one sentence for any other file.
    """
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text("utf-8"))
        rows = record.pop("hypotheses") if "hypotheses" in record else record.pop("claims")  # as before 0.1.0
        return Findings(facts=record, by_name={name: _finding(row) for name, row in rows.items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} holds no findings of ablate: write it again with --json.") from error


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(
        hypothesis=str(row["said"]),
        paper=str(row["paper"]),
        measure=str(row["measure"]),
        even=float(row["even"]),
        mean=float(row["mean"]),
        half=None if row["half"] is None else float(row["half"]),
        gains=tuple(float(gain) for gain in row["gains"]),
    )

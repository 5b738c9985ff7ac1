"""What the page adds to the findings of ``ablate``: where they are shipped, and where a gain lies in a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from model.checkpoint import PRETRAINED
from model.runlog import findings as file
from model.runlog.findings import Finding

CLAIMS = PRETRAINED.parent / "claims.json"
"""Findings about the paper's hypotheses."""
SWITCHES = PRETRAINED.parent / "switches.json"
"""Findings about the parts of our own recipe."""


@dataclass(frozen=True, kw_only=True)
class Findings(file.Findings):
    """The findings of one run of ``ablate``, and what the page works out from them."""

    @property
    def rows(self) -> Sequence[Finding]:
        """One finding for each row of the page's table."""
        return tuple(self.by_name.values())

    @property
    def times_seen(self) -> float:
        """How often a network saw each picture that it learned from, on average."""
        return float(self.facts["steps"] * self.facts["batch_size"] / self.facts["pictures"])

    def place(self, row: Finding, gain: float) -> float:
        """Position of a gain in the drawing, in percent: 50 is no difference, 0 and 100 are the largest ones."""
        farthest = max(_reach(other) for other in self.rows if other.times == row.times)
        return round(50 + 50 * (gain - row.even) / farthest, 2) if farthest else 50


def _reach(row: Finding) -> float:
    """The largest distance from no difference that the interval or any seed reaches."""
    return max(abs(row.mean - row.even) + (row.half or 0), *(abs(gain - row.even) for gain in row.gains))


@cache
def findings(path: Path) -> Findings | None:
    """Return what the file holds; None where there is none. Raises ValueError for a file that holds no findings."""
    stored = file.read(path)
    return None if stored is None else Findings(facts=stored.facts, by_name=stored.by_name)

"""The paper's claims, and the switches of our recipe, beside what was measured here: the files of ``ablate --json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from model.checkpoint import PRETRAINED

CLAIMS = PRETRAINED.parent / "claims.json"
SWITCHES = PRETRAINED.parent / "switches.json"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A claim and what pairs of networks, one pair from each seed, say of it."""

    said: str
    paper: str
    """What the paper found; empty where it says nothing of it."""
    measure: str
    even: float
    """The gain where it makes no difference."""
    mean: float
    half: float | None
    """Of the 95 % interval; None where there was a single seed."""
    gains: Sequence[float]

    @property
    def times(self) -> bool:
        """Whether the gain is a factor; else it is in points."""
        return self.measure.endswith("×")

    @property
    def verdict(self) -> Literal["for", "against", "open"]:
        """Whether the interval lies on one side of no difference, and on which."""
        off = self.mean - self.even
        if self.half is None or abs(off) <= self.half:
            return "open"
        return "for" if off > 0 else "against"

    @property
    def reach(self) -> float:
        """How far the interval and the seeds lie from no difference."""
        return max(abs(self.mean - self.even) + (self.half or 0), *(abs(gain - self.even) for gain in self.gains))


@dataclass(frozen=True, kw_only=True)
class Findings:
    """One run of ``ablate``."""

    facts: Mapping[str, Any]
    """``command``, ``measured`` (the day), ``steps``, ``seeds``, ``batch_size``, ``size``, ``pictures`` and more."""
    rows: Sequence[Finding]

    @property
    def times_seen(self) -> float:
        """How often a network saw each picture that it learned from, on average."""
        return float(self.facts["steps"] * self.facts["batch_size"] / self.facts["pictures"])

    def place(self, row: Finding, gain: float) -> float:
        """Where a gain lies among those of the same measure: 50 is no difference, 0 and 100 the farthest of them."""
        farthest = max(one.reach for one in self.rows if one.times == row.times)
        return round(50 + 50 * (gain - row.even) / farthest, 2) if farthest else 50


@cache
def findings(path: Path) -> Findings | None:
    """What the file holds; None where there is none. Raises ValueError, KeyError or TypeError for any other file."""
    if not path.is_file():
        return None
    facts = json.loads(path.read_text("utf-8"))
    hypotheses = facts.pop("hypotheses") if "hypotheses" in facts else facts.pop("claims")  # as before 0.1.0
    rows = [Finding(**row) for row in hypotheses.values()]
    return Findings(facts=facts, rows=rows)

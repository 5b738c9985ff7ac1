"""The model card of a network that is shipped: what it was trained on, what was measured, what it cannot see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.checkpoint import Checkpoint
from training.evaluation.statistics import wilson
from training.pages.templates import fill

_ENDS = 10  # classes named at either end


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a card says beyond what the checkpoint holds."""

    megabytes: float
    dense: Mapping[str, Mapping[str, Any]]
    """Figures of the dense parent."""
    classes: Mapping[str, list[tuple[str, float]]]
    """Vocabulary -> name and top-1 of each class, best first."""
    command: str


def write(network: Checkpoint, facts: Facts) -> str:
    """The card, as Markdown."""
    rows = [_row(name, figures) for name, figures in network.measured.items()]
    ends = {name: (found[:_ENDS], found[-_ENDS:][::-1]) for name, found in facts.classes.items()}
    calibrated = all(v.calibrated for v in network.vocabularies)
    return fill(
        "model_card.md.j2",
        network=network, facts=facts, rows=rows, ends=ends, calibrated=calibrated, sizes=_sizes(network),
    )  # fmt: skip


def _sizes(network: Checkpoint) -> dict[str, int]:
    return {v.name: len(v) for v in network.vocabularies}


def _row(name: str, figures: Mapping[str, Any]) -> dict[str, str]:
    if "map" in figures:
        said = f"mean average precision {100 * figures['map']:.1f} %"
    else:
        said = ", ".join(
            f"{title} {100 * figures[key]:.1f} % ({_interval(figures[key], figures['n'])})"
            for key, title in (("top1", "top-1"), ("top5", "top-5"))
        )
    return {"name": name, "n": f"{figures['n']:,}", "said": said}


def _interval(share: float, n: int) -> str:
    low, high = wilson(share, n)
    return f"{100 * low:.1f} to {100 * high:.1f}"

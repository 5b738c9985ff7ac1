"""The training sets on the device: their slices of fc8, their shares of a batch, what they teach the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.absence import word_targets
from training.data import PictureSet, shares


@dataclass(frozen=True, kw_only=True)
class Source:
    """One training set on the device, its slice of fc8, its share of a batch, and what it teaches the words."""

    pictures: Tensor
    targets: Tensor
    rows: slice
    exclusive: bool
    number: int
    words: Tensor | None
    """(classes, words) 0, 1 or NaN: see ``absence``."""


def make_sources(
    sets: Sequence[PictureSet], batch_size: int, device: torch.device
) -> tuple[list[Source], slice | None]:
    """The sets as sources, in the order of their slices of fc8, and the rows of the word vocabulary."""
    numbers = shares([len(s.pictures) for s in sets], batch_size)
    spans, start = [], 0
    for s in sets:
        spans.append(slice(start, start + len(s.vocabulary)))
        start += len(s.vocabulary)
    word_set = next((i for i, s in enumerate(sets) if s.vocabulary.kind == "independent"), None)
    words = sets[word_set].vocabulary.labels if word_set is not None else ()
    sources = [
        Source(
            pictures=torch.from_numpy(s.pictures).to(device), targets=torch.from_numpy(s.targets).to(device), rows=rows,
            exclusive=s.vocabulary.kind == "exclusive", number=number,
            words=torch.from_numpy(word_targets(s.vocabulary.labels, words, s.vocabulary.name)).to(device)
            if words and s.vocabulary.kind == "exclusive" else None,
        )
        for s, rows, number in zip(sets, spans, numbers, strict=True)
    ]  # fmt: skip
    return sources, spans[word_set] if word_set is not None else None

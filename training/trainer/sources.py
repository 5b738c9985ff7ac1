"""The training sets on the device: their slices of fc8, their shares of a batch, what they teach the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.data import Indices, InMemory, Pictures, PictureSet, check_apart, shares, stream
from training.data.word_targets import word_targets

_SHARE = 0.3  # of the device's free memory that one set's pictures may take; activations need the rest
_AHEAD = 2  # steps whose pictures are decoded while the network is busy


@dataclass(frozen=True, kw_only=True)
class Source:
    """One training set: its slice of fc8, its share of a batch, and what it teaches the words."""

    pictures: Pictures
    resident: Tensor | None
    """(N, H, W, 3) on the device, where the whole set lies there."""
    targets: Tensor
    """On the device."""
    rows: slice
    exclusive: bool
    number: int
    """Pictures in a batch, of all processes together."""
    words: Tensor | None
    """(classes, words) 0, 1 or NaN: see ``absence``."""

    def indices(self, step: int, seed: int, mine: slice = slice(None)) -> Indices:
        """The pictures of one step, or of them a process's part; a pure function of set, seed and step."""
        return stream(len(self.pictures), step * self.number, self.number, seed, self.pictures.blocks)[mine]

    def take(self, indices: Indices) -> tuple[Tensor, Tensor]:
        """Pictures (n, H, W, 3) uint8 and their targets, on the device; the next good one for a broken one.

        Raises DataError.
        """
        if self.resident is not None and isinstance(self.pictures, InMemory):
            index = torch.from_numpy(indices).to(self.resident.device)
            shown = torch.from_numpy(self.pictures.indices[indices]).to(self.resident.device)
            return self.resident[index], self.targets[shown]
        pixels, taken = self.pictures.read_batch(indices)
        device = self.targets.device
        return torch.from_numpy(pixels).to(device), self.targets[torch.from_numpy(taken).to(device)]

    def batch(self, step: int, seed: int, mine: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """``take`` of the ``indices`` of one step; those of the next steps are decoded ahead. Raises DataError."""
        for coming in range(step, step + 1 + _AHEAD):
            self.pictures.prefetch(self.indices(coming, seed, mine))
        return self.take(self.indices(step, seed, mine))


def make_sources(
    sets: Sequence[PictureSet], batch_size: int, device: torch.device
) -> tuple[list[Source], slice | None]:
    """The sets as sources, in the order of their slices of fc8, and the rows of the word vocabulary.

    ``batch_size`` is that of all processes together. Raises DataError where two sets would be one.
    """
    check_apart([s.vocabulary for s in sets])
    numbers = shares([len(s.pictures) for s in sets], batch_size)
    spans, start = [], 0
    for s in sets:
        spans.append(slice(start, start + len(s.vocabulary)))
        start += len(s.vocabulary)
    word_set = next((i for i, s in enumerate(sets) if s.vocabulary.activation == "sigmoid"), None)
    words = sets[word_set].vocabulary.labels if word_set is not None else ()
    sources = [
        Source(
            pictures=s.pictures, resident=_resident(s.pictures, device), targets=torch.from_numpy(s.targets).to(device),
            rows=rows, exclusive=s.vocabulary.activation == "softmax", number=number,
            words=torch.from_numpy(word_targets(s.vocabulary.labels, words, s.vocabulary.name)).to(device)
            if words and s.vocabulary.activation == "softmax" else None,
        )
        for s, rows, number in zip(sets, spans, numbers, strict=True)
    ]  # fmt: skip
    return sources, spans[word_set] if word_set is not None else None


def _resident(pictures: Pictures, device: torch.device) -> Tensor | None:
    if not isinstance(pictures, InMemory):
        return None
    if device.type == "cuda" and pictures.array.nbytes > _SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    return torch.from_numpy(pictures.array).to(device)

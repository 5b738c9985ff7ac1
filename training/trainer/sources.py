"""The training sets on the device: their rows of fc8, their shares of a batch, and the words their classes imply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from model.vocabulary import Vocabulary, rows_of
from training.data import Indices, InMemory, Pictures, PictureSet, shares, stream
from training.data.word_targets import word_targets

_MEMORY_SHARE = 0.3  # of the device's free memory that one set's pictures may take; activations need the rest
_STEPS_AHEAD = 2  # whose pictures are decoded while the network is busy


@dataclass(frozen=True, kw_only=True)
class Source:
    """One training set as a step draws from it."""

    vocabulary: Vocabulary
    """The set's labels: classes under a softmax, or words under a sigmoid each."""
    rows: slice
    """The rows of fc8 that answer for the vocabulary."""
    pictures: Pictures
    """The set's pictures, in memory or streamed."""
    resident: Tensor | None
    """All pictures (N, H, W, 3) uint8 on the device, where they fit there; else None."""
    targets: Tensor
    """On the device: (N,) class numbers, or (N, words) shares of people who said each word."""
    pictures_per_step: int
    """How many of its pictures are in each batch, over all processes."""
    own_classes: Tensor | None
    """Ascending numbers of the classes that the set has, where its vocabulary has more; else None."""
    word_targets: Tensor | None
    """(classes, words) 1, 0 or NaN: whether a picture of a class shows a word, does not, or may. None without both."""

    @property
    def has_classes(self) -> bool:
        """Whether exactly one label is true of a picture (softmax), and not any number of words (sigmoid)."""
        return self.vocabulary.activation == "softmax"

    def indices(self, step: int, seed: int, share: slice = slice(None)) -> Indices:
        """The numbers of one step's pictures, or of a process's share of them; a pure function of set, seed, step."""
        count = self.pictures_per_step
        return stream(len(self.pictures), step * count, count, seed, self.pictures.blocks)[share]

    def take(self, indices: Indices) -> tuple[Tensor, Tensor]:
        """Pictures (n, H, W, 3) uint8 and their targets, on the device; the next readable one replaces a broken one.

        Raises DataError where too many are broken.
        """
        device = self.targets.device
        if self.resident is not None and isinstance(self.pictures, InMemory):
            shown = torch.from_numpy(self.pictures.indices[indices]).to(device)
            return self.resident[torch.from_numpy(indices).to(device)], self.targets[shown]
        pixels, taken = self.pictures.read_batch(indices)
        return torch.from_numpy(pixels).to(device), self.targets[torch.from_numpy(taken).to(device)]

    def batch(self, step: int, seed: int, share: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Pictures and targets of one step, as :meth:`take` gives them; those of the next two are decoded ahead.

        Raises DataError where too many are broken.
        """
        for coming in range(step, step + 1 + _STEPS_AHEAD):
            self.pictures.prefetch(self.indices(coming, seed, share))
        return self.take(self.indices(step, seed, share))


def build_sources(sets: Sequence[PictureSet], batch_size: int, device: torch.device) -> tuple[Source, ...]:
    """The sets as sources; those of one vocabulary, as ``unite`` makes them, have the same rows of fc8.

    ``batch_size`` is that of all processes together; a set gets a share by the root of its size.
    """
    rows = rows_of(unique_vocabularies(sets))
    counts = shares([len(one.pictures) for one in sets], batch_size)
    captions = next((one for one in sets if one.vocabulary.activation == "sigmoid"), None)
    return tuple(
        Source(
            vocabulary=one.vocabulary,
            rows=rows[one.vocabulary.name],
            pictures=one.pictures,
            resident=_resident(one.pictures, device),
            targets=torch.from_numpy(one.targets).to(device),
            pictures_per_step=count,
            own_classes=_own_classes(one, device),
            word_targets=_word_targets(one.vocabulary, captions, device),
        )
        for one, count in zip(sets, counts, strict=True)
    )


class _HasVocabulary(Protocol):
    @property
    def vocabulary(self) -> Vocabulary: ...


def unique_vocabularies(sets: Sequence[_HasVocabulary]) -> tuple[Vocabulary, ...]:
    """The vocabularies of united sets or of their sources, each once, in the order in which they come."""
    return tuple({one.vocabulary.name: one.vocabulary for one in sets}.values())


def _own_classes(one: PictureSet, device: torch.device) -> Tensor | None:
    if one.vocabulary.activation == "sigmoid":
        return None
    numbers = torch.from_numpy(one.targets).unique()
    return numbers.to(device) if len(numbers) < len(one.vocabulary) else None


def _word_targets(vocabulary: Vocabulary, captions: PictureSet | None, device: torch.device) -> Tensor | None:
    if captions is None or vocabulary.activation == "sigmoid":
        return None
    words = captions.vocabulary.labels
    return torch.from_numpy(word_targets(vocabulary.labels, words, vocabulary.name)).to(device)


def _resident(pictures: Pictures, device: torch.device) -> Tensor | None:
    if not isinstance(pictures, InMemory):
        return None
    if device.type == "cuda" and pictures.array.nbytes > _MEMORY_SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    return torch.from_numpy(pictures.array).to(device)

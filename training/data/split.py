"""The train or validation split of a set as it lies on disk: encoded pictures, and their classes or captions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from training.data.order import Blocks, Indices

SplitName = Literal["train", "validation"]
SPLITS: tuple[SplitName, SplitName] = ("train", "validation")


class EncodedPictures(Protocol):
    """Encoded pictures, read one at a time, from several threads."""

    @property
    def blocks(self) -> Blocks | None:
        """The pictures that are read together; None where each can be read alone."""

    @property
    def cached_bytes(self) -> int:
        """Bytes that reading in the order of ``stream`` keeps in memory."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> bytes:
        """The encoded picture. Raises OSError or ValueError for this picture, DataError where more than it is lost."""

    def name(self, index: int) -> str:
        """The picture's name for a person: a path, or ``SHARD:ROW``."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """The train or validation split of a folder. No picture is read before it is asked for."""

    pictures: EncodedPictures
    classes: tuple[str, ...]
    """The names of the classes; none where there are captions."""
    labels: Indices
    """(N,) numbers of classes; (0,) where there are captions."""
    captions: list[list[str]]
    """The captions that people wrote of each picture; empty where there are labels."""

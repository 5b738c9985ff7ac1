"""One half of a set as it lies on disk: encoded pictures, and what is said about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from training.data.order import Blocks, Indices


class Encoded(Protocol):
    """Encoded pictures, read one at a time, from several threads."""

    @property
    def blocks(self) -> Blocks | None:
        """Pictures that are read together; None where each can be read alone."""

    @property
    def kept(self) -> int:
        """Bytes that reading in the order of ``stream`` keeps in memory."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> bytes:
        """The file. Raises OSError or ValueError for this picture, DataError where more than it is lost."""

    def name(self, index: int) -> str:
        """What a person would call it: a path, or ``SHARD:ROW``."""


@dataclass(frozen=True, kw_only=True)
class Half:
    """The train or validation half of a folder. No picture is read before it is asked for."""

    pictures: Encoded
    classes: tuple[str, ...]
    labels: Indices
    """(N,) numbers of classes; (0,) where there are captions."""
    captions: list[list[str]]
    """What people said of each picture; empty where there are labels."""

"""The steps of an answer, as whoever watches them is told: what traces are made of."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Is told of every step of an answer once it is over, in the asyncio task of the request that it belongs to."""

    def __call__(self, step: str, began: float, ended: float, /, **facts: int) -> None:
        """Take note of one step: decode, queue, engine or sentence, and when by ``time.perf_counter()`` it was.

        ``facts`` are what else is known of it, such as the ``batch_size`` of a forward pass.
        """
        ...


def unwatched(step: str, began: float, ended: float, /, **facts: int) -> None:
    """Take no note of the step; for a service without traces."""

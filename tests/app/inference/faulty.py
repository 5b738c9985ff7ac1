"""The service in a process of its own, on an engine with a fault: ``python -m tests.app.inference.faulty FAULT serve``.

Faults: ``once`` raises in its third run after warming up; ``white`` raises whenever a picture of a batch is all white.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.__main__ import main
from model.checkpoint import Checkpoint
from model.engines import Engine, EngineName, Output, Precision, create_engine


class Faulty:
    """A real engine, but for its fault."""

    def __init__(self, engine: Engine, fault: Callable[[int, NDArray[np.uint8]], bool]) -> None:
        self.name, self.architecture = engine.name, engine.architecture
        self._engine, self._fault, self._runs = engine, fault, 0

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        if pictures.any():  # warming up is done with black ones
            self._runs += 1
            if self._fault(self._runs, pictures):
                raise RuntimeError("a fault of the engine, made on purpose")
        return self._engine.run(pictures, maps=maps)


FAULTS: dict[str, Callable[[int, NDArray[np.uint8]], bool]] = {
    "once": lambda runs, _: runs == 3,
    "white": lambda _, pictures: bool((pictures == 255).all((1, 2, 3)).any()),
}


def create(checkpoint: Checkpoint, /, *, engine: EngineName, precision: Precision, threads: int) -> Faulty:
    real = create_engine(checkpoint, engine=engine, precision=precision, threads=threads)
    return Faulty(real, FAULTS[sys.argv[1]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], create_engine=create))

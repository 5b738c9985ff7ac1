"""The folder of an unfinished run of the microscope, beside the file that it will be: what is done is not done again.

Every piece of work is a pure function of the network, the pictures and the settings, and is stored whole or not at all;
so a run that was interrupted ends with the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.files import atomically, write_atomically

Arrays = Mapping[str, NDArray[Any]]
_FACTS = "facts.json"


class WorkFolder:
    """``NAME.unfinished/`` beside the file ``out``, for a run that ``facts`` describe.

    Raises ValueError where one is there and ``resume`` is False, or where it is of a run with other facts.
    """

    def __init__(self, out: Path, facts: Mapping[str, Any], *, resume: bool) -> None:
        self.path = out.with_name(f"{out.name}.unfinished")
        known = json.dumps(facts, indent=1, sort_keys=True) + "\n"
        written = self.path / _FACTS
        if not written.exists():
            shutil.rmtree(self.path, ignore_errors=True)
            write_atomically(written, known)
        elif not resume:
            raise ValueError(f"{self.path} holds an unfinished run already: add --resume, or delete it.")
        elif written.read_text("utf-8") != known:
            raise ValueError(f"{self.path} is of another network, other pictures or settings: delete it.")

    def once(self, name: str, make: Callable[[], Arrays]) -> dict[str, NDArray[Any]]:
        """The arrays of a piece of work: made and stored, or read where they are stored. Raises OSError."""
        path = self.path / f"{name}.npz"
        if not path.exists():
            arrays = make()
            with atomically(path) as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes a mapping for allow_pickle
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def remove(self) -> None:
        """Delete the folder, once its run is finished."""
        shutil.rmtree(self.path, ignore_errors=True)

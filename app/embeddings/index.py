"""The file that keeps the embeddings of folders, so that only new and changed photos are read again.

It is safetensors, as everything here that holds numbers: nothing in it is ever executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from app.settings import SettingsError
from app.startup import StartError
from model.files import replacing
from model.picture_files import reason_of

FORMAT = "glassbot-index-1"
"""Version of the file format, which the header names."""
_METADATA = "glassbot-index"


@dataclass(frozen=True)
class Stamp:
    """By what a file that was changed is known."""

    bytes: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Return the stamp of a file as it is now. Raises OSError."""
        facts = path.stat()
        return cls(facts.st_size, facts.st_mtime_ns)


@dataclass
class Index:
    """Embeddings of photos by the absolute path of their files."""

    network: str
    """Name of the network that the embeddings are of, by :func:`model.teaching.embedding.network_name`."""
    size: int
    """How many numbers an embedding has."""
    stamps: dict[Path, Stamp] = field(default_factory=dict)
    embeddings: dict[Path, NDArray[np.float16]] = field(default_factory=dict)
    changed: bool = False
    """Whether it holds anything else than its file."""

    def find(self, path: Path, stamp: Stamp) -> NDArray[np.float16] | None:
        """Return the embedding of a file that has not changed; None for any other."""
        return self.embeddings[path] if self.stamps.get(path) == stamp else None

    def add(self, path: Path, stamp: Stamp, embedding: NDArray[np.float16]) -> None:
        """Keep the embedding of a file."""
        self.stamps[path], self.embeddings[path] = stamp, embedding
        self.changed = True

    def forget(self, folders: Iterable[Path], but: Mapping[Path, object]) -> None:
        """Forget the files below some folders that are not in ``but``: they are gone."""
        above = set(folders)
        gone = [path for path in self.stamps if path not in but and not above.isdisjoint(path.parents)]
        for path in gone:
            del self.stamps[path], self.embeddings[path]
        self.changed |= bool(gone)


def read_index(path: Path, network: str, size: int) -> tuple[Index, str]:
    """Return the index in a file, and why it is empty where it had to be begun again, in one sentence.

    Raises SettingsError for a file that is no index, which is left alone, and StartError where it cannot be read.
    """
    empty = Index(network, size)
    if not path.exists():
        return empty, ""
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})[_METADATA])
            if (header["format"], header["network"], header["size"]) != (FORMAT, network, size):
                return empty, f"{path} is of another network, {header['network']}: all photos are read again."
            tensors = {name: file.get_tensor(name) for name in ("names", "stamps", "embeddings")}
        return _rebuilt(empty, tensors), ""
    except PermissionError as error:
        raise StartError(f"{path} cannot be read ({reason_of(error)}).") from error
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise SettingsError(f"{path} is no whole index of photos: name another file, or remove it.") from error


def _rebuilt(index: Index, tensors: Mapping[str, NDArray[Any]]) -> Index:
    names, stamps, embeddings = tensors["names"].tobytes(), tensors["stamps"], tensors["embeddings"]
    paths = [Path(os.fsdecode(name)) for name in names.split(b"\0")] if names else []
    if (
        embeddings.shape != (len(paths), index.size)
        or embeddings.dtype != np.float16
        or stamps.shape != (len(paths), 2)
    ):
        raise ValueError("its parts do not belong together")
    index.stamps = {path: Stamp(int(a), int(b)) for path, (a, b) in zip(paths, stamps, strict=True)}
    index.embeddings = dict(zip(paths, embeddings, strict=True))
    return index


def write_index(path: Path, index: Index) -> None:
    """Write an index, whole or not at all. Raises StartError where the disk will not take it."""
    paths = sorted(index.stamps)
    names = b"\0".join(os.fsencode(one) for one in paths)
    stamps = [(index.stamps[one].bytes, index.stamps[one].modified_ns) for one in paths]
    rows = [index.embeddings[one] for one in paths]
    tensors: dict[str, NDArray[Any]] = {
        "names": np.frombuffer(names, np.uint8),
        "stamps": np.array(stamps, np.int64).reshape(-1, 2),
        "embeddings": np.stack(rows) if rows else np.zeros((0, index.size), np.float16),
    }
    header = {"format": FORMAT, "network": index.network, "size": index.size}
    try:
        with replacing(path) as half:
            save_file(tensors, half, metadata={_METADATA: json.dumps(header)})
    except (OSError, SafetensorError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise StartError(f"{path} cannot be written ({reason}).") from error

"""Pictures that lie many to a file, as in Parquet and tar shards, and are read a group at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from training.data.errors import DataError
from training.data.order import Blocks

_WINDOW_BYTES = 2**28  # of encoded pictures whose rows are mixed: one reader keeps two such windows


@dataclass(frozen=True)
class RowGroup:
    """Rows of a shard that are read together."""

    path: Path
    """The shard that holds them."""
    number: int
    """Which group of the shard it is, counted from 0."""
    first_row: int
    """Number of its first row in the shard."""
    rows: int
    """How many rows it has."""
    size: int
    """Bytes that it takes in memory."""


class GroupedPictures:
    """Pictures in row groups; the groups used last are kept, and no file stays open. Subclasses read a group."""

    def __init__(self, groups: Sequence[RowGroup], paths: Sequence[Path], role: str) -> None:
        self._groups = [group for group in groups if group.rows]
        self._role = role
        if not self._groups:
            raise DataError(f"{paths[0]} and the shards beside it hold no rows.")
        rows = tuple(group.rows for group in self._groups)
        sizes = [group.size for group in self._groups]
        window = max(1, int(_WINDOW_BYTES // max(1.0, float(np.mean(sizes)))))
        self.blocks = Blocks(rows, window)
        self._max_recent = min(len(rows), 2 * window + 2)
        self.cached_bytes = sum(sorted(sizes)[-self._max_recent :])
        self._starts = np.cumsum((0, *rows))
        self._recent: OrderedDict[int, Future[Any]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, index: int) -> bytes:
        """The encoded picture of a row. Raises ValueError for a row without one, DataError for a broken row group."""
        block, row = self._block_and_row(index)
        return self._picture_in(self._read_once(block), row, self._groups[block])

    def name(self, index: int) -> str:
        """The picture's shard and row as ``SHARD:ROW``."""
        block, row = self._block_and_row(index)
        group = self._groups[block]
        return f"{group.path}:{group.first_row + row}"

    def key(self, index: int) -> str:
        """The split and the row: shards are renamed when more of them are written, and rows are added at their end."""
        return f"{self._role}:{index}"

    def _read_group(self, block: int) -> Any:
        """What :meth:`_picture_in` needs of a row group."""
        raise NotImplementedError

    def _picture_in(self, content: Any, row: int, group: RowGroup) -> bytes:
        """The encoded picture of a row of a group that was read. Raises ValueError for a row without one."""
        raise NotImplementedError

    def _block_and_row(self, index: int) -> tuple[int, int]:
        block = int(np.searchsorted(self._starts, index, side="right")) - 1
        return block, int(index - self._starts[block])

    def _read_once(self, block: int) -> Any:
        """The content of a row group; of several threads that ask, the first reads it and the others wait."""
        with self._lock:
            recent = self._recent.get(block)
            content: Future[Any] = recent or Future()
            self._recent[block] = content
            self._recent.move_to_end(block)
            if len(self._recent) > self._max_recent:
                self._recent.popitem(last=False)
        if recent is None:
            try:
                content.set_result(self._read_group(block))
            except BaseException as error:
                content.set_exception(error)
        return content.result()

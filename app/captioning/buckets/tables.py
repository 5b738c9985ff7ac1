"""Answers as Parquet: columns to ask questions of, and the whole answer in the last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.settings import SettingsError

COLUMNS = ("file", "sentence", "alt_text", "confidence", "tier", "model", "answer")
"""Its columns: ``model`` is the version of the network, ``answer`` the line that JSON Lines would have."""


def check_installed() -> None:
    """Raise SettingsError where the package for Parquet is missing."""
    try:
        import pyarrow.parquet  # noqa: F401 only whether it is there
    except ImportError as error:
        raise SettingsError("--format parquet needs more packages: pip install 'glassbot[bucket]'.") from error


def encode(lines: Sequence[bytes]) -> bytes:
    """Return a Parquet file with a row for each answer, given as lines of JSON."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(line) for line in lines]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _row(line: bytes) -> dict[str, object]:
    return dict(zip(COLUMNS, (*facts(json.loads(line)), line.decode()), strict=True))


def facts(answer: dict[str, Any]) -> tuple[object, ...]:
    """Return the columns of an answer but the last. Raises KeyError or TypeError where it lacks one."""
    caption = answer["caption"]
    said = (caption["text"], caption["alt_text"], caption["confidence"], caption["tier"])
    return (answer["file"], *said, answer["model"]["version"])


def decode(content: bytes) -> list[bytes]:
    """Return the answers in a Parquet file as lines of JSON. Raises ValueError where it is none with our columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise ValueError("it is not a whole Parquet file") from error
    if tuple(table.column_names) != COLUMNS:
        raise ValueError("its columns are not those of answers")
    return [str(answer).encode() for answer in table["answer"].to_pylist()]

"""A checkpoint: one file that rebuilds a network, with safetensors weights and JSON for all the rest.

This is the only reader and writer of our weight files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from errno import ENOSPC
from os import strerror
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from model import compress, int8, vocabulary
from model.architecture import Architecture, LocalResponseNorm
from model.files import replacing
from model.int8 import Int8
from model.network import Checkpoint, Preprocessing, expected_shapes
from model.teaching import storing
from model.teaching.attach import base_of
from model.teaching.fitting import VOCABULARY
from model.vocabulary import Vocabulary
from model.weights import Quantised

__all__ = [
    "FORMAT",
    "PRETRAINED",
    "Checkpoint",
    "CheckpointError",
    "Preprocessing",
    "expected_shapes",
    "is_taught",
    "load",
    "note_int8",
    "note_measured",
    "save",
    "save_taught",
    "sizes",
    "weights_digest",
]

PRETRAINED = Path(__file__).parent / "pretrained" / "glassbot.safetensors"
"""File of the network that is shipped with this package."""

FORMAT = "glassbot-1"
"""Version of the file format, which the header names."""


class CheckpointError(ValueError):
    """Raised for a file that is no whole Glassbot checkpoint; its message is one sentence for the user."""


def save(path: Path, checkpoint: Checkpoint, *, small: bool = False) -> None:
    """Write a checkpoint, whole or not at all. What it was taught is left out, which is :func:`save_taught`'s to write.

    ``small`` stores the folded network in the shipped form of :mod:`model.compress`. Raises OSError where the disk will
    not take it; an older file of that name then stays as it was.
    """
    checkpoint = base_of(checkpoint)
    if small:
        checkpoint = checkpoint.folded()
    tensors, encodings = compress.encode(checkpoint.weights) if small else (dict(checkpoint.weights), {})
    header = {
        "format": FORMAT,
        "name": checkpoint.name,
        "architecture": asdict(checkpoint.architecture),
        "preprocessing": asdict(checkpoint.preprocessing),
        "vocabularies": [vocabulary.to_json(v) for v in checkpoint.vocabularies],
        "provenance": dict(checkpoint.provenance),
        "measured": dict(checkpoint.measured),
        "encodings": encodings,
        "int8": int8.to_json(checkpoint.int8),
    }
    _write(path, tensors, header)


def is_taught(path: Path) -> bool:
    """Return whether a file is a checkpoint of a network that was taught names; False for any other file."""
    try:
        with safe_open(path, framework="numpy") as file:
            return "taught" in json.loads((file.metadata() or {})["glassbot"])
    except (SafetensorError, OSError, ValueError, KeyError):
        return False


def sizes(path: Path) -> dict[str, int]:
    """Return the bytes that each tensor of a checkpoint's file takes, by name of the tensor."""
    header, stored = _stored(path)
    architecture = _architecture(header["architecture"])
    return {name: compress.stored_bytes(stored, name) for name in expected_shapes(architecture)}


def note_measured(path: Path, measured: Mapping[str, Any], vocabularies: Sequence[Vocabulary] | None = None) -> None:
    """Store what was measured in a checkpoint's file, and calibrated vocabularies.

    The weights stay bit for bit the same, and so does what the network was taught: ``vocabularies`` are its own. Raises
    OSError where the disk will not take it.
    """
    header, tensors = _stored(path)
    taught = header.get("taught", {})
    header["measured"] = {name: figures for name, figures in measured.items() if not (taught and name == VOCABULARY)}
    if vocabularies is not None:
        header["vocabularies"] = [vocabulary.to_json(v) for v in vocabularies]
    _write(path, tensors, header)


def note_int8(path: Path, measured: Int8 | None) -> None:
    """Store in a checkpoint's file how it runs in whole numbers; all else stays. Raises OSError as :func:`save`."""
    header, tensors = _stored(path)
    _write(path, tensors, {**header, "int8": int8.to_json(measured)})


def save_taught(path: Path, checkpoint: Checkpoint, source: Path) -> None:
    """Write a network that was taught: the file of the network at ``source``, whose weights stay bit for bit, and more.

    Raises OSError where the disk will not take it.
    """
    header, tensors = _stored(source)
    base, _ = storing.split(tensors)
    section, taught = storing.pack(checkpoint)
    _write(path, {**base, **taught}, {**header, "taught": section})


def _stored(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header of a checkpoint's file, and its tensors as they are stored."""
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
        return json.loads(file.metadata()["glassbot"]), tensors


def _write(path: Path, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    try:
        with replacing(path) as half:
            save_file(contiguous, half, metadata={"glassbot": json.dumps(header)})
            half.chmod(0o644)  # safetensors writes for its owner alone; a service may run as another user
    except SafetensorError as error:  # what safetensors raises for a full disk
        if "os error 28" in str(error):
            raise OSError(ENOSPC, strerror(ENOSPC), str(path)) from error
        raise OSError(f"{path} could not be written: {error}") from error


def load(path: Path, *, fold: bool = True) -> Checkpoint:
    """Read a checkpoint, as a network without batch norm unless ``fold`` is False.

    Raises CheckpointError with one sentence if the file is missing, truncated, foreign or inconsistent. Nothing in a
    file is ever executed: safetensors holds numbers and JSON only.
    """
    try:
        if not path.is_file():
            raise CheckpointError(f"There is no checkpoint at {path}: name another file, or train one.")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if "glassbot" not in metadata:
                raise CheckpointError(f"{path} is a safetensors file, but not a Glassbot checkpoint.")
            header = json.loads(metadata["glassbot"])
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
        checkpoint = _rebuild(header, stored, _digest(path))
    except CheckpointError:
        raise
    except PermissionError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror}): let the user of this process read it."
        ) from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file (truncated, or another format): copy or train it again."
        ) from error
    except Exception as error:  # whatever a hostile header makes our own constructors raise
        raise CheckpointError(f"{path} does not describe a Glassbot network ({error}).") from error
    return checkpoint.folded() if fold else checkpoint


def _rebuild(header: Mapping[str, Any], stored: Mapping[str, NDArray[Any]], version: str) -> Checkpoint:
    if header["format"] != FORMAT:
        raise ValueError(f"its format is {header['format']!r}, this program reads {FORMAT!r}")
    architecture = _architecture(header["architecture"])
    shapes = expected_shapes(architecture)
    stored, taught = storing.split(stored)
    weights = compress.decode(stored, header["encodings"], shapes)
    for name, shape in shapes.items():
        if name not in weights:
            raise ValueError(f"it lacks {name}")
        part = weights.parts[name]
        if part.shape != shape:
            raise ValueError(f"{name} is {part.shape}, the layer table asks for {shape}")
        if not np.isfinite(part.scale if isinstance(part, Quantised) else part).all():
            raise ValueError(f"{name} holds a value that is not finite")
    if foreign := sorted(set(weights) - set(shapes)):
        raise ValueError(f"it holds {foreign[0]}, which no layer asks for")
    mean = header["preprocessing"]["mean"]
    checkpoint = Checkpoint(
        architecture=architecture,
        preprocessing=Preprocessing(mean=(mean[0], mean[1], mean[2]), scale=header["preprocessing"]["scale"]),
        vocabularies=tuple(vocabulary.from_json(v) for v in header["vocabularies"]),
        weights=weights,
        name=str(header["name"]),
        version=version,
        provenance=header["provenance"],
        measured=header["measured"],
        int8=int8.from_json(header.get("int8")),
    )
    return storing.unpack(checkpoint.folded(), header["taught"], taught) if "taught" in header else checkpoint


def _architecture(record: Mapping[str, Any]) -> Architecture:
    choices: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    lrn = choices.pop("lrn")
    return Architecture(**choices, lrn=None if lrn is None else LocalResponseNorm(**lrn))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def weights_digest(path: Path) -> str:
    """First 12 hexadecimal digits of the SHA-256 of a network's own weights: no calibration and no teaching changes it.

    Raises OSError, or ValueError for a file that is no safetensors.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
        own, _ = storing.split({name: entry for name, entry in header.items() if name != "__metadata__"})
        for begin, end in sorted(entry["data_offsets"] for entry in own.values()):
            file.seek(start + begin)
            digest.update(file.read(end - begin))
    return digest.hexdigest()[:12]

"""A checkpoint: one file that rebuilds a network, with safetensors weights and JSON for all the rest.

This is the only reader and writer of our weight files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from model import compress, vocabulary
from model.architecture import Architecture, LocalResponseNorm
from model.files import replacing
from model.teaching import storing
from model.teaching.examples import Examples
from model.vocabulary import Vocabulary
from model.weights import Floats, Quantised

PRETRAINED = Path(__file__).parent / "pretrained" / "glassbot.safetensors"
"""File of the network that is shipped with this package."""

FORMAT = "glassbot-1"
"""Version of the file format, which the header names."""


class CheckpointError(ValueError):
    """Raised for a file that is no whole Glassbot checkpoint; its message is one sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How pixels from 0 to 255 become the network's inputs: (pixel - mean) * scale."""

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Mean of red, green and blue, from 0 to 255."""
    scale: float = 1.0
    """Factor after the mean is subtracted."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network at rest. Raises ValueError where the vocabularies do not have as many labels as fc8 has rows."""

    architecture: Architecture
    preprocessing: Preprocessing
    vocabularies: tuple[Vocabulary, ...]
    """What it answers, in the order of their rows of fc8."""
    weights: Mapping[str, Floats]
    """Name of a tensor, as in the torch module's state dict, -> the tensor."""
    name: str = "glassbot"
    """Name of the network, for people."""
    version: str = ""
    """First 12 hexadecimal digits of the SHA-256 of its file; empty for a network that was not read from one."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from: command, data, seed, time and more."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """Vocabulary -> the figures that ``evaluate`` printed for it."""
    examples: Examples | None = None
    """What its taught vocabulary was taught by; None where it has none."""

    def __post_init__(self) -> None:
        labels = sum(len(v) for v in self.vocabularies)
        if labels != self.architecture.outputs:
            raise ValueError(f"The vocabularies hold {labels} labels, but fc8 has {self.architecture.outputs} rows.")
        weights = {len(consent.weights) for v in self.vocabularies for consent in v.consent.values()}
        if weights - {labels}:
            raise ValueError(f"Consent has {min(weights - {labels})} weights, but fc8 has {labels} rows.")

    def slices(self) -> dict[str, slice]:
        """Return for each vocabulary, by name, the rows of fc8 that belong to it."""
        return vocabulary.rows_of(self.vocabularies)

    def vocabulary_at(self, row: int) -> tuple[Vocabulary, slice]:
        """Return the vocabulary of a row of fc8, and all its rows. Raises IndexError where there is no such row."""
        slices = self.slices()
        for candidate in self.vocabularies:
            rows = slices[candidate.name]
            if rows.start <= row < rows.stop:
                return candidate, rows
        raise IndexError(row)

    def folded(self) -> Checkpoint:
        """Return the same function as a network without batch norm and without a factor for dropout at test time.

        The weights take both in.
        """
        if not (self.architecture.batch_norm or self.architecture.dropout_at_test):
            return self
        weights = dict(self.weights)
        if self.architecture.dropout_at_test:
            for name in ("fc7.weight", "fc8.weight"):
                weights[name] = weights[name] * np.float32(1 - self.architecture.dropout)
        for row in self.architecture.layers:
            if row.batch_norm:
                _fold_batch_norm(weights, row.name)
        architecture = replace(self.architecture, batch_norm=False, dropout_at_test=False)
        return replace(self, architecture=architecture, weights=weights)


_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
_NORM_EPSILON = 1e-5  # torch's default, which the network was trained with


def _fold_batch_norm(weights: dict[str, Floats], name: str) -> None:
    """Replace the weight and bias of one layer by those that need no batch norm after them."""
    norm = {part: weights.pop(f"{name}_norm.{part}") for part in _NORM_PARTS}
    gain = norm["weight"] / np.sqrt(norm["running_var"] + _NORM_EPSILON)
    weight = weights[f"{name}.weight"]
    weights[f"{name}.weight"] = weight * gain.reshape(-1, *[1] * (weight.ndim - 1))
    weights[f"{name}.bias"] = (weights[f"{name}.bias"] - norm["running_mean"]) * gain + norm["bias"]


def expected_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor that a checkpoint of this architecture holds."""
    shapes: dict[str, tuple[int, ...]] = {}
    for row in architecture.layers:
        if row.weight_shape:
            shapes[f"{row.name}.weight"] = row.weight_shape
            shapes[f"{row.name}.bias"] = row.shape[:1]
        if row.batch_norm:
            shapes |= {f"{row.name}_norm.{part}": row.shape[:1] for part in _NORM_PARTS}
    return shapes


def save(path: Path, checkpoint: Checkpoint, *, small: bool = False) -> None:
    """Write a checkpoint, whole or not at all.

    ``small`` stores the folded network in the shipped form of :mod:`model.compress`. Raises OSError where the disk will
    not take it; an older file of that name then stays as it was.
    """
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
    }
    _write(path, tensors, header)


def sizes(path: Path) -> dict[str, int]:
    """Return the bytes that each tensor of a checkpoint's file takes, by name of the tensor."""
    with safe_open(path, framework="numpy") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
        architecture = _architecture(json.loads(file.metadata()["glassbot"])["architecture"])
    return {name: compress.stored_bytes(stored, name) for name in expected_shapes(architecture)}


def note_measured(path: Path, measured: Mapping[str, Any], vocabularies: Sequence[Vocabulary] | None = None) -> None:
    """Store what was measured in a checkpoint's file, and calibrated vocabularies.

    The weights stay bit for bit the same. Raises OSError where the disk will not take it.
    """
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["glassbot"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
    header["measured"] = dict(measured)
    if vocabularies is not None:
        header["vocabularies"] = [vocabulary.to_json(v) for v in vocabularies]
    _write(path, tensors, header)


def save_taught(path: Path, checkpoint: Checkpoint, source: Path) -> None:
    """Write a network that was taught: the file of the network at ``source``, whose weights stay bit for bit, and more.

    Raises OSError where the disk will not take it.
    """
    with safe_open(source, framework="numpy") as file:
        header = json.loads(file.metadata()["glassbot"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
    base, _ = storing.split(tensors)
    section, taught = storing.pack(checkpoint)
    _write(path, {**base, **taught}, {**header, "taught": section})


def _write(path: Path, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    try:
        with replacing(path) as half:
            save_file(contiguous, half, metadata={"glassbot": json.dumps(header)})
            half.chmod(0o644)  # safetensors writes for its owner alone; a service may run as another user
    except SafetensorError as error:  # what safetensors raises for a full disk
        raise OSError(f"{path} could not be written: {error}") from error


def load(path: Path, *, fold: bool = True) -> Checkpoint:
    """Read a checkpoint, as a network without batch norm unless ``fold`` is False.

    Raises CheckpointError with one sentence if the file is missing, truncated, foreign or inconsistent. Nothing in a
    file is ever executed: safetensors holds numbers and JSON only.
    """
    try:
        if not path.is_file():
            raise CheckpointError(f"There is no checkpoint at {path}: name one with --checkpoint, or train one.")
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
    """First 12 hexadecimal digits of the SHA-256 of a file's weights alone, which no calibration changes.

    Raises OSError.
    """
    with path.open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little"), 1)  # the header of safetensors, after its length
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]

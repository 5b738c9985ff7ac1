"""A teacher at rest: one safetensors file with a fine-tuned backbone's weights and, as JSON, what it answers.

It is no Glassbot checkpoint: nothing serves it, and its weights began as somebody else's.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import model.engines  # noqa: F401 before OpenVINO, which would tell others that something is converted
from model import vocabulary
from model.checkpoint import CheckpointError, Preprocessing
from model.files import replacing
from model.vocabulary import Vocabulary
from training.trainer.teachers.backbones import create_network, find_backbone

_KEY = "glassbot-teacher"


@dataclass(frozen=True, kw_only=True)
class TeacherCheckpoint:
    """A backbone that was fine-tuned on our picture sets."""

    backbone: str
    """Name of the backbone, as ``--backbone`` takes it."""
    size: int
    """Side in pixels of the pictures that it takes."""
    preprocessing: Preprocessing
    vocabularies: tuple[Vocabulary, ...]
    """What it answers, in the order of its outputs."""
    weights: Mapping[str, Tensor]
    """Name of a tensor, as in its state dict, -> the tensor."""
    version: str = ""
    """First 12 hexadecimal digits of the SHA-256 of its file; empty for one that was not read from a file."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from, with the backbone's origin and terms under ``origin``."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """Vocabulary -> its figures on held-out pictures."""

    def network(self) -> nn.Module:
        """The network with its weights, in evaluation mode. Raises ValueError where the backbone is not installed."""
        network = create_network(find_backbone(self.backbone), self.vocabularies)
        network.load_state_dict(dict(self.weights))
        return network.eval()


def is_teacher(path: Path) -> bool:
    """Whether a file is a teacher that :func:`save` wrote."""
    try:
        with safe_open(path, framework="pt") as file:
            return _KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def save(path: Path, teacher: TeacherCheckpoint) -> None:
    """Write a teacher, whole or not at all. Raises OSError where the disk will not take it."""
    header = {
        "backbone": teacher.backbone,
        "size": teacher.size,
        "preprocessing": asdict(teacher.preprocessing),
        "vocabularies": [vocabulary.to_json(v) for v in teacher.vocabularies],
        "provenance": dict(teacher.provenance),
        "measured": dict(teacher.measured),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in teacher.weights.items()}
    try:
        with replacing(path) as half:
            save_file(tensors, half, metadata={_KEY: json.dumps(header)})
            half.chmod(0o644)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from error


def load(path: Path) -> TeacherCheckpoint:
    """Read a teacher. Raises CheckpointError with one sentence for any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()[_KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
        mean, scale = header["preprocessing"]["mean"], header["preprocessing"]["scale"]
        with path.open("rb") as content:
            version = hashlib.file_digest(content, "sha256").hexdigest()[:12]
        return TeacherCheckpoint(
            backbone=header["backbone"],
            size=int(header["size"]),
            preprocessing=Preprocessing(mean=(mean[0], mean[1], mean[2]), scale=scale),
            vocabularies=tuple(vocabulary.from_json(v) for v in header["vocabularies"]),
            weights=weights,
            version=version,
            provenance=header["provenance"],
            measured=header["measured"],
        )
    except Exception as error:  # whatever a foreign or hostile file makes the readers raise
        raise CheckpointError(f"{path} is not a teacher's whole file ({error}): make it again.") from error


def converted(network: nn.Module, size: int) -> Any:
    """The network compiled by OpenVINO for the CPU, in its fastest number format: about ten times eager torch's rate.

    Call it with (N, 3, size, size) float32; the first output is (N, outputs).
    """
    import openvino as ov

    sys.modules.pop("openvino.tools.ovc", None)  # which model.engines keeps from being imported
    from openvino.tools.ovc import convert_model

    core = ov.Core()
    bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network, (torch.zeros(2, 3, size, size),), dynamic_shapes=({0: batch},))
    graph = convert_model(program)
    hints = {"INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    return core.compile_model(graph, "CPU", hints)

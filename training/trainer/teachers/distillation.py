"""Distillation: networks trained before teach another; their mean logits for a picture count beside its label.

Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015. A teacher sees the same crop as the network that
learns (Beyer et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR 2022), resized to the
teacher's own picture size, and answers its vocabularies for every picture, whatever set it is from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model import checkpoint
from model.checkpoint import Checkpoint, Preprocessing
from model.engines import create_engine
from model.engines.torch_engine import build, standardise
from model.vocabulary import Vocabulary
from training.trainer.teachers import checkpoint as teacher_file
from training.trainer.teachers.checkpoint import TeacherCheckpoint, converted, is_teacher

_OPENVINO_BATCH = 32  # pictures that stay in the cache from one layer to the next
_Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """One network that teaches, with frozen weights."""

    version: str
    """Version of its file, which a run records."""
    forward: _Forward
    """Logits (N, its own outputs) for pixels (N, 3, size, size) from 0 to 255."""
    size: int
    """Side in pixels of the pictures that it takes."""
    columns: Tensor
    """For each output of the network that learns, which of the teacher's outputs it is; -1 where it has no answer."""

    def logits(self, pixels_NCHW: Tensor) -> Tensor:
        """Logits (N, outputs) float32, in the learning network's order, for pixels (N, 3, S, S) from 0 to 255.

        They are 0 where the teacher has no answer.
        """
        own = self.forward(_resized_to(pixels_NCHW, self.size)).float()
        return own[:, self.columns] * (self.columns >= 0)


@dataclass(frozen=True, kw_only=True)
class Teachers:
    """The networks that teach a run."""

    members: tuple[Teacher, ...]
    preprocessing: Preprocessing
    """How the pictures of the network that learns are standardised."""

    @torch.no_grad()
    def logits(self, pictures_NCHW: Tensor) -> Tensor:
        """Mean of the teachers' logits, (N, outputs) float32, for pictures standardised for the network that learns.

        Each vocabulary's is the mean of those that answer it.
        """
        mean = torch.tensor(self.preprocessing.mean, device=pictures_NCHW.device).view(1, 3, 1, 1)
        pixels_NCHW = pictures_NCHW / self.preprocessing.scale + mean
        answering = torch.stack([teacher.columns >= 0 for teacher in self.members]).sum(0)
        return torch.stack([teacher.logits(pixels_NCHW) for teacher in self.members]).sum(0) / answering


def load_teachers(paths: Sequence[Path]) -> list[Checkpoint | TeacherCheckpoint]:
    """The networks in these files, our own checkpoints and fine-tuned backbones alike. Raises CheckpointError."""
    return [teacher_file.load(path) if is_teacher(path) else checkpoint.load(path) for path in paths]


def origin_of(teacher: Checkpoint | TeacherCheckpoint) -> str:
    """What taught, for people: where a backbone's weights come from and under which terms, or which network of ours."""
    if isinstance(teacher, TeacherCheckpoint):
        return str(teacher.provenance.get("origin", teacher.backbone))
    return f"{teacher.name} {teacher.version}"


def build_teachers(
    checkpoints: Sequence[Checkpoint | TeacherCheckpoint],
    vocabularies: Sequence[Vocabulary],
    preprocessing: Preprocessing,
    device: torch.device,
) -> Teachers:
    """The teachers that these checkpoints hold, for a network with these vocabularies and preprocessing.

    A teacher answers the vocabularies of which it has every label. Raises ValueError where none answers one of them,
    a teacher none at all, or a backbone is not installed.
    """
    _check_answers(checkpoints, vocabularies)
    members = tuple(
        Teacher(
            version=one.version,
            forward=_frozen(one, device),
            size=_size_of(one),
            columns=_columns(one, vocabularies).to(device),
        )
        for one in checkpoints
    )
    return Teachers(members=members, preprocessing=preprocessing)


def _has(teacher: Checkpoint | TeacherCheckpoint, vocabulary: Vocabulary) -> bool:
    return any(v.name == vocabulary.name and set(vocabulary.ids) <= set(v.ids) for v in teacher.vocabularies)


def _check_answers(checkpoints: Sequence[Checkpoint | TeacherCheckpoint], vocabularies: Sequence[Vocabulary]) -> None:
    for teacher in checkpoints:
        if not any(_has(teacher, one) for one in vocabularies):
            raise ValueError(f"The teacher of version {teacher.version} lacks labels of every set: name another.")
    for one in vocabularies:
        if not any(_has(teacher, one) for teacher in checkpoints):
            raise ValueError(f"No teacher has every label of {one.name!r}: name one that does, too.")


def _columns(teacher: Checkpoint | TeacherCheckpoint, vocabularies: Sequence[Vocabulary]) -> Tensor:
    outputs = ((v.name, label) for v in teacher.vocabularies for label in v.ids)
    column_of = {output: column for column, output in enumerate(outputs)}
    return torch.tensor([column_of[v.name, label] if _has(teacher, v) else -1 for v in vocabularies for label in v.ids])


def _size_of(teacher: Checkpoint | TeacherCheckpoint) -> int:
    return teacher.size if isinstance(teacher, TeacherCheckpoint) else teacher.architecture.input_size


def _frozen(teacher: Checkpoint | TeacherCheckpoint, device: torch.device) -> _Forward:
    """The network as a function; on a CPU by OpenVINO, so that its answers cost nearly nothing."""
    if device.type != "cpu":
        network = teacher.network() if isinstance(teacher, TeacherCheckpoint) else build(teacher.folded())
        network = network.requires_grad_(False).to(memory_format=torch.channels_last).to(device)
        return lambda pixels_NCHW: network(standardise(pixels_NCHW, teacher.preprocessing))
    run = _compiled_backbone(teacher) if isinstance(teacher, TeacherCheckpoint) else _engine(teacher)
    return lambda pixels_NCHW: torch.cat([run(part) for part in pixels_NCHW.split(_OPENVINO_BATCH)])


def _compiled_backbone(teacher: TeacherCheckpoint) -> _Forward:
    compiled = converted(teacher.network(), teacher.size)

    def run(pixels_NCHW: Tensor) -> Tensor:
        x_NCHW = standardise(pixels_NCHW, teacher.preprocessing).contiguous()
        return torch.from_numpy(compiled(x_NCHW.numpy())[0].copy())

    return run


def _engine(teacher: Checkpoint) -> _Forward:
    """The engine that serves, which takes whole levels of brightness."""
    engine = create_engine(teacher, engine="openvino")

    def run(pixels_NCHW: Tensor) -> Tensor:
        levels_NHWC = pixels_NCHW.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return torch.from_numpy(engine.run(np.ascontiguousarray(levels_NHWC.numpy())).logits)

    return run


def _resized_to(pictures_NCHW: Tensor, size: int) -> Tensor:
    if pictures_NCHW.shape[-1] == size:
        return pictures_NCHW
    return F.interpolate(pictures_NCHW, size=(size, size), mode="bilinear", align_corners=False, antialias=True)

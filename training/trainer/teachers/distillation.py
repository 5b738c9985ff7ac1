"""Distillation: networks trained before teach another; their mean logits for a picture count beside its label.

Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015. A teacher sees the same crop as the network that
learns (Beyer et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR 2022), resized to the
teacher's own picture size, and answers every vocabulary for every picture, whatever set it is from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import checkpoint
from model.checkpoint import Checkpoint, Preprocessing
from model.engines.torch_engine import build, standardise
from model.vocabulary import Vocabulary
from training.trainer.teachers import checkpoint as teacher_file
from training.trainer.teachers.checkpoint import TeacherCheckpoint, converted, is_teacher

_OPENVINO_BATCH = 32  # pictures that stay in the cache from one layer to the next


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """One network that teaches, with frozen weights."""

    version: str
    """Version of its file, which a run records."""
    forward: Callable[[Tensor], Tensor]
    """Logits (N, its own outputs) for pictures (N, 3, size, size), standardised as it wants them."""
    size: int
    """Side in pixels of the pictures that it takes."""
    preprocessing: Preprocessing
    """How it wants its pixels standardised."""
    columns: Tensor
    """For each output of the network that learns, which of the teacher's outputs it is."""

    def logits(self, pixels_NCHW: Tensor) -> Tensor:
        """Logits (N, outputs) float32, in the learning network's order, for pixels (N, 3, S, S) from 0 to 255."""
        own_NCHW = standardise(_resized_to(pixels_NCHW, self.size), self.preprocessing)
        return self.forward(own_NCHW).float()[:, self.columns]


@dataclass(frozen=True, kw_only=True)
class Teachers:
    """The networks that teach a run."""

    members: tuple[Teacher, ...]
    preprocessing: Preprocessing
    """How the pictures of the network that learns are standardised."""

    @torch.no_grad()
    def logits(self, pictures_NCHW: Tensor) -> Tensor:
        """Mean of the teachers' logits, (N, outputs) float32, for pictures standardised for the network that learns."""
        mean = torch.tensor(self.preprocessing.mean, device=pictures_NCHW.device).view(1, 3, 1, 1)
        pixels_NCHW = pictures_NCHW / self.preprocessing.scale + mean
        return torch.stack([teacher.logits(pixels_NCHW) for teacher in self.members]).mean(0)


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

    Raises ValueError where one lacks a label that the network learns, or its backbone is not installed.
    """
    members = tuple(
        Teacher(
            version=one.version,
            forward=_frozen(one, device),
            size=_size_of(one),
            preprocessing=one.preprocessing,
            columns=_columns(one, vocabularies).to(device),
        )
        for one in checkpoints
    )
    return Teachers(members=members, preprocessing=preprocessing)


def _columns(teacher: Checkpoint | TeacherCheckpoint, vocabularies: Sequence[Vocabulary]) -> Tensor:
    outputs = ((v.name, label) for v in teacher.vocabularies for label in v.ids)
    column_of = {output: column for column, output in enumerate(outputs)}
    wanted = [(v.name, label) for v in vocabularies for label in v.ids]
    if lacking := next((label for label in wanted if label not in column_of), None):
        raise ValueError(
            f"The teacher of version {teacher.version} has other labels than these sets ({lacking[0]} {lacking[1]!r} "
            "is not among them): name another."
        )
    return torch.tensor([column_of[label] for label in wanted])


def _size_of(teacher: Checkpoint | TeacherCheckpoint) -> int:
    return teacher.size if isinstance(teacher, TeacherCheckpoint) else teacher.architecture.input_size


def _frozen(teacher: Checkpoint | TeacherCheckpoint, device: torch.device) -> Callable[[Tensor], Tensor]:
    """The network as a function; a backbone on a CPU runs by OpenVINO, so that its answers cost nearly nothing."""
    if isinstance(teacher, TeacherCheckpoint) and device.type == "cpu":
        compiled = converted(teacher.network(), teacher.size)

        def forward(x_NCHW: Tensor) -> Tensor:
            parts = x_NCHW.contiguous().split(_OPENVINO_BATCH)
            return torch.cat([torch.from_numpy(compiled(part.numpy())[0].copy()) for part in parts])

        return forward
    own = teacher.network() if isinstance(teacher, TeacherCheckpoint) else build(teacher.folded())
    network: nn.Module = own.requires_grad_(False).to(memory_format=torch.channels_last).to(device)
    return network


def _resized_to(pictures_NCHW: Tensor, size: int) -> Tensor:
    if pictures_NCHW.shape[-1] == size:
        return pictures_NCHW
    return F.interpolate(pictures_NCHW, size=(size, size), mode="bilinear", align_corners=False, antialias=True)

"""Distillation: networks trained before teach another; their mean logits for a picture count beside its label.

Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015. A teacher sees the same crop as the network that
learns (Beyer et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR 2022), resized to the
teacher's own picture size, and it answers its vocabularies for every picture, whatever set that is from.
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
from training.data.sets import readings
from training.trainer.teachers import checkpoint as teacher_file
from training.trainer.teachers.checkpoint import TeacherCheckpoint, converted, is_teacher

_OPENVINO_BATCH = 32  # pictures that stay in the cache from one layer to the next
_Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class TeacherSpec:
    """A network that is to teach, and what it is asked about."""

    network: Checkpoint | TeacherCheckpoint
    """The network, as its file has it."""
    vocabularies: tuple[str, ...] = ()
    """Names of the vocabularies that it answers; where there are none, all that it knows."""

    @property
    def record(self) -> str:
        """What a run records of it: its version, after the vocabularies that it is kept to."""
        version = self.network.version
        return f"{','.join(self.vocabularies)}={version}" if self.vocabularies else version

    @property
    def origin(self) -> str:
        """What taught what, for people: where a backbone's weights come from and their terms, or which network."""
        one = self.network
        kept = f", asked for {' and '.join(self.vocabularies)} alone" if self.vocabularies else ""
        if isinstance(one, TeacherCheckpoint):
            return f"{one.provenance.get('origin', one.backbone)}{kept}"
        return f"{one.name} {one.version}{kept}"

    def answers(self, vocabulary: Vocabulary) -> bool:
        """Whether it has every label of a vocabulary, and may be asked about it."""
        if self.vocabularies and vocabulary.name not in self.vocabularies:
            return False
        return any(
            one.name == vocabulary.name and set(vocabulary.ids) <= set(one.ids) for one in self.network.vocabularies
        )


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """One network that teaches, with frozen weights."""

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
        """Logits (N, outputs) float32 for pictures (N, 3, S, S), standardised for the network that learns.

        Each output's is the mean of those teachers that answer it.
        """
        mean = torch.tensor(self.preprocessing.mean, device=pictures_NCHW.device).view(1, 3, 1, 1)
        pixels_NCHW = pictures_NCHW / self.preprocessing.scale + mean
        total = torch.stack([teacher.logits(pixels_NCHW) for teacher in self.members]).sum(0)
        return total / torch.stack([teacher.columns >= 0 for teacher in self.members]).sum(0)


def load_teachers(specs: Sequence[str]) -> list[TeacherSpec]:
    """The networks that ``[NAMES=]FILE`` names, our own checkpoints and fine-tuned backbones alike.

    ``NAMES`` are vocabularies with commas between them; a path that exists is a path, also with ``=`` in it. Raises
    CheckpointError.
    """
    return [_load(spec) for spec in specs]


def _load(spec: str) -> TeacherSpec:
    ways = readings(spec)
    names, path = next((way for way in ways if Path(way[1]).is_file()), ways[:2][-1])
    file = Path(path)
    network = teacher_file.load(file) if is_teacher(file) else checkpoint.load(file)
    return TeacherSpec(network=network, vocabularies=tuple(filter(None, names.split(","))))


def build_teachers(
    specs: Sequence[TeacherSpec],
    vocabularies: Sequence[Vocabulary],
    preprocessing: Preprocessing,
    device: torch.device,
) -> Teachers:
    """The teachers of a network with these vocabularies and this preprocessing.

    A teacher answers the vocabularies of which it has every label, and which it is asked about. Raises ValueError where
    none answers one of them, a teacher none at all, or a backbone is not installed.
    """
    _check_answers(specs, vocabularies)
    members = tuple(
        Teacher(
            forward=_frozen(one.network, device),
            size=_size_of(one.network),
            columns=_columns(one, vocabularies).to(device),
        )
        for one in specs
    )
    return Teachers(members=members, preprocessing=preprocessing)


def _check_answers(specs: Sequence[TeacherSpec], vocabularies: Sequence[Vocabulary]) -> None:
    known = sorted(vocabulary.name for vocabulary in vocabularies)
    for one in specs:
        for name in one.vocabularies:
            if name not in known:
                raise ValueError(f"--teacher {name}=… names no vocabulary of this run: it has {', '.join(known)}.")
        if not any(one.answers(vocabulary) for vocabulary in vocabularies):
            raise ValueError(f"The teacher of version {one.network.version} lacks labels of every set: name another.")
    for vocabulary in vocabularies:
        if not any(one.answers(vocabulary) for one in specs):
            raise ValueError(f"No teacher has every label of {vocabulary.name!r}: name one that does, too.")


def _columns(one: TeacherSpec, vocabularies: Sequence[Vocabulary]) -> Tensor:
    outputs = ((v.name, label) for v in one.network.vocabularies for label in v.ids)
    column_of = {output: column for column, output in enumerate(outputs)}
    return torch.tensor([column_of[v.name, label] if one.answers(v) else -1 for v in vocabularies for label in v.ids])


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

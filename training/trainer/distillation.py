"""Teachers: networks trained before, whose mean answer to a picture stands beside its label.

Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015. A teacher is asked about the very crop that the
pupil sees (Beyer et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR 2022), brought to the
teacher's own picture size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.checkpoint import Checkpoint, Preprocessing
from model.engines.torch_engine import build
from model.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Teachers:
    """What they were made of, and the networks."""

    versions: tuple[str, ...]
    networks: tuple[nn.Module, ...]
    sizes: tuple[int, ...]

    @torch.no_grad()
    def answers(self, pictures: Tensor) -> Tensor:
        """Mean logits (N, outputs) float32 for standardised pictures (N, 3, S, S)."""
        return torch.stack(
            [
                network(_brought_to(pictures, size)).float()
                for network, size in zip(self.networks, self.sizes, strict=True)
            ]
        ).mean(0)


def _brought_to(pictures: Tensor, size: int) -> Tensor:
    if pictures.shape[-1] == size:
        return pictures
    return F.interpolate(pictures, size=(size, size), mode="bilinear", align_corners=False, antialias=True)


def teachers(
    checkpoints: Sequence[Checkpoint],
    vocabularies: Sequence[Vocabulary],
    preprocessing: Preprocessing,
    device: torch.device,
) -> Teachers:
    """Raises ValueError where one knows other labels than the pupil, or sees pictures in other numbers."""
    asked = [(v.name, tuple(v.ids)) for v in vocabularies]
    for one in checkpoints:
        if [(v.name, tuple(v.ids)) for v in one.vocabularies] != asked:
            raise ValueError(f"The teacher of version {one.version} has other labels than these sets: name another.")
        if (*one.preprocessing.mean, one.preprocessing.scale) != (*preprocessing.mean, preprocessing.scale):
            raise ValueError(f"The teacher of version {one.version} was given other pixels: name another.")
    return Teachers(
        versions=tuple(one.version for one in checkpoints),
        networks=tuple(
            build(one.folded()).requires_grad_(False).to(memory_format=torch.channels_last).to(device)
            for one in checkpoints
        ),
        sizes=tuple(one.architecture.input_size for one in checkpoints),
    )

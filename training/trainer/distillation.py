"""Distillation: networks trained before teach another; their mean logits for a picture count beside its label.

Hinton et al., *Distilling the Knowledge in a Neural Network*, 2015. A teacher sees the same crop as the network that
learns (Beyer et al., *Knowledge distillation: A good teacher is patient and consistent*, CVPR 2022), resized to the
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
    """The networks that teach, with frozen weights."""

    versions: tuple[str, ...]
    """Version of each network's checkpoint, which a run records."""
    networks: tuple[nn.Module, ...]
    """The networks, on the device and in evaluation mode."""
    sizes: tuple[int, ...]
    """Side in pixels of the pictures that each network takes."""

    @torch.no_grad()
    def logits(self, pictures_NCHW: Tensor) -> Tensor:
        """Mean of the networks' logits, (N, outputs) float32, for standardised pictures."""
        logits = [
            network(_resized_to(pictures_NCHW, size)).float()
            for network, size in zip(self.networks, self.sizes, strict=True)
        ]
        return torch.stack(logits).mean(0)


def _resized_to(pictures_NCHW: Tensor, size: int) -> Tensor:
    if pictures_NCHW.shape[-1] == size:
        return pictures_NCHW
    return F.interpolate(pictures_NCHW, size=(size, size), mode="bilinear", align_corners=False, antialias=True)


def build_teachers(
    checkpoints: Sequence[Checkpoint],
    vocabularies: Sequence[Vocabulary],
    preprocessing: Preprocessing,
    device: torch.device,
) -> Teachers:
    """The teachers that these checkpoints hold.

    Raises ValueError where one has other labels than the network that learns, or standardises pixels otherwise.
    """
    labels = [(v.name, tuple(v.ids)) for v in vocabularies]
    for checkpoint in checkpoints:
        version, teacher = checkpoint.version, checkpoint.preprocessing
        if [(v.name, tuple(v.ids)) for v in checkpoint.vocabularies] != labels:
            raise ValueError(f"The teacher of version {version} has other labels than these sets: name another.")
        if (*teacher.mean, teacher.scale) != (*preprocessing.mean, preprocessing.scale):
            raise ValueError(f"The teacher of version {version} was given other pixels: name another.")
    return Teachers(
        versions=tuple(checkpoint.version for checkpoint in checkpoints),
        networks=tuple(_frozen(checkpoint, device) for checkpoint in checkpoints),
        sizes=tuple(checkpoint.architecture.input_size for checkpoint in checkpoints),
    )


def _frozen(checkpoint: Checkpoint, device: torch.device) -> nn.Module:
    network = build(checkpoint.folded()).requires_grad_(False)
    return network.to(memory_format=torch.channels_last).to(device)

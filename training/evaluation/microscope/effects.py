"""What a unit argues for and against, and what feeds it, averaged over real pictures.

P pictures, C channels, K labels, R directions, X channels of the layer before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from model.architecture import Layer
from model.backward import logit_weights
from model.checkpoint import Checkpoint
from model.engines.alexnet import AlexNet
from training.evaluation.microscope.cells import torch_network

Floats = NDArray[np.float32]
DIRECTIONS = 48
"""Directions in the space of labels along which gradients are taken, instead of one for each of K labels."""
BATCH = 8
"""Pictures that are run at a time."""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """Means over the pictures on which a unit is active anywhere."""

    on_labels: Mapping[str, Floats]
    """Convolution -> (C, K): gradient x activation, summed over the cells; in units of a logit."""
    fed_by: Mapping[str, Floats]
    """Convolution but the first -> (C, X): what each channel of the convolution before adds to the sum of the unit's
    strongest cell: weights x inputs, as after pooling and normalisation."""


def sums(
    network: Checkpoint, pictures_NHWC: NDArray[np.uint8], *, directions: int = DIRECTIONS
) -> dict[str, NDArray[np.float32]]:
    """Sums over one batch: ``conv3 labels`` (C, K), ``conv3 inputs`` (C, X), and ``conv3 active`` (C,) pictures.

    The effect of a unit on the evidence for a label (:mod:`model.explain`) is linear in the label's direction among all
    labels. So it is taken along the ``directions`` in which labels differ most on a picture, and put together again:
    with as many directions as labels it is exact.
    """
    module = torch_network(network).to(memory_format=torch.channels_last)
    evidence = torch.from_numpy(np.stack([logit_weights(network, row) for row in range(network.architecture.outputs)]))
    batch = torch.from_numpy(pictures_NHWC).permute(0, 3, 1, 2).float()
    seen = _Seen(module, network, batch)
    found = _batch_sums(seen, evidence, min(directions, len(evidence)))
    found |= {f"{name} active": active.sum(0) for name, active in seen.active.items()}
    return {name: total.numpy() for name, total in found.items()}


def joined(batches: Sequence[Mapping[str, NDArray[np.float32]]]) -> Effects:
    """The means over all pictures of some batches."""
    means: dict[str, dict[str, Floats]] = {"labels": {}, "inputs": {}}
    for key in batches[0]:
        name, kind = key.split()
        if kind in means:
            active = np.maximum(np.sum([batch[f"{name} active"] for batch in batches], 0), 1)
            means[kind][name] = np.sum([batch[key] for batch in batches], 0) / active[:, None]
    return Effects(on_labels=means["labels"], fed_by=means["inputs"])


class _Seen:
    """One forward pass whose convolutions' outputs have gradients; the weights have none."""

    def __init__(self, module: AlexNet, network: Checkpoint, pixels_NCHW: Tensor) -> None:
        self.module = module
        self.rows: dict[str, Layer] = {}
        self.inputs: dict[str, Tensor] = {}
        self.maps: dict[str, Tensor] = {}
        mean = torch.tensor(network.preprocessing.mean).view(1, 3, 1, 1)
        x = (pixels_NCHW - mean) * network.preprocessing.scale
        for row in network.architecture.layers:
            if row.operation == "conv":
                self.rows[row.name] = row
                self.inputs[row.name] = x.detach()
            x = module.step(row, x)
            if row.operation == "conv":
                x = x.requires_grad_() if x.is_leaf else x
                self.maps[row.name] = x
            if row.name == "fc7":
                self.fc7 = x
        self.logits = x
        self.active = {name: (map_.detach().amax((2, 3)) > 0).float() for name, map_ in self.maps.items()}


def _batch_sums(seen: _Seen, evidence: Tensor, directions: int) -> dict[str, Tensor]:
    """Sums over a batch: ``conv3 labels`` (C, K), ``conv3 inputs`` (C, X)."""
    basis = _basis(seen, evidence, directions)
    names, maps = list(seen.maps), list(seen.maps.values())
    along: dict[str, list[Tensor]] = {name: [] for name in names}
    for direction in range(directions):
        gradients = torch.autograd.grad(seen.logits, maps, basis[:, :, direction] @ evidence, retain_graph=True)
        for name, map_, gradient in zip(names, maps, gradients, strict=True):
            along[name].append((gradient * map_.detach()).sum((2, 3)))
    totals = {}
    for name in names:
        effects = torch.stack(along[name], -1) * seen.active[name][:, :, None]  # (P, C, R)
        totals[f"{name} labels"] = torch.einsum("pcr,pkr->ck", effects, basis)
    for name in names[1:]:
        totals[f"{name} inputs"] = _inputs(seen, name)
    return totals


@torch.no_grad()
def _basis(seen: _Seen, evidence: Tensor, directions: int) -> Tensor:
    """(P, K, R) orthonormal directions of label space: the largest of what the active units of fc7 tell labels by."""
    weights = evidence @ seen.module.get_parameter("fc8.weight")
    masked = weights[None] * seen.fc7.detach()[:, None, :]
    vectors: Tensor = torch.linalg.eigh(masked @ masked.transpose(1, 2)).eigenvectors
    return vectors[:, :, -directions:]


@torch.no_grad()
def _inputs(seen: _Seen, name: str) -> Tensor:
    """(C, X) what the channels before add to the strongest cell of each channel, summed over the pictures it is on."""
    row, x = seen.rows[name], seen.inputs[name]
    weights = seen.module.get_parameter(f"{name}.weight").detach().flatten(2)  # (C, X / groups, cells of the kernel)
    strongest = seen.maps[name].detach().flatten(2).argmax(2)
    outs, ins = len(weights) // row.groups, weights.shape[1]
    total = torch.zeros(len(weights), x.shape[1])
    for picture in range(len(x)):
        columns = F.unfold(x[picture : picture + 1], row.kernel, padding=row.padding, stride=row.stride)[0]
        columns = columns.view(x.shape[1], -1, columns.shape[-1])
        for group in range(row.groups):
            own, before = slice(group * outs, (group + 1) * outs), slice(group * ins, (group + 1) * ins)
            patches = columns[before][:, :, strongest[picture, own]]  # (X / groups, cells, C / groups)
            parts = torch.einsum("cxk,xkc->cx", weights[own], patches)
            total[own, before] += parts * seen.active[name][picture, own, None]
    return total

"""Starting from another network: its weights, its rows of fc8 for the labels it knows, and batch norm put back in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from model.checkpoint import Checkpoint
from model.engines.alexnet import AlexNet
from model.vocabulary import Vocabulary
from training.trainer.resize import stretch


@torch.no_grad()
def start_from(network: AlexNet, source: Checkpoint, vocabularies: Sequence[Vocabulary], pictures: Tensor) -> None:
    """Give ``network`` the weights of ``source``; labels that ``source`` lacks keep the rows they were drawn with.

    fc6 is stretched to the picture size of ``network``. A shipped checkpoint has its batch norm folded away:
    ``pictures`` (N, 3, S, S), standardised, tell what to put back, so that it says the same and can be trained on.
    Raises ValueError where the two layer tables differ in more than size and labels.
    """
    source = source.folded()
    weights = {name: torch.from_numpy(np.array(value)) for name, value in source.weights.items()}
    old, new = (a.layer("pool5").shape[1] for a in (source.architecture, network.architecture))
    weights["fc6.weight"] = stretch(weights["fc6.weight"], old, new) * (old / new) ** 2
    for name, value in weights.items():
        target = network.get_parameter(name)
        if name.startswith("fc8."):
            known, rows = _known_rows(source, vocabularies)
            target[known] = value[rows].to(target.device)
        elif target.shape == value.shape:
            target.copy_(value)
        else:
            raise ValueError(
                f"{name} is {tuple(value.shape)} there and {tuple(target.shape)} here: another layer table."
            )
    if network.architecture.batch_norm:
        _unfold(network, pictures)


def _known_rows(source: Checkpoint, vocabularies: Sequence[Vocabulary]) -> tuple[list[int], list[int]]:
    """Rows of the new fc8 whose label the source has, and its rows there."""
    slices = source.slices()
    there = {
        (v.name, label): slices[v.name].start + i for v in source.vocabularies for i, label in enumerate(v.ids)
    }  # fmt: skip
    here = [(v.name, label) for v in vocabularies for label in v.ids]
    known = [row for row, label in enumerate(here) if label in there]
    return known, [there[here[row]] for row in known]


def _unfold(network: AlexNet, x: Tensor) -> None:
    """Put batch norm back: each gives out what it takes in, and each weight row has the length it is drawn with."""
    training = network.training
    network.eval()
    for row in network.architecture.layers:
        if row.batch_norm:
            layer, norm = network.get_submodule(row.name), network.get_submodule(f"{row.name}_norm")
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
            assert layer.bias is not None
            flat = layer.weight.flatten(1)
            length = 2**0.5 / flat.norm(dim=1).clamp_min(1e-8)
            layer.weight.mul_(length.view(-1, *[1] * (layer.weight.ndim - 1)))
            bias = layer.bias.clone()
            layer.bias.zero_()
            out = layer(x.flatten(1) if row.operation == "linear" else x)
            variance, mean = torch.var_mean(out, [d for d in range(out.ndim) if d != 1], correction=0)
            norm.running_mean.copy_(mean)  # type: ignore[union-attr]
            norm.running_var.copy_(variance)  # type: ignore[union-attr]
            norm.weight.copy_((variance + norm.eps).sqrt() / length)
            norm.bias.copy_(mean / length + bias)
        x = network.step(row, x)
    network.train(training)

"""Starting from another network: its weights, its rows of fc8 for the labels both have, and batch norm put back in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from model.checkpoint import Checkpoint
from model.engines.alexnet import AlexNet
from model.vocabulary import Vocabulary
from training.trainer.resize import resize_fc6


@torch.no_grad()
def start_from(network: AlexNet, source: Checkpoint, vocabularies: Sequence[Vocabulary], pictures_NCHW: Tensor) -> None:
    """Give ``network`` the weights of ``source``; labels that ``source`` lacks keep the rows they were drawn with.

    Names that ``source`` was taught are starts for labels of the same ids in any softmax vocabulary. fc6 is resized to
    the picture size of ``network``. A shipped checkpoint has its batch norm folded away: from
    standardised pictures the norms are set so that the network answers as ``source`` does and can be trained on.
    Raises ValueError where the two layer tables differ in more than size and labels.
    """
    source = source.folded()
    weights = {name: torch.from_numpy(np.array(value)) for name, value in source.weights.items()}
    old, new = (a.layer("pool5").shape[1] for a in (source.architecture, network.architecture))
    weights["fc6.weight"] = resize_fc6(weights["fc6.weight"], old, new) * (old / new) ** 2
    for name, value in weights.items():
        target = network.get_parameter(name)
        if name.startswith("fc8."):
            rows, source_rows = _shared_rows(source, vocabularies)
            target[rows] = _at_temperature_one(source, name)[source_rows].to(target.device)
        elif target.shape == value.shape:
            target.copy_(value)
        else:
            raise ValueError(
                f"{name} is {tuple(value.shape)} there and {tuple(target.shape)} here: another layer table."
            )
    if network.architecture.batch_norm:
        _unfold_batch_norm(network, pictures_NCHW)


def _shared_rows(source: Checkpoint, vocabularies: Sequence[Vocabulary]) -> tuple[list[int], list[int]]:
    """Rows of the new fc8 whose label ``source`` has, and the rows of its fc8 that answer for the same labels."""
    row_in_source: dict[tuple[str, str], int] = {}
    taught: dict[str, int] = {}
    for vocabulary in source.vocabularies:
        first = source.slices()[vocabulary.name].start
        for number, label in enumerate(vocabulary.ids):
            row_in_source[vocabulary.name, label] = first + number
            if vocabulary.taught:
                taught[label] = first + number
    rows, source_rows = [], []
    labels = [(vocabulary, label) for vocabulary in vocabularies for label in vocabulary.ids]
    for row, (vocabulary, label) in enumerate(labels):
        start = row_in_source.get((vocabulary.name, label))
        if start is None and vocabulary.activation == "softmax":
            start = taught.get(label)
        if start is not None:
            rows.append(row)
            source_rows.append(start)
    return rows, source_rows


def _at_temperature_one(source: Checkpoint, name: str) -> Tensor:
    """Return the weight or bias of fc8, its taught rows as large as softmax without a temperature needs them."""
    value = torch.from_numpy(np.array(source.weights[name]))
    for vocabulary in source.vocabularies:
        if vocabulary.taught:
            value[source.slices()[vocabulary.name]] /= vocabulary.temperature
    return value


def _unfold_batch_norm(network: AlexNet, x: Tensor) -> None:
    """Put batch norm back: each norm gives out what it takes in, each weight row has the length it is drawn with.

    ``x`` are standardised pictures (N, 3, S, S), whose activations the norms' statistics are taken from.
    """
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

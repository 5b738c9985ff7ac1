"""What fed what: how much each channel of each layer adds to the evidence for one label, and through which channels.

A channel's relevance is its gradient times its activation, summed over its cells; :mod:`model.backward` has the
gradient, and says what evidence is. An edge from channel i to channel j of the next layer with weights is the part of
that which came through i: the gradient before j's activation, times i's own part of j's weighted sum, summed over the
cells of j.

Without biases and normalisation between them, all edges from i add up to the relevance of i, because pooling passes on
what it takes. Local response normalisation does not: it also makes channels count against their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.architecture import Layer
from model.backward import Maps, before_activation, gradients, input_of, logit_weights
from model.checkpoint import Checkpoint
from model.explain import relevance
from model.weights import Floats, times, weight_rows


@dataclass(frozen=True)
class Channel:
    """One channel of a convolution, or one unit of a linear layer, that matters for a label."""

    number: int
    """Its place in the layer; of fc8 the row."""
    relevance: float
    """What it adds to the evidence, in units of a logit."""
    maximum: float
    """Its largest activation in this picture; of fc8 the logit."""


@dataclass(frozen=True)
class Column:
    """One layer of the view: its channels of the largest relevance, of either sign, that of the most first."""

    layer: Layer
    channels: tuple[Channel, ...]
    share: float
    """Of all relevance in the layer, without its signs, the share of these channels; 0 where there is none."""


@dataclass(frozen=True)
class Edge:
    """How much of the evidence flows from one channel to one of the next layer."""

    source: tuple[str, int]
    """Name of the layer, and number of the channel."""
    target: tuple[str, int]
    """Name of the next layer with weights, and number of the channel."""
    weight: float
    """In units of a logit; never 0."""


@dataclass(frozen=True)
class Connections:
    """The channels that matter most for one label, layer by layer, and what flows between them."""

    columns: tuple[Column, ...]
    """conv1 and so on to fc7, then fc8, of which only the label's own row counts."""
    edges: tuple[Edge, ...]
    """Between neighbouring columns, without those of weight 0."""


def connect(maps: Maps, logits: Floats, checkpoint: Checkpoint, row: int, *, per_layer: int) -> Connections:
    """Return what fed the evidence for ``row`` of fc8, by at most ``per_layer`` channels of each layer.

    ``maps`` holds all activations of one picture (``Architecture.activation_names``), ``logits`` its (K,) logits, and
    ``checkpoint`` is folded.
    """
    weighted = [layer for layer in checkpoint.architecture.layers if layer.weight_shape]
    found = gradients(maps, checkpoint, row, down_to=weighted[0].name)
    columns = [_column(layer, found[layer.name], maps[layer.name], per_layer) for layer in weighted[:-1]]
    evidence = float(logit_weights(checkpoint, row) @ logits)
    columns.append(Column(weighted[-1], (Channel(row, evidence, float(logits[row])),), 1.0))
    edges = [
        edge
        for before, after in pairwise(columns)
        for edge in _edges(before, after, _flow(before, after, found, maps, checkpoint))
    ]
    return Connections(tuple(columns), tuple(edges))


def flow(layer: Layer, gradient: Floats, x: Floats, weight: Floats, *, sources: Sequence[int]) -> Floats:
    """Return (targets, sources) what came through each channel of the input ``x`` to each of some channels of a layer.

    ``gradient`` is that before the activation of the targets, (targets, H, W) or (targets,), and ``weight`` has their
    rows. ``sources`` are the numbers of the channels of ``x`` that are wanted.
    """
    chosen = list(sources)
    if layer.operation == "linear":
        parts = weight.reshape(len(weight), len(x), -1)[:, chosen] * x.reshape(len(x), -1)[chosen]
        return np.asarray(parts.sum(-1) * gradient[:, None])
    step, size = layer.stride, layer.kernel
    padded = np.pad(x[chosen], ((0, 0), (layer.padding,) * 2, (layer.padding,) * 2))
    windows = sliding_window_view(padded, (size, size), (1, 2))[:, ::step, ::step]  # (sources, H, W, size, size)
    moved = windows.transpose(1, 2, 0, 3, 4).reshape(gradient[0].size, -1)
    seen = times(gradient.reshape(len(gradient), -1), moved).reshape(len(gradient), len(chosen), -1)
    return np.asarray((seen * weight.reshape(len(gradient), len(chosen), -1)).sum(-1))


def _column(layer: Layer, gradient: Floats, activations: Floats, most: int) -> Column:
    relevances = relevance(gradient, activations)
    order = np.argsort(-np.abs(relevances), kind="stable")[:most].tolist()
    maxima = activations.reshape(len(activations), -1).max(1)
    channels = tuple(Channel(n, float(relevances[n]), float(maxima[n])) for n in order)
    total = float(np.abs(relevances).sum())
    return Column(layer, channels, float(np.abs(relevances[order]).sum()) / total if total > 0 else 0.0)


def _flow(before: Column, after: Column, found: Maps, maps: Maps, checkpoint: Checkpoint) -> Floats:
    """Return (targets, sources) what flows between the channels of two neighbouring columns."""
    layer = after.layer
    sources = [channel.number for channel in before.channels]
    if layer.name == "fc8":  # the evidence is a weighted sum of all its rows, whose gradient is known already
        return (found[before.layer.name] * maps[before.layer.name])[sources][None]
    targets = [channel.number for channel in after.channels]
    gradient = before_activation(found[layer.name], maps, layer)[targets]
    weight = weight_rows(checkpoint.weights, f"{layer.name}.weight", targets)
    if layer.operation == "conv":
        weight = _across_groups(weight, layer, targets, sources)
    x = input_of(layer, maps, checkpoint.architecture)
    return flow(layer, gradient, x, weight, sources=sources)


def _across_groups(weight: Floats, layer: Layer, targets: Sequence[int], sources: Sequence[int]) -> Floats:
    """Return (targets, sources, kernel, kernel) weights; those between two groups of a layer are 0."""
    per_group_in, per_group_out = layer.inputs[0] // layer.groups, layer.shape[0] // layer.groups
    inside, group = np.array(sources) % per_group_in, np.array(sources) // per_group_in
    joined = (np.array(targets) // per_group_out)[:, None] == group
    kernels: Floats = weight[:, inside] * joined[:, :, None, None]
    return kernels


def _edges(before: Column, after: Column, weights: Floats) -> list[Edge]:
    return [
        Edge((before.layer.name, source.number), (after.layer.name, target.number), float(weights[j, i]))
        for j, target in enumerate(after.channels)
        for i, source in enumerate(before.channels)
        if weights[j, i] != 0
    ]

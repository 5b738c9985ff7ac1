"""Prepares a network for whole numbers of 8 bits, finds their ranges, and measures what it says then. OpenVINO.

Three steps of shipping. :func:`equalise` evens out the channels before the weights are rounded (Nagel et al.,
*Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019, here by what the channels do on
pictures). :func:`fit_ranges` chooses the range of each layer's inputs by the error of the logits: a wide one makes
coarse steps, a narrow one cuts peaks off. :func:`measured_same` compares what is said in both arithmetics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.describe import describe
from model.engines import Engine, Output, create_engine
from model.explain import needed_activations
from model.int8 import Int8, probe_pictures, quantised_rows
from model.weights import Floats

Pictures = NDArray[np.uint8]

EVENNESS = 0.75
"""How far channels are evened out: 0 not at all; at 1 all reach as high, and the weights lose most by rounding."""
_PEAK = 0.99  # of the pictures stay below what counts as a channel's peak
_FACTORS, _FINER = (0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2), (0.9, 1.0, 1.1)
_BATCH = 32
_MOST_ERROR = 0.008
"""Root mean square error of the logits, as a share of their standard deviation, up to which linear layers are rounded,
too. That of the convolutions alone is 0.006 for the network that is shipped."""


def equalise(network: Checkpoint, pictures: Pictures) -> Checkpoint:
    """Return the same function with channels of a convolution's inputs that reach more nearly as high as each other.

    What a channel is divided by, the weights that read it are multiplied by: rectifying and pooling do not mind.
    Normalisation does; a network that has it stays as it is.
    """
    network = network.folded()
    rows = quantised_rows(network.architecture, "conv")
    if network.architecture.lrn is not None or not rows:
        return network
    engine = create_engine(network, engine="openvino", precision="f32")
    peaks = _peaks(engine, pictures, rows)
    weights = dict(network.weights)
    readers = [row for row in network.architecture.layers if row.operation == "conv"][1:]
    for name, reader in zip(rows, readers, strict=True):
        factor = _factors(peaks[name])
        weights[f"{name}.weight"] = weights[f"{name}.weight"] / factor.reshape(-1, 1, 1, 1)
        weights[f"{name}.bias"] = weights[f"{name}.bias"] / factor
        groups = factor.reshape(reader.groups, 1, -1, 1, 1)
        weight = weights[f"{reader.name}.weight"]
        grouped = weight.reshape(reader.groups, -1, *weight.shape[1:]) * groups
        weights[f"{reader.name}.weight"] = grouped.reshape(weight.shape).astype(np.float32)
    return replace(network, weights=weights)


def _factors(peaks: Floats) -> Floats:
    """Return (C,) what to divide channels of (N, C) peaks by."""
    highest = np.quantile(peaks, _PEAK, axis=0)
    highest = np.maximum(highest, highest.max() * 1e-3)  # a channel that never fires
    factors: Floats = ((highest / np.exp(np.log(highest).mean())) ** EVENNESS).astype(np.float32)
    return factors


def _peaks(engine: Engine, pictures: Pictures, rows: Sequence[str]) -> Mapping[str, Floats]:
    """Return for each row the (N, C) largest activation of each channel, or unit, of each picture."""
    peaks: dict[str, list[Floats]] = {name: [] for name in rows}
    for start in range(0, len(pictures), _BATCH):
        maps = engine.run(pictures[start : start + _BATCH], maps=rows).maps
        for name in rows:
            peaks[name].append(maps[name].max(tuple(range(2, maps[name].ndim))))
    return {name: np.concatenate(parts) for name, parts in peaks.items()}


def fit_ranges(network: Checkpoint, pictures: Pictures) -> Int8 | None:
    """Return the ranges with which whole numbers give the logits nearest to float32's on pictures.

    None where a layer table has none, and where even with the best the probe pictures are answered otherwise.
    ``network`` is one in the small form, whose weights are whole numbers. One range after the other is scaled, twice;
    then those of the linear layers, where they lose little.
    """
    rows = _rows_with_activations(network.architecture)
    if not rows:
        return None
    exact = create_engine(network, engine="openvino", precision="f32")
    wanted = _logits(exact, pictures)
    peaks = {name: float(max(activations.max(), 1e-6)) for name, activations in _peaks(exact, pictures, rows).items()}

    def in_int8(tried: Mapping[str, float]) -> Engine:
        trial = replace(network, int8=Int8(ranges=tried, logits=(), same={}))
        return create_engine(trial, engine="openvino", precision="int8")

    def error(tried: Mapping[str, float]) -> float:
        return float(np.square(_logits(in_int8(tried), pictures) - wanted).mean())

    most = (_MOST_ERROR * float(wanted.std())) ** 2
    ranges = _fitted(error, peaks, quantised_rows(network.architecture, "conv"), most)
    probes = probe_pictures(network.architecture.input_size)
    logits = exact.run(probes).logits.round(4)
    int8 = Int8(ranges=ranges, logits=tuple(map(tuple, logits.tolist())), same={})
    return int8 if int8.agrees(in_int8(ranges).run(probes).logits) else None


def _fitted(
    error: Callable[[Mapping[str, float]], float], peaks: Mapping[str, float], convolutions: Sequence[str], most: float
) -> dict[str, float]:
    """Return the ranges of least ``error``, of other rows than ``convolutions`` only while that is at most ``most``."""
    ranges = {name: peaks[name] for name in convolutions}

    def best(name: str, factors: Sequence[float]) -> tuple[float, float]:
        widths = [factor * ranges.get(name, peaks[name]) for factor in factors]
        return min((error({**ranges, name: width}), width) for width in widths)

    for factors in (_FACTORS, _FINER):
        for name in convolutions:
            _, ranges[name] = best(name, factors)
    for name in peaks:
        if name not in convolutions:
            lost, width = best(name, _FACTORS)
            if lost <= most:
                ranges[name] = width
    return ranges


def _rows_with_activations(architecture: Architecture) -> list[str]:
    """Return the rows that become whole numbers; none where an engine does not give the activations of all of them."""
    rows = [*quantised_rows(architecture, "conv"), *quantised_rows(architecture, "linear")]
    return rows if set(rows) <= set(architecture.activation_names) else []


def _logits(engine: Engine, pictures: Pictures) -> Floats:
    batches = range(0, len(pictures), _BATCH)
    return np.concatenate([engine.run(pictures[start : start + _BATCH]).logits for start in batches])


def measured_same(network: Checkpoint, pictures: Pictures) -> Mapping[str, float]:
    """Return the share of pictures of which whole numbers say the same as float32, as ``Int8.same`` has it."""
    names = [v.name for v in network.vocabularies if v.activation == "softmax"]
    engines = [create_engine(network, engine="openvino", precision=precision) for precision in ("f32", "int8")]
    same = dict.fromkeys(["sentence", *names], 0)
    maps = needed_activations(network.architecture)
    rows = network.slices()
    for start in range(0, len(pictures), _BATCH):
        batch = pictures[start : start + _BATCH]
        float32, int8 = (engine.run(batch, maps=maps) for engine in engines)
        for name in names:
            ours, theirs = (output.logits[:, rows[name]].argmax(1) for output in (float32, int8))
            same[name] += int((ours == theirs).sum())
        for number, pixels in enumerate(batch):
            texts = {_sentence(output, number, network, pixels) for output in (float32, int8)}
            same["sentence"] += len(texts) == 1
    return {name: round(count / len(pictures), 4) for name, count in same.items()}


def _sentence(output: Output, number: int, network: Checkpoint, pixels: Pictures) -> str:
    one = slice(number, number + 1)
    alone = Output(output.logits[one], {name: activations[one] for name, activations in output.maps.items()})
    return describe(alone.logits[0], network, pixels=pixels, output=alone).caption.text

"""An engine that runs the layer table as OpenVINO graphs: serving on a CPU, without torch."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from model.architecture import Architecture, Layer
from model.checkpoint import Checkpoint
from model.engines.interface import Output, Precision, check_pictures
from model.int8 import LEVELS, Int8, probe_pictures
from model.weights import Floats, Weights, quantised

log = logging.getLogger("glassbot")

Node = Any  # openvino.Node: its Python operators are not typed

_CPU_FLAGS = Path("/proc/cpuinfo")
_INT8_FLAGS = frozenset({"avx_vnni", "avx512_vnni", "amx_int8"})
"""Instructions that add products of 8 bits up in 32. Without them OpenVINO adds pairs in 16, which overflow."""
_BF16 = "BF16"
"""OpenVINO's name for products of 16 bits among what a processor can do."""
_LEAST_ZEROS = 0.5
"""Share of a linear layer's weights that must be 0 for them to be kept without these."""
_ROUNDED_TOGETHER = 128
"""How many inputs of a linear layer with int8 weights are rounded to 8 bits by their largest. With 0 none are, but a
picture alone is then answered by another routine than one in a batch."""


class OpenVinoEngine:
    """Runs a checkpoint by OpenVINO, in three graphs.

    One leads from the picture to pool5, one from pool5 to the logits, and one from the picture to the activations
    before the last convolution. That one is made and runs only when such activations are wanted, because to lay them
    out by channels takes a third of the time. It is a graph of its own so that no answer depends on what is wanted.

    In ``int8`` the first multiplies whole numbers, and the second where the checkpoint has ranges for it. Raises
    ValueError where that is asked for and the checkpoint, or this processor, cannot do it.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: Precision = "auto", threads: int = 0) -> None:
        checkpoint = checkpoint.folded()
        self.architecture = checkpoint.architecture
        self._core = ov.Core()
        self._settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        self._settings["ENABLE_CPU_PINNING"] = False  # the decoders share the cores: let the system move our threads
        # Where most weights are 0, AMX reads a bit for each of these from memory: what a linear layer waits for.
        self._settings["CPU_SPARSE_WEIGHTS_DECOMPRESSION_RATE"] = _LEAST_ZEROS
        if precision != "f32":  # which is not quite that: by itself OpenVINO rounds 32 together (findings/)
            self._settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _ROUNDED_TOGETHER
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._float = self._float_of(precision)
        names, last = self.architecture.activation_names, self.architecture.last_convolution
        self._early_names = frozenset(names[: names.index(last)])
        self._checkpoint = checkpoint
        self._lock = Lock()
        self._start(precision)

    @cached_property
    def _early(self) -> _Compiled:
        return self._compiled(_convolutions(self._checkpoint, self._early_names), self._float)

    def _start(self, precision: Precision) -> None:
        """Compile the graphs of every answer: in whole numbers where that is wanted, possible and right."""
        int8 = _int8_of(self._checkpoint)
        if precision == "int8" and int8 is None:
            raise ValueError("the network has no ranges for int8: choose another precision")
        if int8 is not None and (precision == "int8" or (precision == "auto" and multiplies_int8())):
            if not multiplies_int8():
                _warn_of_float32("int8")
            self._compile(int8.ranges)
            self.name = "openvino-cpu-int8"
            if int8.agrees(self.run(probe_pictures(self.architecture.input_size)).logits):
                return
            if precision == "int8":
                raise ValueError("int8 gives other answers on this processor than it should: choose another precision")
            log.warning("int8 gives other answers on this processor than it should: %s instead", self._float)
        self._compile({})
        self.name = f"openvino-cpu-{self._float}"

    def _compile(self, ranges: Mapping[str, float]) -> None:
        checkpoint, wanted = self._checkpoint, (self.architecture.last_convolution, "pool5")
        self._late = self._compiled(_convolutions(checkpoint, wanted, ranges), "f32" if ranges else self._float)
        # In f32 OpenVINO can multiply by int8 weights; in bf16 it makes floats of them at each run, twice as slow.
        small = quantised(checkpoint.weights, "fc6.weight") is not None
        self._linear = self._compiled(_linear(checkpoint, ranges), "f32" if small else self._float)

    def _float_of(self, precision: Precision) -> str:
        """Return the float format of what is not int8: the one that was asked for, where this processor has it."""
        best = "bf16" if _BF16 in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        if precision == "bf16" and best == "f32":
            _warn_of_float32("bf16")
        return "f32" if precision == "f32" else best

    def _compiled(self, graph: ov.Model, precision: str) -> _Compiled:
        return _Compiled(self._core, graph, {**self._settings, "INFERENCE_PRECISION_HINT": precision})

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        """Return logits and activations, as :meth:`model.engines.Engine.run` says."""
        check_pictures(pictures, self.architecture.input_size)
        pictures = np.ascontiguousarray(pictures)
        with self._lock:
            activations = self._late(pictures)
            activations |= self._linear(activations["pool5"])
            if not self._early_names.isdisjoint(maps):
                activations |= self._early(pictures)
            return Output(activations["fc8"].copy(), {name: activations[name].copy() for name in maps})


@cache
def _warn_of_float32(precision: str) -> None:
    """Once in a process: the ranges of a network are found with dozens of engines."""
    log.warning("this processor does not multiply in %s: that is computed in float32, and is no quicker", precision)


def multiplies_int8() -> bool:
    """Return whether this processor has instructions for products of 8 bits; False where the system does not tell."""
    try:
        lines = _CPU_FLAGS.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return not _INT8_FLAGS.isdisjoint(flags.split())


def _int8_of(checkpoint: Checkpoint) -> Int8 | None:
    """Return how the checkpoint runs in whole numbers; None where its weights are not such."""
    return checkpoint.int8 if quantised(checkpoint.weights, "conv1.weight") is not None else None


class _Compiled:
    """A compiled graph. A call returns the outputs by name, in buffers that the next call overwrites."""

    def __init__(self, core: ov.Core, graph: ov.Model, settings: Mapping[str, Any]) -> None:
        self._names = [port.get_any_name() for port in graph.outputs]
        self._request = core.compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        self._request.infer([inputs], share_inputs=True)  # read before it returns
        return {name: self._request.get_output_tensor(i).data for i, name in enumerate(self._names)}


def _convolutions(
    checkpoint: Checkpoint, maps: Collection[str], ranges: Mapping[str, float] = MappingProxyType({})
) -> ov.Model:
    """Return the graph from (N, S, S, 3) uint8 pictures to the activations ``maps``, without what they do not need.

    With ``ranges`` the convolutions multiply whole numbers: the pixels, the weights as they are stored, and the
    activations of the rows that have a range.
    """
    side = checkpoint.architecture.input_size
    picture = ops.parameter([-1, side, side, 3], np.uint8, name="picture")
    if ranges:
        checkpoint = _mean_in_bias(checkpoint)
    x: Node = ops.convert(picture, "f32")
    if any(checkpoint.preprocessing.mean):
        x = ops.subtract(x, np.array(checkpoint.preprocessing.mean, np.float32))
    x = ops.multiply(x, np.full((1, 1, 1, 1), checkpoint.preprocessing.scale, np.float32))
    x = ops.transpose(x, np.array([0, 3, 1, 2]))
    rows = [row for row in checkpoint.architecture.layers if row.operation != "linear"]
    inner = {name: largest for name, largest in ranges.items() if name != rows[-1].name}  # the other graph's input
    return _model(picture, x, rows, checkpoint, maps, inner, whole=bool(ranges))


def _mean_in_bias(checkpoint: Checkpoint) -> Checkpoint:
    """Return the same function with a mean of 0: what conv1 made of the mean, its bias takes in."""
    assert isinstance(checkpoint.weights, Weights)
    mean = np.array(checkpoint.preprocessing.mean, np.float32) * np.float32(checkpoint.preprocessing.scale)
    bias = checkpoint.weights["conv1.bias"] - checkpoint.weights["conv1.weight"].sum((2, 3)) @ mean
    return replace(
        checkpoint,
        weights=Weights({**checkpoint.weights.parts, "conv1.bias": bias}),
        preprocessing=replace(checkpoint.preprocessing, mean=(0.0, 0.0, 0.0)),
    )


def _linear(checkpoint: Checkpoint, ranges: Mapping[str, float]) -> ov.Model:
    """Return the graph from the (N, C, H, W) activations of pool5 to those of fc6, fc7 and fc8.

    Layers whose inputs have a range multiply whole numbers.
    """
    rows = [row for row in checkpoint.architecture.layers if row.operation == "linear"]
    pool5 = ops.parameter([-1, *rows[0].inputs], np.float32, name="pool5")
    x = ops.reshape(pool5, np.array([0, -1]), special_zero=True)
    whole = "pool5" in ranges
    if whole:
        x = _rounded(x, ranges["pool5"])
    return _model(pool5, x, rows, checkpoint, [row.name for row in rows], ranges, whole=whole)


def _model(
    parameter: Node,
    x: Node,
    rows: Sequence[Layer],
    checkpoint: Checkpoint,
    wanted: Collection[str],
    ranges: Mapping[str, float],
    *,
    whole: bool,
) -> ov.Model:
    """Return the graph of ``rows`` from ``x``, which ``parameter`` leads to, with an output for each wanted row.

    ``whole``: whether ``x`` stands for whole numbers.
    """
    outputs: list[Node] = []
    for row in rows:
        x = _step(row, x, checkpoint.architecture, checkpoint.weights, whole=whole)
        if row.name in wanted:
            result = ops.result(x)
            result.output(0).get_tensor().set_names({row.name})
            outputs.append(result)
        whole = row.name in ranges or (whole and row.operation == "pool")
        if row.name in ranges:
            x = _rounded(x, ranges[row.name])
    return ov.Model(outputs, [parameter], "alexnet")


def _rounded(x: Node, largest: float) -> Node:
    """Return activations from 0 to ``largest`` as 8 bits, by which the layers that read them multiply."""
    if multiplies_int8():
        ends = [np.float32(0), np.float32(largest)]
        return ops.fake_quantize(x, *ends, *ends, LEVELS)
    # Elsewhere OpenVINO would add up pairs of products of a fake_quantize in 16 bits, which overflow. The same whole
    # numbers, as floats, it multiplies as floats.
    step = np.float32(largest / (LEVELS - 1))
    codes = ops.round(ops.divide(ops.clamp(x, 0.0, float(largest)), step), "half_to_even")
    return ops.multiply(codes, step)


def _step(row: Layer, x: Node, architecture: Architecture, weights: Mapping[str, Floats], *, whole: bool) -> Node:
    if row.operation == "pool":
        x = ops.max_pool(x, [row.stride] * 2, [1, 1], [0, 0], [0, 0], [row.kernel] * 2).output(0)
    elif row.operation == "lrn":
        norm = architecture.lrn
        assert norm is not None
        # OpenVINO divides alpha by the size of the window, the paper does not.
        x = ops.lrn(x, np.array([1]), norm.alpha * norm.size, norm.beta, norm.k, norm.size)
    elif row.operation == "conv":
        x = ops.add(_convolve(row, x, weights, whole=whole), _column(weights[f"{row.name}.bias"]))
    else:
        product = _multiply(x, weights, f"{row.name}.weight", whole=whole)
        x = ops.add(product, _constant(weights[f"{row.name}.bias"]))
    activation = {"relu": ops.relu, "tanh": ops.tanh, "sigmoid": ops.sigmoid, None: lambda same: same}[row.activation]
    return activation(x)


def _convolve(row: Layer, x: Node, weights: Mapping[str, Floats], *, whole: bool) -> Node:
    """Return the convolution of ``x``, by the weights' whole numbers where they are held as such and ``whole``."""
    weight = quantised(weights, f"{row.name}.weight") if whole else None
    shape = (row.weight_shape[0] // row.groups, *row.weight_shape[1:])
    if row.groups > 1:
        shape = (row.groups, *shape)
    if weight is None:
        kernel = _constant(weights[f"{row.name}.weight"].reshape(shape))
    else:
        scale = weight.scale.reshape(*shape[:-3], 1, 1, 1)
        kernel = ops.multiply(ops.convert(_constant(weight.codes.reshape(shape)), "f32"), _constant(scale))
    convolution = ops.convolution if row.groups == 1 else ops.group_convolution
    pads, strides = [row.padding] * 2, [row.stride] * 2
    return convolution(x, kernel, strides, pads, pads, [1, 1])


def _multiply(x: Node, weights: Mapping[str, Floats], name: str, *, whole: bool) -> Node:
    """Return (N, rows) products with a weight. int8 weights stay int8: a quarter of the memory, and of the time."""
    weight = quantised(weights, name)
    if weight is None:
        return ops.matmul(x, _constant(weights[name]), False, True)
    dense = ops.multiply(ops.convert(_constant(weight.codes), "f32"), _constant(weight.scale[:, None]))
    if whole and multiplies_int8():
        return ops.matmul(x, dense, False, True)
    # OpenVINO multiplies a single row by another routine, which adds in another order, so that a picture alone would
    # get another answer than in a batch. The first row therefore goes in twice.
    first = ops.slice(x, *(np.array([bound]) for bound in (0, 1, 1, 0)))
    product = ops.matmul(ops.concat([x, first], 0), dense, False, True)
    return ops.slice(product, *(np.array([bound]) for bound in (0, -1, 1, 0)))


def _column(bias: Floats) -> Node:
    return _constant(bias.reshape(1, -1, 1, 1))


def _constant(array: NDArray[Any]) -> Node:
    """Return a constant that reads the array itself and keeps it alive; to copy fc6 took seconds and a gigabyte."""
    return ops.constant(np.require(array, requirements=["C", "W"]), shared_memory=True)

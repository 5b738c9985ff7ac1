"""An engine that runs the layer table as OpenVINO graphs: serving on a CPU, without torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from model.architecture import Architecture, Layer
from model.checkpoint import Checkpoint
from model.engines.interface import Output, Precision, check_pictures
from model.weights import Floats, quantised

Node = Any  # openvino.Node: its Python operators are not typed


class OpenVinoEngine:
    """Runs a checkpoint by OpenVINO, in three graphs.

    One leads from the picture to pool5, one from pool5 to the logits, and one from the picture to the activations
    before the last convolution. That one runs only when such activations are wanted, because to lay them out by
    channels takes a third of the time. It is a graph of its own so that no answer depends on what else is wanted.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: Precision = "auto", threads: int = 0) -> None:
        checkpoint = checkpoint.folded()
        self.architecture = checkpoint.architecture
        core = ov.Core()
        if precision == "auto":
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        settings["ENABLE_CPU_PINNING"] = False  # the decoders share the cores: let the system move our threads
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        names, last = self.architecture.activation_names, self.architecture.last_convolution
        self._early_names = frozenset(names[: names.index(last)])
        self._late = _Compiled(core, _convolutions(checkpoint, (last, "pool5")), settings)
        self._early = _Compiled(core, _convolutions(checkpoint, self._early_names), settings)
        if quantised(checkpoint.weights, "fc6.weight") is not None:
            # In f32 OpenVINO multiplies by int8 weights; in bf16 it makes floats of them at each run, twice as slow.
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        self._linear = _Compiled(core, _linear(checkpoint), settings)
        self._lock = Lock()
        self.name = f"openvino-cpu-{precision}"

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


class _Compiled:
    """A compiled graph. A call returns the outputs by name, in buffers that the next call overwrites."""

    def __init__(self, core: ov.Core, graph: ov.Model, settings: Mapping[str, Any]) -> None:
        self._names = [port.get_any_name() for port in graph.outputs]
        self._request = core.compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        self._request.infer([inputs])
        return {name: self._request.get_output_tensor(i).data for i, name in enumerate(self._names)}


def _convolutions(checkpoint: Checkpoint, maps: Collection[str]) -> ov.Model:
    """Return the graph from (N, S, S, 3) uint8 pictures to the activations ``maps``, without what they do not need."""
    architecture = checkpoint.architecture
    side = architecture.input_size
    picture = ops.parameter([-1, side, side, 3], np.uint8, name="picture")
    x: Node = ops.convert(ops.transpose(picture, np.array([0, 3, 1, 2])), "f32")
    mean = np.array(checkpoint.preprocessing.mean, np.float32).reshape(1, 3, 1, 1)
    x = ops.multiply(ops.subtract(x, mean), np.float32(checkpoint.preprocessing.scale))
    rows = [row for row in architecture.layers if row.operation != "linear"]
    return _model(picture, x, rows, checkpoint, maps)


def _linear(checkpoint: Checkpoint) -> ov.Model:
    """Return the graph from the (N, C, H, W) activations of pool5 to those of fc6, fc7 and fc8."""
    rows = [row for row in checkpoint.architecture.layers if row.operation == "linear"]
    pool5 = ops.parameter([-1, *rows[0].inputs], np.float32, name="pool5")
    return _model(pool5, pool5, rows, checkpoint, [row.name for row in rows])


def _model(
    parameter: Node, x: Node, rows: Sequence[Layer], checkpoint: Checkpoint, wanted: Collection[str]
) -> ov.Model:
    """Return the graph of ``rows`` from ``x``, which ``parameter`` leads to, with an output for each wanted row."""
    outputs: list[Node] = []
    for row in rows:
        x = _step(row, x, checkpoint.architecture, checkpoint.weights)
        if row.name in wanted:
            result = ops.result(x)
            result.output(0).get_tensor().set_names({row.name})
            outputs.append(result)
    return ov.Model(outputs, [parameter], "alexnet")


def _step(row: Layer, x: Node, architecture: Architecture, weights: Mapping[str, Floats]) -> Node:
    if row.operation == "pool":
        x = ops.max_pool(x, [row.stride] * 2, [1, 1], [0, 0], [0, 0], [row.kernel] * 2).output(0)
    elif row.operation == "lrn":
        norm = architecture.lrn
        assert norm is not None
        # OpenVINO divides alpha by the size of the window, the paper does not.
        x = ops.lrn(x, np.array([1]), norm.alpha * norm.size, norm.beta, norm.k, norm.size)
    elif row.operation == "conv":
        x = ops.add(_convolve(row, x, weights[f"{row.name}.weight"]), _column(weights[f"{row.name}.bias"]))
    else:
        x = ops.add(_multiply(x, weights, f"{row.name}.weight"), _constant(weights[f"{row.name}.bias"]))
    activation = {"relu": ops.relu, "tanh": ops.tanh, "sigmoid": ops.sigmoid, None: lambda same: same}[row.activation]
    return activation(x)


def _convolve(row: Layer, x: Node, weight: Floats) -> Node:
    pads, strides = [row.padding] * 2, [row.stride] * 2
    if row.groups == 1:
        return ops.convolution(x, _constant(weight), strides, pads, pads, [1, 1])
    grouped = weight.reshape(row.groups, -1, *weight.shape[1:])
    return ops.group_convolution(x, _constant(grouped), strides, pads, pads, [1, 1])


def _multiply(x: Node, weights: Mapping[str, Floats], name: str) -> Node:
    """Return (N, rows) products with a weight. int8 weights stay int8: a quarter of the memory, and of the time."""
    x = ops.reshape(x, np.array([0, -1]), special_zero=True)
    weight = quantised(weights, name)
    if weight is None:
        return ops.matmul(x, _constant(weights[name]), False, True)
    dense = ops.multiply(ops.convert(_constant(weight.codes), "f32"), _constant(weight.scale[:, None]))
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

"""The layer table as an OpenVINO graph: serving on a CPU, with no torch."""

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
from model.engines import Output, Precision, check_pictures
from model.weights import Floats, quantised

Node = Any  # openvino.Node: its Python operators are not typed


class OpenVinoEngine:
    """Three graphs: a picture to pool5, pool5 to the logits, and a picture to the maps before conv5.

    The last runs only when such maps are asked for: to lay them out by channels takes a third of the time, and no
    answer shall depend on who else asks for what.
    """

    def __init__(self, checkpoint: Checkpoint, *, precision: Precision = "auto", threads: int = 0) -> None:
        checkpoint = checkpoint.folded()
        self.architecture = checkpoint.architecture
        core = ov.Core()
        if precision == "auto":
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        settings["ENABLE_CPU_PINNING"] = False  # others work on the same cores: let the system move our threads
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        names, last = self.architecture.activation_names, self.architecture.last_convolution
        self._early_names = frozenset(names[: names.index(last)])
        self._late = _Compiled(core, _convolutions(checkpoint, (last, "pool5")), settings)
        self._early = _Compiled(core, _convolutions(checkpoint, self._early_names), settings)
        if quantised(checkpoint.weights, "fc6.weight") is not None:
            # With f32 they stay whole numbers; in bf16 each run makes floats of them first, twice as slow.
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        self._linear = _Compiled(core, _linear(checkpoint), settings)
        self._lock = Lock()
        self.name = f"openvino-cpu-{precision}"

    def run(self, pictures: NDArray[np.uint8], *, maps: Sequence[str] = ()) -> Output:
        """See :class:`model.engines.Engine`."""
        check_pictures(pictures, self.architecture.input_size)
        pictures = np.ascontiguousarray(pictures)
        with self._lock:
            seen = self._late(pictures)
            seen |= self._linear(seen["pool5"])
            if not self._early_names.isdisjoint(maps):
                seen |= self._early(pictures)
            return Output(seen["fc8"].copy(), {name: seen[name].copy() for name in maps})


class _Compiled:
    """A graph ready to run, one run at a time: name -> its own buffer, which the next run overwrites."""

    def __init__(self, core: ov.Core, graph: ov.Model, settings: Mapping[str, Any]) -> None:
        self._names = [port.get_any_name() for port in graph.outputs]
        self._request = core.compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, given: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        self._request.infer([given])
        return {name: self._request.get_output_tensor(i).data for i, name in enumerate(self._names)}


def _convolutions(checkpoint: Checkpoint, maps: Collection[str]) -> ov.Model:
    """(N, S, S, 3) uint8 -> ``maps``, and nothing that they do not need."""
    architecture = checkpoint.architecture
    side = architecture.input_size
    picture = ops.parameter([-1, side, side, 3], np.uint8, name="picture")
    x: Node = ops.convert(ops.transpose(picture, np.array([0, 3, 1, 2])), "f32")
    mean = np.array(checkpoint.preprocessing.mean, np.float32).reshape(1, 3, 1, 1)
    x = ops.multiply(ops.subtract(x, mean), np.float32(checkpoint.preprocessing.scale))
    rows = [row for row in architecture.layers if row.operation != "linear"]
    return _model(picture, x, rows, checkpoint, maps)


def _linear(checkpoint: Checkpoint) -> ov.Model:
    """(N, 256, 6, 6) of pool5 -> fc6, fc7 and the logits, fc8."""
    rows = [row for row in checkpoint.architecture.layers if row.operation == "linear"]
    pool5 = ops.parameter([-1, *rows[0].inputs], np.float32, name="pool5")
    return _model(pool5, pool5, rows, checkpoint, [row.name for row in rows])


def _model(given: Node, x: Node, rows: Sequence[Layer], checkpoint: Checkpoint, wanted: Collection[str]) -> ov.Model:
    outputs: list[Node] = []
    for row in rows:
        x = _step(row, x, checkpoint.architecture, checkpoint.weights)
        if row.name in wanted:
            result = ops.result(x)
            result.output(0).get_tensor().set_names({row.name})
            outputs.append(result)
    return ov.Model(outputs, [given], "alexnet")


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
    """(N, rows). Whole numbers stay whole numbers: a quarter of the memory, and of the time that one picture takes."""
    x = ops.reshape(x, np.array([0, -1]), special_zero=True)
    whole = quantised(weights, name)
    if whole is None:
        return ops.matmul(x, _constant(weights[name]), False, True)
    dense = ops.multiply(ops.convert(_constant(whole.codes), "f32"), _constant(whole.scale[:, None]))
    # For a single row there is another routine that adds in another order, and a picture alone would not get the same
    # answer as in a batch: the first row goes in twice.
    first = ops.slice(x, *(np.array([bound]) for bound in (0, 1, 1, 0)))
    product = ops.matmul(ops.concat([x, first], 0), dense, False, True)
    return ops.slice(product, *(np.array([bound]) for bound in (0, -1, 1, 0)))


def _column(bias: Floats) -> Node:
    return _constant(bias.reshape(1, -1, 1, 1))


def _constant(array: NDArray[Any]) -> Node:
    """Reads the array itself, and keeps it alive: a copy of fc6 took seconds and a gigabyte."""
    return ops.constant(np.require(array, requirements=["C", "W"]), shared_memory=True)

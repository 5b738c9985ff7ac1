"""The network's own code on small numbers: one row of the layer table at a time.

Nothing is computed here. Whatever a cell claims is put to ``AlexNet.step``, ``PaperSGD`` and the trainer's commands,
which are what learns and what answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.architecture import Activation, Architecture, Layer, LocalResponseNorm
from model.engines.alexnet import AlexNet, local_response_norm
from training.data import PictureSet
from training.trainer.optim import PaperSGD

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "static" / "learn" / "cases.json"
"""The worked examples of the page ``/learn``, which checks itself against the same file."""

Array = NDArray[Any]

with torch.device("meta"):  # its steps, without 240 MB of weights
    NETWORK = AlexNet(Architecture(dropout_at_test=True)).eval()


def case(operation: str, name: str) -> tuple[dict[str, Any], Any]:
    """What goes into one worked example of ``/learn``, and what has to come out. Raises KeyError."""
    for one in json.loads(CASES.read_text("utf-8"))[operation]:
        if one["name"] == name:
            return one["input"], one["expected"]
    raise KeyError(f"/learn has no case {name!r} of {operation}")


def correlate_planes(x: Any, w: Any, *, bias: float = 0, padding: Any = 0, stride: Any = 1) -> Array:
    """(C, H, W) planes and one (C, h, w) kernel to the map (H', W') that a layer of the network makes of them."""
    kernel = _tensor([w])
    layer = nn.Conv2d(kernel.shape[1], 1, (1, 1), stride, padding)
    layer.weight, layer.bias = nn.Parameter(kernel), nn.Parameter(_tensor([bias]))
    NETWORK.add_module("row", layer)
    return np.asarray(_array(_step(x, operation="conv"))[0])


def correlate2d(x: Any, w: Any, *, padding: Any = 0, stride: Any = 1) -> Array:
    """The same with a single plane: (H, W) and (h, w)."""
    return correlate_planes([x], [w], padding=padding, stride=stride)


def correlate(x: Sequence[float], w: Sequence[float], *, padding: int = 0, stride: int = 1) -> list[float]:
    """The same in one dimension."""
    return list(map(float, correlate2d([x], [w], padding=(0, padding), stride=(1, stride))[0]))


def pool(x: Any, *, size: int, stride: int) -> Array:
    """(H, W) to the largest number of each window, by the network's max-pooling."""
    return _array(_step([x], kernel=size, stride=stride)[0])


def activate(x: Any, activation: Activation) -> Array:
    """(H, W) or (N,) numbers through one of the network's activation functions."""
    return _array(_step(np.atleast_2d(x)[None], activation=activation)).reshape(np.shape(x))


def slope(x: Any, activation: Activation) -> Array:
    """(N,) slopes of an activation function, as they reach the weights while the network learns."""
    points = _tensor([[x]]).requires_grad_()
    _step(points, activation=activation).sum().backward()
    assert points.grad is not None
    return np.asarray(_array(points.grad)[0, 0])


def normalise(a: Any, **constants: Any) -> Array:
    """(C,) answers of all channels at one place through the network's local response normalisation."""
    return _array(local_response_norm(_tensor(a)[None, :, None, None], LocalResponseNorm(**constants))).ravel()


def drop(a: Any, rate: float, *, training: bool, seed: int = 0) -> Array:
    """(N,) answers through the network's dropout: while it learns, or when it is used."""
    torch.manual_seed(seed)
    NETWORK.train(training)
    return np.asarray(_array(_step([[a]], dropout=rate))[0, 0])


def descend(
    w: Sequence[float], curvature: Sequence[float], centre: Sequence[float], *, rate: float, momentum: float,
    decay: float, steps: int,
) -> Array:  # fmt: skip
    """(steps + 1, 2) places that the trainer's ``PaperSGD`` passes in the bowl ½ Σ curvature (w − centre)²."""
    weight = nn.Parameter(_tensor(w))
    optimiser = PaperSGD([{"params": [weight], "weight_decay": decay}], lr=rate, momentum=momentum)
    places = [_array(weight).copy()]
    for _ in range(steps):
        weight.grad = _tensor(curvature) * (weight.detach() - _tensor(centre))
        optimiser.step()
        places.append(_array(weight).copy())
    return np.array(places)


def evenly(whole: PictureSet, most: int) -> PictureSet:
    """At most so many of its pictures, from all over the set, so that no class is left out."""
    return whole.subset(np.unique(np.linspace(0, len(whole.pictures) - 1, most).astype(int)))


def right_by_colour(train: PictureSet, held_out: PictureSet, most: int = 3000) -> float:
    """The share that is right when the class with the nearest mean colour is said: what needs no network at all."""
    known, new = evenly(train, most), evenly(held_out, most)
    colours, asked = (one.sample(most).mean((1, 2)) for one in (known, new))
    classes = np.unique(known.targets)
    means = np.stack([colours[known.targets == number].mean(0) for number in classes])
    nearest = ((asked[:, None] - means) ** 2).sum(-1).argmin(1)
    return float((classes[nearest] == new.targets).mean())


def command(*words: object) -> None:
    """``python -m training …`` as in a terminal. Shows what it says of each step, without this machine's speed.

    Raises RuntimeError with the command's own words where it fails.
    """
    said = [sys.executable, "-m", "training", *map(str, words)]
    lines = []
    plain = {name: value for name, value in os.environ.items() if "COLOR" not in name}  # Jupyter asks for colours
    with subprocess.Popen(
        said, cwd=ROOT, env=plain, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "loss" in line:
                print(line.rpartition("  ")[0], flush=True)
    if process.returncode:
        raise RuntimeError("".join(lines))


def _step(x: Any, **of_row: Any) -> Tensor:
    """``AlexNet.step`` on (C, H, W): what one row of a layer table makes of ``x``."""
    row = Layer(**{"name": "row", "operation": "pool", "inputs": (), "shape": (), **of_row})
    return NETWORK.step(row, _tensor(x)[None])[0]


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else torch.tensor(np.array(x, float))


def _array(x: Tensor) -> Array:
    return np.asarray(x.detach().numpy())

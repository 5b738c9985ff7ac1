"""Fewer weights in the linear layers: those that matter least become zero, and those left make up for them.

The optimal brain surgeon, layer by layer (Hassibi & Stork, NeurIPS 1992; input by input as Frantar & Alistarh, ICML
2023): what changes a layer's sums over real pictures least is removed, what stays is rounded to the sixteen values that
the small form has for its row, and the weights of the row that come after, the bias last, move so that the sums stay as
near as they can. Before that, each layer is fitted anew to what the thinned layers before it give, so that their errors
do not add up. In closed form: nothing is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from model.checkpoint import Checkpoint
from model.compress import levels
from model.engines import Engine
from model.preprocess import prepare
from training.data import PictureSet

KEEP: Mapping[str, float] = {"fc6": 0.15, "fc7": 0.25, "fc8": 0.6}
"""Which share of each layer's weights stays."""
PICTURES = 60_000
"""Several times as many as fc6 has inputs, to know how these go together."""
_BATCH = 1024
_COLUMNS = 128
_ROWS = 96
_DAMPING = 0.01
Settle = Callable[[int, Tensor, Tensor], Tensor]
"""(input, (rows,) its weights, its pivot) -> (rows,) the weights that stay."""
_ACTIVATIONS: Mapping[str | None, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, None: torch.clone,
}  # fmt: skip


def inputs(engine: Engine, sets: Sequence[PictureSet], most: int = PICTURES) -> NDArray[np.float16]:
    """(N, 9216) what fc6 is given by ``most`` pictures, each set by its size. Raises DataError."""
    share = min(1.0, most / sum(len(one.pictures) for one in sets))
    samples = [one.sample(max(1, round(share * len(one.pictures)))) for one in sets]
    return np.concatenate([_before(engine, pixels[start : start + 32])
                           for pixels in samples for start in range(0, len(pixels), 32)])  # fmt: skip


def prune(network: Checkpoint, given: NDArray[np.float16], keep: Mapping[str, float] = KEEP) -> Checkpoint:
    """The folded network with a share ``keep`` of the weights of each linear layer, fitted to what fc6 is ``given``.

    Raises ValueError for a share that is not above 0 and at most 1.
    """
    network = network.folded()
    weights = dict(network.weights)
    was = now = torch.from_numpy(given)  # what a layer was given before the ones in front of it were thinned, and now
    for name, share in keep.items():
        if not 0 < share <= 1:
            raise ValueError(f"{name} keeps a share above 0 and at most 1 of its weights, not {share}.")
        layer = thin = _matrix(network, name)
        if share < 1:
            products = _products(now, now)
            inverse = _inverse(products)
            fitted = layer if was is now else layer + layer @ (_products(was, now) - products) @ inverse
            thin = _thinned(fitted, inverse, share)
            weights[f"{name}.weight"], weights[f"{name}.bias"] = thin[:, :-1].numpy().copy(), thin[:, -1].numpy().copy()
        bend = _ACTIVATIONS[network.architecture.layer(name).activation]
        was, now = _through(was, layer, bend), _through(now, thin, bend)
    return replace(network, weights=weights)


def _before(engine: Engine, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
    seen = np.stack([prepare(Image.fromarray(pixels), engine.architecture.input_size)[0] for pixels in pictures])
    return engine.run(seen, maps=("pool5",)).maps["pool5"].reshape(len(seen), -1).astype(np.float16)


def _matrix(network: Checkpoint, name: str) -> Tensor:
    """(rows, inputs + 1): a linear layer whose inputs end in a 1 for its bias."""
    weight, bias = (torch.from_numpy(np.array(network.weights[f"{name}.{part}"])) for part in ("weight", "bias"))
    return torch.cat([weight, bias[:, None]], 1)


def _with_one(x: Tensor) -> Tensor:
    return torch.cat([x.float(), torch.ones(len(x), 1)], 1)


def _through(x: Tensor, layer: Tensor, bend: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.cat([bend(_with_one(part) @ layer.T) for part in x.split(_BATCH)])


def _products(one: Tensor, other: Tensor) -> Tensor:
    """(inputs + 1, inputs + 1): how the inputs of two layers go together, in the mean over the pictures."""
    total = torch.zeros(one.shape[1] + 1, other.shape[1] + 1)
    for a, b in zip(one.split(_BATCH), other.split(_BATCH), strict=True):
        total.addmm_(_with_one(a).T, _with_one(b))
    return total / len(one)


def _inverse(products: Tensor) -> Tensor:
    damping = _DAMPING * products.diagonal().mean()
    return torch.cholesky_inverse(torch.linalg.cholesky(products + damping * torch.eye(len(products))))


def _thinned(layer: Tensor, inverse: Tensor, share: float) -> Tensor:
    """A share of the weights, each with one of the values that the small form can store."""
    factor = torch.linalg.cholesky(inverse, upper=True)  # row i: what changing input i asks of those after it
    thin = _surgery(layer, factor, _cheap(_threshold(layer, factor, share)))[:, :-1]
    kept, values = thin != 0, torch.from_numpy(levels(thin.numpy()))

    def nearest(at: int, column: Tensor, _: Tensor) -> Tensor:
        chosen = (column[:, None] - values).abs().argmin(1, keepdim=True)
        return values.gather(1, chosen)[:, 0] * kept[:, at]

    return _surgery(layer, factor, nearest)


def _threshold(layer: Tensor, factor: Tensor, share: float) -> float:
    """Rows do not depend on each other, so some of them tell what a weight must be worth to be in that share."""
    some = layer[:: max(1, len(layer) // _ROWS)]
    low, high = 1e-12, float((layer[:, :-1] ** 2).max() / factor.diagonal().min() ** 2)
    for _ in range(16):
        middle = (low * high) ** 0.5
        kept = (_surgery(some, factor, _cheap(middle))[:, :-1] != 0).float().mean().item()
        low, high = (middle, high) if kept > share else (low, middle)
    return high


def _cheap(least: float) -> Settle:
    """Weights whose removal would cost under ``least`` become zero."""
    return lambda _, column, pivot: torch.where((column / pivot) ** 2 >= least, column, torch.zeros_like(column))


def _surgery(layer: Tensor, factor: Tensor, settle: Settle) -> Tensor:
    """Settle the weights of one input after the other; those of later ones and the bias make up for the change."""
    left, columns = layer.clone(), layer.shape[1] - 1
    for start in range(0, columns, _COLUMNS):
        end = min(start + _COLUMNS, columns)
        block, owed = left[:, start:end], torch.empty(len(left), end - start)
        for at in range(end - start):
            row = factor[start + at, start + at : end]
            settled = settle(start + at, block[:, at], row[0])
            owed[:, at] = (block[:, at] - settled) / row[0]
            block[:, at + 1 :] -= owed[:, at, None] * row[1:]
            block[:, at] = settled
        left[:, end:] -= owed @ factor[start:end, end:]
    return left

"""Prunes the linear layers: the weights that matter least become zero, and those that stay make up for them.

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
from torch import Tensor

from model.checkpoint import Checkpoint
from model.compress import levels
from model.engines import Engine, create_engine
from model.preprocess import prepare_all
from training import data
from training.data import PictureSet

KEEP: Mapping[str, float] = {"fc6": 0.15, "fc7": 0.25, "fc8": 0.6}
"""Layer -> the share of its weights that stays."""
PICTURES = 60_000
"""Pictures whose activations are used: several times as many as fc6 has inputs, to know how these correlate."""
_BATCH = 1024
_COLUMNS = 128
_ROWS = 96
_DAMPING = 0.01
Settle = Callable[[int, Tensor, Tensor], Tensor]
"""(input, (rows,) its weights, its pivot) -> (rows,) the weights that stay."""
_ACTIVATIONS: Mapping[str | None, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    None: torch.clone,
}


def prune_for_sets(network: Checkpoint, specs: Sequence[str]) -> Checkpoint:
    """The network without the weights that the training pictures of ``specs`` ([NAME=]PATH) can do without.

    With fewer pictures than fc6 has inputs nothing is pruned, and a line says so; neither is a network that already is.
    Raises DataError.
    """
    if all(np.count_nonzero(network.weights[f"{name}.weight"]) <= _most(network, name) for name in KEEP):
        return network
    sets = [data.load_for(network.vocabularies, spec, "train", cache="none") for spec in specs]
    needed = network.architecture.layer("fc6").weight_shape[1]
    available = sum(len(pictures.pictures) for pictures in sets)
    if available < needed:
        print(
            f"All weights stay: to tell which can go takes {needed:,} training pictures, and these are {available:,}."
        )
        return network
    return prune(network, fc6_inputs(create_engine(network), sets))


def _most(network: Checkpoint, name: str) -> float:
    """Weights of a layer that pruning leaves; a few more, for a share is of each block of rows."""
    return 1.05 * KEEP[name] * network.weights[f"{name}.weight"].size


def fc6_inputs(engine: Engine, sets: Sequence[PictureSet]) -> NDArray[np.float16]:
    """(N, 9216) inputs of fc6 for at most about ``PICTURES`` pictures, of each set in proportion to its size.

    Raises DataError.
    """
    share = min(1.0, PICTURES / sum(len(pictures.pictures) for pictures in sets))
    batches = []
    for pictures in sets:
        pixels = pictures.sample(max(1, round(share * len(pictures.pictures))))
        batches += [_pool5(engine, pixels[start : start + 32]) for start in range(0, len(pixels), 32)]
    return np.concatenate(batches)


def prune(network: Checkpoint, inputs: NDArray[np.float16], keep: Mapping[str, float] = KEEP) -> Checkpoint:
    """The folded network with a share ``keep`` of the weights of each linear layer, fitted to (N, …) inputs of fc6.

    Raises ValueError for a share that is not above 0 and at most 1.
    """
    network = network.folded()
    weights = dict(network.weights)
    # The inputs of a layer in the whole network, and in the one whose layers before it are pruned.
    whole_inputs = pruned_inputs = torch.from_numpy(inputs)
    for name, share in keep.items():
        if not 0 < share <= 1:
            raise ValueError(f"{name} keeps a share above 0 and at most 1 of its weights, not {share}.")
        layer = pruned = _matrix(network, name)
        if share < 1:
            pruned = _pruned_layer(layer, whole_inputs, pruned_inputs, share)
            weights[f"{name}.weight"] = pruned[:, :-1].numpy().copy()
            weights[f"{name}.bias"] = pruned[:, -1].numpy().copy()
        activation = _ACTIVATIONS[network.architecture.layer(name).activation]
        whole_inputs, pruned_inputs = (
            _outputs(whole_inputs, layer, activation),
            _outputs(pruned_inputs, pruned, activation),
        )
    return replace(network, weights=weights)


def _pruned_layer(layer: Tensor, whole_inputs: Tensor, pruned_inputs: Tensor, share: float) -> Tensor:
    """(rows, inputs + 1): the layer fitted anew to the inputs that the pruned layers before it give, then pruned."""
    products = _products(pruned_inputs, pruned_inputs)
    inverse = _inverse(products)
    fitted = layer
    if whole_inputs is not pruned_inputs:
        fitted = layer + layer @ (_products(whole_inputs, pruned_inputs) - products) @ inverse
    return _thinned(fitted, inverse, share)


def _pool5(engine: Engine, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
    """(n, 9216) activations of pool5 for (n, H, W, 3) pictures."""
    inputs_NHWC = prepare_all(pictures, engine.architecture)
    return engine.run(inputs_NHWC, maps=("pool5",)).maps["pool5"].reshape(len(pictures), -1).astype(np.float16)


def _matrix(network: Checkpoint, name: str) -> Tensor:
    """(rows, inputs + 1): a linear layer whose inputs end in a 1 for its bias."""
    weight = torch.from_numpy(np.array(network.weights[f"{name}.weight"]))
    bias = torch.from_numpy(np.array(network.weights[f"{name}.bias"]))
    return torch.cat([weight, bias[:, None]], 1)


def _with_one(x: Tensor) -> Tensor:
    return torch.cat([x.float(), torch.ones(len(x), 1)], 1)


def _outputs(x: Tensor, layer: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.cat([activation(_with_one(part) @ layer.T) for part in x.split(_BATCH)])


def _products(one: Tensor, other: Tensor) -> Tensor:
    """(inputs + 1, inputs + 1): products of the inputs of two layers, in the mean over the pictures."""
    total = torch.zeros(one.shape[1] + 1, other.shape[1] + 1)
    for a, b in zip(one.split(_BATCH), other.split(_BATCH), strict=True):
        total.addmm_(_with_one(a).T, _with_one(b))
    return total / len(one)


def _inverse(products: Tensor) -> Tensor:
    damping = _DAMPING * products.diagonal().mean()
    return torch.cholesky_inverse(torch.linalg.cholesky(products + damping * torch.eye(len(products))))


def _thinned(layer: Tensor, inverse: Tensor, share: float) -> Tensor:
    """The layer with a share of its weights, each with one of the values that the small form can store."""
    factor = torch.linalg.cholesky(inverse, upper=True)  # row i: how weights after input i make up for its change
    sparse = _surgery(layer, factor, _drop_cheap(_threshold(layer, factor, share)))[:, :-1]
    kept = sparse != 0
    values = torch.from_numpy(levels(sparse.numpy()))

    def nearest(index: int, column: Tensor, _: Tensor) -> Tensor:
        chosen = (column[:, None] - values).abs().argmin(1, keepdim=True)
        return values.gather(1, chosen)[:, 0] * kept[:, index]

    return _surgery(layer, factor, nearest)


def _threshold(layer: Tensor, factor: Tensor, share: float) -> float:
    """The cost of removal from which on a share of the weights stays, by bisection.

    Rows do not depend on each other, so some of them are enough to find it.
    """
    some = layer[:: max(1, len(layer) // _ROWS)]
    low = 1e-12
    high = float((layer[:, :-1] ** 2).max() / factor.diagonal().min() ** 2)
    for _ in range(16):
        middle = (low * high) ** 0.5
        kept = (_surgery(some, factor, _drop_cheap(middle))[:, :-1] != 0).float().mean().item()
        low, high = (middle, high) if kept > share else (low, middle)
    return high


def _drop_cheap(least: float) -> Settle:
    """A function that sets weights to zero whose removal would cost under ``least``."""
    return lambda _, column, pivot: torch.where((column / pivot) ** 2 >= least, column, torch.zeros_like(column))


def _surgery(layer: Tensor, factor: Tensor, settle: Settle) -> Tensor:
    """Settle the weights of one input after the other; those of later ones and the bias make up for the change."""
    result = layer.clone()
    columns = layer.shape[1] - 1
    for start in range(0, columns, _COLUMNS):
        end = min(start + _COLUMNS, columns)
        block = result[:, start:end]
        errors = torch.empty(len(result), end - start)
        for at in range(end - start):
            row = factor[start + at, start + at : end]
            settled = settle(start + at, block[:, at], row[0])
            errors[:, at] = (block[:, at] - settled) / row[0]
            block[:, at + 1 :] -= errors[:, at, None] * row[1:]
            block[:, at] = settled
        result[:, end:] -= errors @ factor[start:end, end:]
    return result

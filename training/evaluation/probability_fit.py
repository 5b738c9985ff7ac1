"""Temperatures, biases, gates and Platt scaling that make probabilities hold, fitted on held-out pictures.

Temperature: Guo et al., ICML 2017; with a bias for each label: Alexandari et al., ICML 2020. The energy of a picture as
a sign that it is foreign: Liu et al., NeurIPS 2020;
its highest logit: Hendrycks et al., ICML 2022. Slope and shift of a logit: Platt, 1999.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from model.vocabulary import Vocabulary

_RIDGES = (0.5, 1.0, 3.0, 10.0, 30.0)
_FOLDS = 5  # two would fit to half of the pictures, which bear smaller biases than all of them
Floats = NDArray[np.float32]


def minimise(loss: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """The vector at which a smooth function is least, by L-BFGS from ``start``; float64."""
    x = start.double().requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=300, line_search_fn="strong_wolfe", tolerance_grad=1e-7)

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimiser.step(closure)
    return x.detach()


def fit_temperature(logits: Floats, targets: NDArray[Any], vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary with a temperature and a bias for each label; five-fold cross-validation chooses the ridge.

    ``logits`` (N, labels); ``targets`` (N,) class numbers or (N, labels) shares. Each class weighs the same, however
    many of the pictures are of it: a label is no more probable of a photo because its set has more of it.
    """
    z = torch.from_numpy(logits).double()
    t = torch.from_numpy(np.asarray(targets))
    weight = _class_weights(t)
    fold = torch.arange(len(z)) % _FOLDS

    def cross_validated(ridge: float) -> float:
        left_out = [fold == number for number in range(_FOLDS)]
        fits = ((part, _fit_ridge(z[~part], t[~part], weight[~part], ridge)) for part in left_out)
        return sum(float(_loss(x, z[part], t[part], weight[part])) for part, x in fits)

    x = _fit_ridge(z, t, weight, min(_RIDGES, key=cross_validated))
    bias = tuple(round(float(b), 4) for b in x[1:])
    return replace(vocabulary, temperature=round(float(x[0].exp()), 4), bias=bias, calibrated=True)


def _class_weights(t: Tensor) -> Tensor:
    """(N,): one over the number of pictures of each picture's class; 1 for shares."""
    return 1 / t.bincount()[t].double() if t.dtype == torch.int64 else torch.ones(len(t)).double()


def _fit_ridge(z: Tensor, t: Tensor, weight: Tensor, ridge: float) -> Tensor:
    """(1 + labels,): the logarithm of the temperature, then the biases."""
    start = torch.zeros(1 + z.shape[1])
    return minimise(lambda x: _loss(x, z, t, weight) + ridge * (x[1:] ** 2).sum() / len(z), start)


def _loss(x: Tensor, z: Tensor, t: Tensor, weight: Tensor) -> Tensor:
    scaled = z / x[0].exp() + x[1:]
    if t.dtype == torch.int64:
        losses = F.cross_entropy(scaled, t, reduction="none")
    else:
        losses = F.binary_cross_entropy_with_logits(scaled, t.double(), reduction="none").sum(1)
    return (weight * losses).sum() / weight.sum()


def fit_logistic(
    yes: Sequence[Floats], no: Sequence[Floats], names: Sequence[str], ridge: float = 1e-4
) -> dict[str, float]:
    """Weights of ``names``, and ``constant``, of a logistic regression that tells ``yes`` from ``no``.

    Both are sets of (N, names) values. All sets of one side together weigh as much as all of the other, each alike;
    ``ridge`` weighs the squares of the weights.
    """
    sides = [(one_set, len(side), float(side is yes)) for side in (yes, no) for one_set in side]
    x = torch.from_numpy(np.concatenate([one_set for one_set, _, _ in sides])).double()
    weight = torch.cat([torch.full((len(one_set),), 1 / number / len(one_set)) for one_set, number, _ in sides])
    answer = torch.cat([torch.full((len(one_set),), is_yes) for one_set, _, is_yes in sides]).double()
    mean = x.mean(0)
    spread = x.std(0, correction=0).clamp(min=1e-6)

    def loss(w: Tensor) -> Tensor:
        losses = F.binary_cross_entropy_with_logits((x - mean) / spread @ w[:-1] + w[-1], answer, reduction="none")
        return (weight * losses).sum() + ridge * (w**2).sum()

    w = minimise(loss, torch.zeros(len(names) + 1))
    slopes = w[:-1] / spread
    constant = w[-1] - (slopes * mean).sum()
    return {name: round(float(v), 4) for name, v in zip((*names, "constant"), (*slopes, constant), strict=True)}


def fit_kinship(posterior: Floats, correct: NDArray[np.bool_], ancestors: NDArray[np.bool_]) -> float:
    """How often an ancestor holds of pictures that show no label, by how probable it would be if they showed one.

    ``posterior`` and ``correct`` are (N, nodes), ``ancestors`` (nodes,) says which nodes are not labels.
    """
    weight = np.asarray(posterior[:, ancestors], np.float64) ** 2  # claims are made of what is probable
    return round(float((weight * correct[:, ancestors]).sum() / max(float(weight.sum()), 1e-9)), 4)


def fit_platt(probability: NDArray[np.floating], happened: NDArray[Any]) -> tuple[float, float]:
    """Platt scaling: slope and shift of the logit at which (N,) probabilities fit the (N,) events best."""
    p = torch.from_numpy(np.clip(probability, 1e-6, 1 - 1e-6)).double()
    logit = torch.log(p / (1 - p))
    events = torch.from_numpy(happened).double()
    x = minimise(lambda w: F.binary_cross_entropy_with_logits(w[0] * logit + w[1], events), torch.tensor([1.0, 0.0]))
    return round(float(x[0]), 4), round(float(x[1]), 4)

"""How logits become probabilities that hold: temperatures, biases, gates and lines, fitted on held-out pictures.

Temperature: Guo et al., ICML 2017; with a bias for each label: Alexandari et al., ICML 2020. The energy of a picture as
a sign that it is foreign: Liu et al., NeurIPS 2020.
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
    """Where a smooth function of a vector is least, by L-BFGS; float64."""
    x = start.double().requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=300, line_search_fn="strong_wolfe", tolerance_grad=1e-7)

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimiser.step(closure)
    return x.detach()


def fit_scale(logits: Floats, targets: NDArray[Any], vocabulary: Vocabulary) -> Vocabulary:
    """Temperature, and a bias for each label; how far biases may go is chosen by cross-validation."""
    z, t = torch.from_numpy(logits).double(), torch.from_numpy(np.asarray(targets))
    fold = torch.arange(len(z)) % _FOLDS

    def tried(ridge: float) -> float:
        left_out = [fold == number for number in range(_FOLDS)]
        return sum(float(_loss(_fit(z[~part], t[~part], ridge), z[part], t[part])) for part in left_out)

    found = _fit(z, t, min(_RIDGES, key=tried))
    bias = tuple(round(float(b), 4) for b in found[1:])
    return replace(vocabulary, temperature=round(float(found[0].exp()), 4), bias=bias, calibrated=True)


def _fit(z: Tensor, t: Tensor, ridge: float) -> Tensor:
    """Logarithm of the temperature, then the biases."""
    return minimise(lambda x: _loss(x, z, t) + ridge * (x[1:] ** 2).sum() / len(z), torch.zeros(1 + z.shape[1]))


def _loss(x: Tensor, z: Tensor, t: Tensor) -> Tensor:
    scaled = z / x[0].exp() + x[1:]
    if t.dtype == torch.int64:
        return F.cross_entropy(scaled, t)
    return F.binary_cross_entropy_with_logits(scaled, t.double(), reduction="none").sum(1).mean()


def fit_gate(inside: Floats, outside: Sequence[Floats], names: Sequence[str]) -> dict[str, float]:
    """Weights of energies (N, vocabularies) that tell pictures inside from those outside; every set weighs alike."""
    sets = [inside, *outside]
    x = torch.from_numpy(np.concatenate(sets)).double()
    weight = torch.cat([torch.full((len(s),), (1.0 if s is inside else 1 / len(outside)) / len(s)) for s in sets])
    is_in = torch.cat([torch.full((len(s),), float(s is inside)) for s in sets]).double()

    def loss(w: Tensor) -> Tensor:
        losses = F.binary_cross_entropy_with_logits(x @ w[:-1] + w[-1], is_in, reduction="none")
        return (weight * losses).sum() + 1e-4 * (w**2).sum()

    found = minimise(loss, torch.zeros(len(names) + 1))
    return {name: round(float(w), 4) for name, w in zip((*names, "constant"), found, strict=True)}


def line(probability: NDArray[np.floating], happened: NDArray[Any]) -> tuple[float, float]:
    """Slope and shift of the logit that make probabilities hold."""
    p = torch.from_numpy(np.clip(probability, 1e-6, 1 - 1e-6)).double()
    x, y = torch.log(p / (1 - p)), torch.from_numpy(happened).double()
    found = minimise(lambda w: F.binary_cross_entropy_with_logits(w[0] * x + w[1], y), torch.tensor([1.0, 0.0]))
    return round(float(found[0]), 4), round(float(found[1]), 4)

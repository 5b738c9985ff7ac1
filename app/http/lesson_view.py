"""What the page of lessons, ``/learn``, says of the network that is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from model.architecture import Architecture
from model.checkpoint import Checkpoint
from model.vocabulary import Vocabulary

_DECIMALS = 4


class Kernel(TypedDict):
    """One kernel of conv1, to be drawn and computed with on the page."""

    number: int
    """Its place among the kernels of conv1, counted from 1."""
    weights: list[list[list[float]]]
    """(3, 11, 11): one square for each colour, rounded."""
    bias: float
    """Added to every sum of the kernel, rounded."""


@dataclass(frozen=True, kw_only=True)
class LessonView:
    """The facts of one network that the template of the lessons shows."""

    served: Architecture
    """The layer table of the network that is served."""
    paper: Architecture
    """The layer table of the paper's network (section 3.5), with its 1000 classes."""
    mean: tuple[float, float, float]
    """Mean of the pixels for red, green and blue; the network reads (pixel - mean) * scale."""
    scale: float
    """Factor of the pixels after the mean is subtracted."""
    kernels: list[Kernel]
    """Kernels of conv1, the one with the clearest stripes first."""
    vocabularies: Sequence[Vocabulary]
    """The questions that the network answers, with their labels."""


def lesson_view(checkpoint: Checkpoint, *, kernels: int = 6) -> LessonView:
    """The facts of a network, with the ``kernels`` kernels of conv1 that show the clearest stripes."""
    folded = checkpoint.folded()
    weights = np.asarray(folded.weights["conv1.weight"], np.float64).round(_DECIMALS)
    biases = np.asarray(folded.weights["conv1.bias"], np.float64).round(_DECIMALS)
    return LessonView(
        served=folded.architecture,
        paper=Architecture(),
        mean=folded.preprocessing.mean,
        scale=folded.preprocessing.scale,
        kernels=[
            Kernel(number=int(row) + 1, weights=weights[row].tolist(), bias=biases[row].item())
            for row in clearest_stripes(weights)[:kernels]
        ],
        vocabularies=folded.vocabularies,
    )


def clearest_stripes(weights: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of (N, C, H, W) kernels, the one with the clearest stripes first.

    How clear stripes are is the largest amplitude in the two-dimensional Fourier transform of a kernel, summed over
    its colours: one wave that stands out from all others.
    """
    amplitudes_NHW = np.abs(np.fft.fft2(weights.sum(1)))
    return np.argsort(-amplitudes_NHW.max((1, 2)), kind="stable")

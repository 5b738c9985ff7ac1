"""Pictures as an ascent changes them: by their Fourier coefficients and in decorrelated colours.

Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017: steps in this basis go in all spatial frequencies
and colours alike, scaled as in photos (amplitude falls as 1/f), where steps on pixels end in noise of high frequency.
N pictures, S side.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.evaluation.microscope.colours import mixing

_START = 0.01  # standard deviation of the coefficients before the first step
_GAIN = 0.25  # weight of the slowest wave before the sigmoid; as in the authors' own program


class Canvas:
    """N pictures of one size; :attr:`coefficients` is what an optimiser changes.

    ``contrast``: the largest root of the mean square of a picture's logits, before the sigmoid.
    """

    def __init__(self, number: int, side: int, generator: torch.Generator, contrast: float) -> None:
        self._side = side
        self._mixing = torch.from_numpy(mixing())
        down, across = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
        frequency = (down**2 + across**2).sqrt().clamp(min=1 / side)
        self._scale = _GAIN / (side * frequency)  # 1 / f
        self._contrast = contrast
        self.coefficients = torch.randn(number, 3, *frequency.shape, 2, generator=generator) * _START
        self.coefficients.requires_grad_()

    def pixels(self) -> Tensor:
        """The pictures (N, 3, S, S), from 0 to 255."""
        spectrum = torch.view_as_complex(self.coefficients) * self._scale
        waves = torch.fft.irfft2(spectrum, s=(self._side, self._side), norm="forward")
        logits = torch.einsum("nchw,dc->ndhw", waves, self._mixing)
        spread = logits.square().mean((1, 2, 3), keepdim=True).sqrt()
        return 255 * torch.sigmoid(logits * (self._contrast / spread.clamp(min=self._contrast)))

"""The colours of our training pictures: how red, green and blue vary together.

``python -m training.evaluation.microscope.colours D/objects D/scenes D/captions`` prints :data:`COVARIANCE`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training import data

COVARIANCE = ((0.0734, 0.0643, 0.0583), (0.0643, 0.0702, 0.0675), (0.0583, 0.0675, 0.0789))
"""Covariance of red, green and blue, from 0 to 1, over 3,000 training pictures: 1,000 each of Tiny ImageNet-200,
MiniPlaces-100 and Flickr8k."""
_PICTURES = 1000  # of each set


def mixing() -> NDArray[np.float32]:
    """(3, 3) root of :data:`COVARIANCE`: it makes of uncorrelated numbers colours that vary as those of photos do.

    It is scaled so that its largest column has length 1 (Olah et al. 2017, "Feature Visualization", Distill: colours
    are decorrelated, so that the ascent is not drawn to the colours that real pictures hardly have).
    """
    values, vectors = np.linalg.eigh(np.asarray(COVARIANCE, np.float64))
    root = vectors * np.sqrt(values.clip(1e-10))
    return np.asarray(root / np.linalg.norm(root, axis=0).max(), np.float32)


def covariance_of(specs: Sequence[str]) -> NDArray[np.float64]:
    """(3, 3) covariance of the pixels, from 0 to 1, of a sample of the training split of each set. Raises DataError."""
    sets = [data.load(spec, "train", cache="none") for spec in specs]
    moments = [_moments(one_set.sample(_PICTURES)) for one_set in sets]
    mean, square = (np.mean([moment[i] for moment in moments], axis=0) for i in range(2))
    covariance: NDArray[np.float64] = square - np.outer(mean, mean)
    return covariance


def _moments(pictures_NHWC: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (3,) of the pixels, and mean (3, 3) of their outer products; picture by picture, to save memory."""
    pixels = [picture.reshape(-1, 3).astype(np.float64) / 255 for picture in pictures_NHWC]
    return (
        np.mean([one.mean(0) for one in pixels], axis=0),
        np.mean([one.T @ one / len(one) for one in pixels], axis=0),
    )


if __name__ == "__main__":
    print(np.round(covariance_of(sys.argv[1:]), 4).tolist())

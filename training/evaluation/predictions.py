"""What a network answers to held-out pictures, and what is true of them: what calibration is fitted and measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.checkpoint import Checkpoint
from model.engines import Engine
from model.preprocess import prepare
from model.vocabulary import Vocabulary
from training import data
from training.data.sets import parse, read

_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The validation half of one set."""

    vocabulary: Vocabulary
    logits: NDArray[np.float32]
    """(N, K), of all rows of fc8."""
    targets: NDArray[np.float32] | NDArray[np.int64]
    """As in PictureSet."""
    captions: Sequence[Sequence[str]]
    """What people said of each; empty for sets of classes."""
    fitting: NDArray[np.bool_]
    """(N,): whether calibration may be fitted on it; the others are for reporting."""

    def half(self, *, fitting: bool) -> Observed:
        """The pictures to fit on, or those to report on."""
        keep = np.flatnonzero(self.fitting == fitting)
        captions = [self.captions[int(i)] for i in keep] if self.captions else []
        return replace(
            self, logits=self.logits[keep], targets=self.targets[keep], captions=captions, fitting=self.fitting[keep]
        )


def observe(engine: Engine, network: Checkpoint, spec: str) -> Observed:
    """Run the network over the validation half of ``[NAME=]PATH``. Broken pictures are left out. Raises DataError."""
    one = data.load(spec, "validation", data.match(spec, network.vocabularies))
    raw = read(parse(spec)[1], "validation")
    size = network.architecture.input_size
    shown, answers = [], []
    for index, pixels in one.walk(_BATCH):
        seen = np.stack([prepare(Image.fromarray(picture), size)[0] for picture in pixels])
        shown.append(index)
        answers.append(engine.run(seen).logits)
    kept = np.concatenate(shown)
    return Observed(
        vocabulary=one.vocabulary, logits=np.concatenate(answers), targets=one.targets[kept],
        captions=[raw.captions[int(i)] for i in kept] if raw.captions else [],
        fitting=np.array([fitted_on(raw.pictures.read(int(i))) for i in kept]),
    )  # fmt: skip


def fitted_on(picture: bytes) -> bool:
    """Whether a picture file belongs to the fitting half: its SHA-256 is odd. So no list of names is ever needed."""
    return bool(hashlib.sha256(picture).digest()[-1] & 1)

"""A network's logits for held-out pictures beside the truth: what calibration is fitted on, and measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.engines import Engine
from model.preprocess import prepare_all
from model.vocabulary import Vocabulary
from training import data

_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Logits and truth of the validation split of one picture set, or of several of one vocabulary; N pictures."""

    name: str
    """What the set is called, or the vocabulary that several measure."""
    vocabulary: Vocabulary
    logits: NDArray[np.float32]
    """(N, K), of all rows of fc8."""
    targets: NDArray[np.float32] | NDArray[np.int64]
    """(N,) class numbers, or (N, words) shares of people, as in PictureSet."""
    captions: Sequence[Sequence[str]]
    """The captions that people wrote of each picture; empty for sets of classes."""
    fitting: NDArray[np.bool_]
    """(N,): True where calibration may be fitted on the picture; the others are kept for reporting."""
    origin: NDArray[np.str_] | None = None
    """(N,) name of the set that each picture is of, where there are several."""

    def part(self, *, fitting: bool) -> Predictions:
        """The pictures that calibration is fitted on, or those that it is reported on."""
        return self._rows(np.flatnonzero(self.fitting == fitting))

    def apart(self) -> list[Predictions]:
        """Each of several sets for itself, in order; none where there is only one."""
        if self.origin is None:
            return []
        return [
            replace(self._rows(np.flatnonzero(self.origin == name)), name=str(name), origin=None)
            for name in dict.fromkeys(self.origin.tolist())
        ]

    def _rows(self, rows: NDArray[np.int64]) -> Predictions:
        return replace(
            self,
            logits=self.logits[rows],
            targets=self.targets[rows],
            captions=[self.captions[int(row)] for row in rows] if self.captions else [],
            fitting=self.fitting[rows],
            origin=None if self.origin is None else self.origin[rows],
        )


def predict(engine: Engine, network: Checkpoint, spec: str) -> Predictions:
    """Run the network over the validation split of ``[NAME=]PATH``, broken pictures left out. Raises DataError."""
    pictures, split = data.load_with_files(network.vocabularies, spec)
    indices = []
    logits = []
    for batch_indices, pixels in pictures.iterate_batches(_BATCH):
        inputs_NHWC = prepare_all(pixels, network.architecture)
        indices.append(batch_indices)
        logits.append(engine.run(inputs_NHWC).logits)
    rows = np.concatenate(indices)
    return Predictions(
        name=pictures.name,
        vocabulary=pictures.vocabulary,
        logits=np.concatenate(logits),
        targets=pictures.targets[rows],
        captions=[split.captions[int(row)] for row in rows] if split.captions else [],
        fitting=np.array([is_for_fitting(split.pictures.read(int(row))) for row in rows]),
    )


def by_vocabulary(sets: Sequence[Predictions]) -> dict[str, Predictions]:
    """Name of a vocabulary -> the predictions of all sets that measure it, one after the other."""
    groups: dict[str, list[Predictions]] = {}
    for one_set in sets:
        groups.setdefault(one_set.vocabulary.name, []).append(one_set)
    return {name: _pooled(name, group) for name, group in groups.items()}


def _pooled(name: str, sets: Sequence[Predictions]) -> Predictions:
    return replace(
        sets[0],
        name=name,
        logits=np.concatenate([one.logits for one in sets]),
        targets=np.concatenate([one.targets for one in sets]),
        captions=[captions for one in sets for captions in one.captions],
        fitting=np.concatenate([one.fitting for one in sets]),
        origin=np.concatenate([np.full(len(one.logits), one.name) for one in sets]) if len(sets) > 1 else None,
    )


def is_for_fitting(file: bytes) -> bool:
    """Whether calibration may be fitted on a picture file: the last bit of its SHA-256 decides, so no list is kept."""
    return bool(hashlib.sha256(file).digest()[-1] & 1)

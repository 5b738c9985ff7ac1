"""What all units answer to real pictures: the validation splits of some sets, each picture once.

N pictures, C channels, K labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.backward import logit_weights
from model.checkpoint import Checkpoint
from model.engines import Engine
from model.preprocess import prepare_all
from model.vocabulary import Vocabulary
from training import data
from training.data.order import evenly_spaced
from training.evaluation.accuracy import POSITIVE_SHARE
from training.evaluation.microscope.cells import LABELS, layers_of
from training.evaluation.predictions import is_for_fitting

_BATCH = 32
Floats = NDArray[np.float32]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Responses:
    """What units answer to the N pictures of one vocabulary, and what is true of them."""

    vocabulary: Vocabulary
    targets: NDArray[np.float32] | NDArray[np.int64]
    """(N,) class numbers, or (N, words) shares of people, as in PictureSet."""
    choosing: Truth
    """(N,): True where a name is chosen by the picture; the others measure how well it fits. As in calibration."""
    values: Mapping[str, Floats]
    """Layer -> (N, C) the largest activation anywhere in each channel; of labels (N, K) the evidence."""

    def truth(self) -> tuple[list[tuple[str, bool]], Truth]:
        """What can be true of a picture, each with whether it is a kind of labels, and (N, L) whether it is.

        The labels of the vocabulary in their order, then the kinds that several of them are: "dog" of all breeds.
        """
        if self.vocabulary.activation == "sigmoid":
            return [(label.id, False) for label in self.vocabulary.labels], np.asarray(
                self.targets, np.float32
            ) > POSITIVE_SHARE
        of_class = np.eye(len(self.vocabulary), dtype=np.bool_)
        names = [(label.id, False) for label in self.vocabulary.labels]
        kinds: dict[str, list[int]] = {}
        for row, label in enumerate(self.vocabulary.labels):
            for kind in label.ancestors:
                kinds.setdefault(kind, []).append(row)
        for kind, rows in kinds.items():
            if 1 < len(rows) < len(names):
                column = np.zeros((len(self.vocabulary), 1), np.bool_)
                column[rows] = True
                of_class = np.concatenate([of_class, column], 1)
                names.append((kind, True))
        return names, of_class[np.asarray(self.targets, np.int64)]


def respond(
    engine: Engine,
    network: Checkpoint,
    spec: str,
    begin: Callable[[int], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Responses:
    """Run the network over the validation split of ``[NAME=]PATH``.

    ``begin`` is told how many pictures it has, ``progress`` of each batch how many are done.

    Raises DataError.
    """
    pictures, split = data.load_with_files(network.vocabularies, spec, cache="none")
    evidence = np.stack([logit_weights(network, row) for row in range(network.architecture.outputs)])
    layers = layers_of(network)[:-1]
    found: dict[str, list[Floats]] = {name: [] for name in (*layers, LABELS)}
    rows = []
    begin(len(pictures.pictures))
    for indices, pixels in pictures.iterate_batches(_BATCH):
        inputs_NHWC = prepare_all(pixels, network.architecture)
        output = engine.run(inputs_NHWC, maps=layers)
        for name in layers:
            found[name].append(output.maps[name].max((2, 3)))
        found[LABELS].append(output.logits @ evidence.T)
        rows.append(indices)
        progress(len(indices))
    all_rows = np.concatenate(rows)
    return Responses(
        vocabulary=pictures.vocabulary,
        targets=pictures.targets[all_rows],
        choosing=np.array([is_for_fitting(split.pictures.read(int(row))) for row in all_rows]),
        values={name: np.concatenate(parts) for name, parts in found.items()},
    )


def pooled(responses: Sequence[Responses]) -> list[Responses]:
    """The same with several sets of one vocabulary as one."""
    groups: dict[str, list[Responses]] = {}
    for one in responses:
        groups.setdefault(one.vocabulary.name, []).append(one)
    return [
        Responses(
            vocabulary=group[0].vocabulary,
            targets=np.concatenate([one.targets for one in group]),
            choosing=np.concatenate([one.choosing for one in group]),
            values={name: np.concatenate([one.values[name] for one in group]) for name in group[0].values},
        )
        for group in groups.values()
    ]


def best_of(responses: Sequence[Responses], layer: str, most: int) -> tuple[Floats, int]:
    """(C,) the largest value of each unit over ``most`` pictures, evenly from all sets, and how many they were."""
    values = np.concatenate([one.values[layer] for one in responses])
    rows = evenly_spaced(len(values), min(most, len(values)))
    return values[rows].max(0), len(rows)


def active_share(responses: Sequence[Responses], layer: str) -> Floats:
    """(C,) the share of all pictures on which each unit is above 0 anywhere; 0 of a dead one."""
    share: Floats = np.concatenate([one.values[layer] > 0 for one in responses]).mean(0, dtype=np.float32)
    return share

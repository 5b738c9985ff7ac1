"""Pictures beyond those that vocabularies were taught on: of things without a name, of people, of nobody."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.engines import Engine
from model.language.hedging import tree_of
from model.language.phrases import label_for
from model.pictures.opening import open_picture
from model.pictures.upright import upright_rgb
from model.preprocess import TakesPictures, prepare
from model.vocabulary import Label, Vocabulary
from training.data.decode import reason_of
from training.data.errors import BrokenPicture, DataError
from training.data.layouts import read_whole
from training.data.sets import find_folder
from training.evaluation.predictions import is_for_fitting

PERSON, NOBODY = "person", "nobody"
"""Class folders of a set that tells where there are people."""
_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class ClassPictures:
    """Logits of N pictures whose classes are known, whether or not a vocabulary has a label for them."""

    name: str
    """What the set is called, if nothing else like its folder."""
    logits: NDArray[np.float32]
    """(N, K), of all rows of fc8."""
    classes: tuple[str, ...]
    """The class of each picture."""
    fitting: NDArray[np.bool_]
    """(N,): True where calibration may be fitted on the picture; the others are kept for reporting."""

    def part(self, *, fitting: bool) -> ClassPictures:
        """The pictures that calibration is fitted on, or those that it is reported on."""
        return self.where(self.fitting == fitting)

    def where(self, chosen: NDArray[np.bool_]) -> ClassPictures:
        """The pictures for which ``chosen`` (N,) is True."""
        classes = tuple(name for name, one in zip(self.classes, chosen, strict=True) if one)
        return replace(self, logits=self.logits[chosen], classes=classes, fitting=self.fitting[chosen])

    def have_label(self, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """(N,): whether the vocabulary has a label for the class of a picture."""
        ids = set(vocabulary.ids)
        return np.array([name in ids for name in self.classes], np.bool_)


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """The sets on which a network must be honest though it was not taught on them."""

    foreign: Sequence[ClassPictures] = ()
    """Pictures of things, most of which no vocabulary has a label for."""
    people: Sequence[ClassPictures] = ()
    """Pictures of the classes ``person`` and ``nobody``."""

    def part(self, *, fitting: bool) -> Beyond:
        """What calibration is fitted on, or what it is reported on."""
        return Beyond(
            foreign=[one_set.part(fitting=fitting) for one_set in self.foreign],
            people=[one_set.part(fitting=fitting) for one_set in self.people],
        )

    def swapped(self) -> Beyond:
        """The same with both parts exchanged."""
        return Beyond(
            foreign=[replace(one_set, fitting=~one_set.fitting) for one_set in self.foreign],
            people=[replace(one_set, fitting=~one_set.fitting) for one_set in self.people],
        )

    def without_label(self, vocabulary: Vocabulary) -> list[ClassPictures]:
        """The foreign sets without the pictures that the vocabulary has a label for; none that is left empty."""
        foreign = [one_set.where(~one_set.have_label(vocabulary)) for one_set in self.foreign]
        return [one_set for one_set in foreign if one_set.classes]


NOTHING_BEYOND = Beyond()
"""For a network of which nothing beyond its own sets is known."""


def predict_beyond(engine: Engine, network: Checkpoint, foreign: Sequence[str], people: Sequence[str]) -> Beyond:
    """Run the network over each whole ``[NAME=]PATH``, as photos are served. Broken pictures are left out and named.

    Raises DataError, also where two sets have one name, or those of ``people`` other classes than these two.
    """
    beyond = Beyond(
        foreign=[_predict(engine, network.architecture, spec, "--foreign") for spec in foreign],
        people=[_predict(engine, network.architecture, spec, "--people") for spec in people],
    )
    for one_set in beyond.people:
        if set(one_set.classes) != {PERSON, NOBODY}:
            raise DataError(f"{one_set.name}: --people takes two class folders with pictures, {PERSON}/ and {NOBODY}/.")
    for name, number in Counter(one_set.name for one_set in (*beyond.foreign, *beyond.people)).items():
        if number > 1:
            raise DataError(f"Two sets are called {name}: call one of them otherwise, --foreign NAME={name}.")
    return beyond


def _predict(engine: Engine, takes: TakesPictures, spec: str, flag: str) -> ClassPictures:
    name, folder = find_folder(spec)
    split = read_whole(folder, flag)
    logits: list[NDArray[np.float32]] = []
    good: list[int] = []
    fitting: list[bool] = []
    for start in range(0, len(split.labels), _BATCH):
        inputs = []
        for row in range(start, min(start + _BATCH, len(split.labels))):
            data = split.pictures.read(row)
            try:
                with open_picture(data) as picture:
                    inputs.append(prepare(upright_rgb(picture), takes)[0])
            except Exception as error:  # whatever Pillow raises
                print(f"left out: {BrokenPicture(split.pictures.name(row), reason_of(error))}", flush=True)
                continue
            good.append(row)
            fitting.append(is_for_fitting(data))
        if inputs:
            logits.append(engine.run(np.stack(inputs)).logits)
    if not good:
        raise DataError(f"None of the pictures in {folder} can be decoded.")
    print(f"{flag.removeprefix('--')}: {len(good):,} pictures of {folder}", flush=True)
    return ClassPictures(
        name=name or folder.resolve().name,
        logits=np.concatenate(logits),
        classes=tuple(split.classes[int(split.labels[row])] for row in good),
        fitting=np.array(fitting, np.bool_),
    )


def nodes_of_classes(classes: Sequence[str], vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """(N, nodes): which nodes of a vocabulary's tree are true of pictures of the N classes.

    Of a class with a label: the label and its ancestors. Of another: what the reviewed table says, else nothing.
    """
    tree = tree_of(vocabulary)
    names = [node.name for node in tree.nodes]
    row_of = {label.id: row for row, label in enumerate(vocabulary.labels)}
    true = {}
    for name in set(classes):
        if name in row_of:
            true[name] = tree.matrix[:, row_of[name]] > 0
        else:
            holds = {node for label in labels_of_classes([name], vocabulary) for node in label.ancestors}
            true[name] = np.array([node in holds for node in names], np.bool_)
    return np.stack([true[name] for name in classes])


def labels_of_classes(classes: Sequence[str], vocabulary: Vocabulary) -> list[Label]:
    """A label for each of N classes: the vocabulary's, else one whose ancestors are the names that hold for the class.

    These come from the reviewed tables; a class that is in none has no ancestors.
    """
    own = {label.id: label for label in vocabulary.labels}
    return [own.get(name) or _unnamed().get(name) or label_for(vocabulary.name, name) for name in classes]


@cache
def _unnamed() -> dict[str, Label]:
    text = files(__package__).joinpath("unnamed_classes.json").read_text("utf-8")
    return {
        record["id"]: Label(
            id=record["id"], name=record["name"], phrase=record["name"], ancestors=tuple(record["holds"])
        )
        for record in json.loads(text)
    }

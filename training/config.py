"""The recipe: every choice that decides how a network learns, frozen and checked when it is made."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from model.architecture import Activation, Architecture, LocalResponseNorm

Optimiser = Literal["sgd", "muon", "paper"]
Schedule = Literal["cosine", "linear", "plateau", "cuda_convnet"]
Precision = Literal["auto", "f32", "bf16"]
Norm = Literal["none", "text", "cuda_convnet"]

_DROPPED_FIELDS = {"shrink"}
_RENAMED_FIELDS = {"teaching": "distillation_weight"}
_RENAMED_VALUES = {("lrn", "program"): "cuda_convnet", ("schedule", "program"): "cuda_convnet"}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of training at one picture size."""

    size: int
    """Side of the square crops in pixels."""
    share: float
    """Share of all steps that this stage takes, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every choice that decides how a network learns. Raises ValueError for values that cannot work."""

    name: str
    """Name of the recipe, as ``--recipe`` takes it."""

    # The network
    activation: Activation = "relu"
    """Non-linearity after conv1 to fc7 (section 3.1)."""
    columns: Literal[1, 2] = 2
    """Two columns group conv2, conv4 and conv5, as on the paper's two GPUs (section 3.2); one does not."""
    lrn: Norm = "none"
    """Local response normalisation: ``text`` is after the ReLU, as section 3.3 prints it; ``cuda_convnet`` is before
    it, with alpha divided by n, as the program of 2012 computed it."""
    overlapping_pooling: bool = True
    """Pool 3 × 3 windows at stride 2 (section 3.4) instead of 2 × 2 windows."""
    batch_norm: bool = True
    """Batch normalisation before each activation; the paper had none."""
    without: str = ""
    """A middle convolution to leave out, as section 7 does: conv3, conv4 or conv5."""
    dropout: float = 0.0
    """Share of the activations of fc6 and fc7 that each step sets to 0 (section 4.2)."""
    dropout_at_test: bool = False
    """Halve the activations at test time, as section 4.2 does, instead of doubling those that stay in training."""
    initialisation: Literal["paper", "source_2012", "fan_in"] = "fan_in"
    """How the first weights are drawn: see ``AlexNet.initialise``."""

    # How long, and how fast
    epochs: float = 5.0
    """Passes over the largest set."""
    batch_size: int = 256
    """Pictures in a step, of all sets and all processes together."""
    optimiser: Optimiser = "sgd"
    """``paper`` is section 5's rule to the letter; ``muon`` has AdamW beside it."""
    lr: float = 0.1
    """Peak learning rate of SGD, or of AdamW where Muon has the convolutions."""
    muon_lr: float = 0.03
    """Peak learning rate of Muon, in spectral norm per step."""
    bias_lr: float = 1.0
    """Learning rate of the biases as a multiple of that of the weights."""
    momentum: float = 0.9
    """Momentum of SGD and of the paper's rule."""
    weight_decay: float = 5e-4
    """Weight decay of all weights but those that Muon has."""
    muon_decay: float = 0.05
    """Weight decay of the convolutions that Muon has."""
    conv1_decay: float = 0.0
    """Weight decay of conv1's kernels where it is not 0: the noise they start from has to fade before they look
    learned."""
    decay_biases: bool = False
    """Whether biases and batch norms decay as the weights do."""
    schedule: Schedule = "cosine"
    """How the learning rate falls: to 0 as a cosine or a line; by 10 on each ``plateau`` of the validation error,
    three times; or, as ``cuda_convnet``, by 10 at 25 and 51 of 91 epochs, where conv1 is slowed and then frozen."""
    warmup: float = 0.05
    """Share of all steps over which the learning rate rises to its peak."""
    patience: int = 5
    """Number of evaluations without a better error that make a plateau."""
    ema: float = 0.0
    """Decay of the exponential moving average of the weights, which is what is evaluated and kept; 0 keeps the
    weights themselves."""

    # What it sees
    stages: tuple[Stage, ...] = (Stage(size=227, share=1.0),)
    """Picture sizes, in the order in which they are trained at."""
    centred: bool = False
    """Raw pixels less the training set's own mean (section 2), instead of pixels scaled to unit spread."""
    crop: Literal["resized", "translated"] = "resized"
    """``translated`` cuts 227 of 256 pixels at a random place (section 4.1); ``resized`` cuts a random part and
    resizes it."""
    crop_group: int = 1
    """Number of neighbours in a batch that share the place of their translated crop."""
    min_area: float = 0.4
    """Smallest share of the picture's area that a resized crop keeps."""
    aspect: float = 4 / 3
    """Resized crops are stretched by up to this factor, either way."""
    traces: float = 0.85
    """Share of the pictures that are given traces of resampling and compression, the same for all sets, so that no
    set can be told by its own."""
    colour_noise: float = 0.0
    """Standard deviation of the PCA colour noise (section 4.1), as a share of the training set's own."""
    colour_noise_until: float = 1.0
    """Share of the run after which there is no more colour noise."""
    mixup: float = 0.0
    """Alpha of mixup's beta distribution; 0 is off."""
    cutmix: float = 0.0
    """Alpha of CutMix's beta distribution; 0 is off. With mixup and CutMix, each step draws one of the two."""

    input_detail: int = 0
    """Side in pixels that larger pictures are made first where the network serves, or is measured by
    one view; 0 is off."""

    # What counts in the loss
    label_smoothing: float = 0.0
    """Share of a class target that is spread evenly over all classes."""
    labels_within_set: bool = False
    """Whether a label counts among the classes of its own set alone, where several sets teach one vocabulary. Then
    only a teacher tells one set's classes from another's, and not the looks that the pictures of a set share."""
    word_weight: float = 0.2
    """Weight of one word's binary cross-entropy, where a picture's class cross-entropy weighs 1."""
    distillation_weight: float = 0.5
    """Share of the loss that is against the teachers' answers instead of the labels, where there are teachers."""
    distillation_temperature: float = 1.0
    """Number that both logits are divided by before a teacher's classes are compared; above 1 its lesser guesses
    count more."""
    distillation_elsewhere: float = 0.0
    """Weight of the teachers' classes in a vocabulary that a picture's own set does not label (a place, say, of a
    picture of a thing), where one that it does weighs 1."""
    absence_weight: float = 0.25
    """Weight of an object or scene picture in the loss of the words, where a caption picture weighs 1."""

    # How it is computed
    precision: Precision = "auto"
    """Number format of the multiplications; ``auto`` becomes bf16 when a run begins where the device is fast at it,
    else f32."""
    compile: bool = False
    """Whether torch.compile fuses the step; needs a C++ compiler on a CPU."""
    seed: int = 0
    """Seed of every random number of a run, beside the number of the step."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            if get_origin(hint) is Literal and getattr(self, name) not in get_args(hint):
                raise ValueError(f"{name} must be one of {', '.join(map(str, get_args(hint)))}.")
        for valid, sentence in (
            (self.epochs > 0 and self.batch_size > 0 and self.lr > 0, "epochs, batch_size and lr must be above 0."),
            (abs(sum(s.share for s in self.stages) - 1) < 1e-6, "The shares of the stages must add up to 1."),
            (0 < self.min_area <= 1 and self.aspect >= 1, "min_area must be in (0, 1], aspect at least 1."),
            (0 <= self.ema < 1 and self.patience > 0, "ema must be in [0, 1), patience at least 1."),
            (self.mixup >= 0 and self.cutmix >= 0, "mixup and cutmix must be 0 or above."),
            (self.without in ("", "conv3", "conv4", "conv5"), "without must be conv3, conv4 or conv5."),
        ):
            if not valid:
                raise ValueError(sentence)

    def architecture(self, outputs: int, size: int) -> Architecture:
        """The layer table of the network that this recipe trains, with so many outputs, at one picture size."""
        norms = {
            "none": None,
            "text": LocalResponseNorm(),
            "cuda_convnet": LocalResponseNorm(alpha=1e-4 / 5),
        }
        return Architecture(
            outputs=outputs,
            input_size=size,
            input_detail=self.input_detail,
            activation=self.activation,
            columns=self.columns,
            lrn=norms[self.lrn],
            lrn_before_activation=self.lrn == "cuda_convnet",
            overlapping_pooling=self.overlapping_pooling,
            batch_norm=self.batch_norm,
            dropout=self.dropout,
            dropout_at_test=self.dropout_at_test,
            without=self.without,
        )

    @property
    def picture_side(self) -> int:
        """Side in pixels of decoded pictures from which the largest crops are cut."""
        return round(max(stage.size for stage in self.stages) * 256 / 227)

    def size_at(self, step: int, steps: int) -> int:
        """Side in pixels of the pictures at a step of ``steps``."""
        end = 0.0
        for stage in self.stages:
            end += stage.share
            if step < round(end * steps):
                return stage.size
        return self.stages[-1].size


def override(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """The recipe with fields set from text (``--set lr=0.05``; ``stages=99:0.8,227:0.2``).

    Names of the last release are accepted, with a notice. Raises ValueError with the field's name for an unknown field
    or a value of the wrong type.
    """
    types = {field.name: type(getattr(recipe, field.name)) for field in fields(recipe)}
    values: dict[str, Any] = {}
    for name, text in with_current_names(settings).items():
        if name not in types:
            raise ValueError(f"A recipe has no field {name!r}; it has {', '.join(sorted(types))}.")
        try:
            values[name] = _parse(text, types[name])
        except ValueError as error:
            raise ValueError(f"{name}={text!r} is not a {types[name].__name__}.") from error
    return replace(recipe, **values)


def from_record(record: Mapping[str, Any]) -> Recipe:
    """The recipe that a run's ``config.json`` holds under ``recipe``; names of the last release are accepted.

    Raises ValueError for values that cannot work, and for a recipe of a release that has other fields.
    """
    values = {name: value for name, value in with_current_names(record).items() if name not in _DROPPED_FIELDS}
    try:
        stages = tuple(Stage(**stage) for stage in values.pop("stages"))
        return Recipe(**values, stages=stages)
    except (KeyError, TypeError) as error:
        raise ValueError(f"The run's recipe is of another release ({error}): go on with that one.") from error


def with_current_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings under the names of this release; a line on stderr says what was renamed.

    To be removed, with its two tables, after one release.
    """
    current: dict[str, Any] = {}
    for name, value in settings.items():
        field = _RENAMED_FIELDS.get(name, name)
        setting = _RENAMED_VALUES.get((field, value), value) if isinstance(value, str) else value
        if (field, setting) != (name, value):
            print(
                f"{name}={value} is the old name of {field}={setting}, which goes with release 0.2.0.", file=sys.stderr
            )
        current[field] = setting
    return current


def _parse(text: str, target: type) -> Any:
    if target is tuple:
        pairs = (part.split(":") for part in text.split(","))
        return tuple(Stage(size=int(size), share=float(share)) for size, share in pairs)
    if target is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(text)
        return text.lower() in ("true", "1")
    return target(text)

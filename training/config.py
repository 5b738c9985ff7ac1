"""What a run is: a frozen recipe, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from model.architecture import Activation, Architecture, LocalResponseNorm

Optimiser = Literal["sgd", "muon", "paper"]
Schedule = Literal["cosine", "linear", "plateau", "program"]
Precision = Literal["auto", "f32", "bf16"]
Norm = Literal["none", "text", "program"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of training at one picture size."""

    size: int
    share: float
    """Of all steps."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides how a network learns. Raises ValueError for values that cannot work."""

    name: str
    # The network
    activation: Activation = "relu"
    columns: Literal[1, 2] = 2
    lrn: Norm = "none"
    """``text``: after the ReLU, as section 3.3 prints it. ``program``: before it, alpha divided by n."""
    overlapping_pooling: bool = True
    batch_norm: bool = True
    without: str = ""
    """A middle convolution to leave out, as section 7 does: conv3, conv4 or conv5."""
    dropout: float = 0.0
    dropout_at_test: bool = False
    """Halve the activations at test time, as section 4.2 does, instead of doubling those that stay in training."""
    initialisation: Literal["paper", "source_2012", "fan_in"] = "fan_in"

    # How long, and how fast
    epochs: float = 5.0
    """Passes over the largest set."""
    batch_size: int = 256
    optimiser: Optimiser = "sgd"
    """``paper`` is section 5's rule to the letter; ``muon`` has AdamW beside it."""
    lr: float = 0.1
    """Peak learning rate: of SGD, or of AdamW where Muon has the convolutions."""
    muon_lr: float = 0.03
    """Peak learning rate of Muon, in spectral norm per step."""
    bias_lr: float = 1.0
    """Learning rate of the biases against that of the weights."""
    momentum: float = 0.9
    weight_decay: float = 5e-4
    """Of all weights but those that Muon has."""
    muon_decay: float = 0.05
    conv1_decay: float = 0.0
    """Of conv1's kernels, where not 0: what they were drawn with has to fade before they look learned."""
    decay_biases: bool = False
    """Biases (and batch norms) decay too."""
    schedule: Schedule = "cosine"
    """How the rate falls: to 0 as a cosine or a line; by 10 on each ``plateau`` of the validation error, three
    times; or by 10 at 25 and 51 of 91 epochs, conv1 slowed and then frozen, as the ``program`` had it."""
    warmup: float = 0.05
    """Share of all steps over which the rate rises."""
    patience: int = 5
    """Evaluations without a better error that make a plateau."""
    ema: float = 0.0
    """Decay of the averaged weights that are evaluated and kept; 0 keeps the weights themselves."""

    # What it sees
    stages: tuple[Stage, ...] = (Stage(size=227, share=1.0),)
    centred: bool = False
    """Raw pixels less the training set's own mean (section 2), instead of pixels scaled to unit spread."""
    crop: Literal["resized", "translated"] = "resized"
    """``translated``: 227 of 256 pixels at a random place (section 4.1)."""
    crop_group: int = 1
    """Neighbours in a batch that share the place of their translated crop."""
    min_area: float = 0.4
    """Smallest share of the picture's area that a resized crop keeps."""
    aspect: float = 4 / 3
    """Resized crops are stretched by up to this factor, either way."""
    shrink: float = 0.5
    """Share of the larger pictures first shrunk to 56 to 112 px, so that sharpness does not tell the sets apart."""
    colour_noise: float = 0.0
    """Spread of the PCA colour noise (section 4.1), against the training set's own."""
    colour_noise_until: float = 1.0
    """Share of the run after which there is no more colour noise."""
    mixup: float = 0.0
    """Alpha of mixup's beta distribution; 0 is off."""
    cutmix: float = 0.0
    """The same for CutMix; with both, each step draws one of the two."""

    # What it is asked
    label_smoothing: float = 0.0
    word_weight: float = 0.2
    """Weight of one word's binary cross-entropy against a picture's cross-entropy."""
    teaching: float = 0.5
    """What the teachers' answers count against the labels, where there are teachers."""
    absence_weight: float = 0.25
    """What an object or scene picture counts in the words, against a caption picture."""

    # How it is computed
    precision: Precision = "auto"
    """``auto`` is settled when a run begins: bf16 where the device multiplies it fast, else f32."""
    compile: bool = False
    """Let torch.compile fuse the step; needs a C++ compiler on a CPU."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            if get_origin(hint) is Literal and getattr(self, name) not in get_args(hint):
                raise ValueError(f"{name} must be one of {', '.join(map(str, get_args(hint)))}.")
        for right, sentence in (
            (self.epochs > 0 and self.batch_size > 0 and self.lr > 0, "epochs, batch_size and lr must be above 0."),
            (abs(sum(s.share for s in self.stages) - 1) < 1e-6, "The shares of the stages must add up to 1."),
            (0 < self.min_area <= 1 and self.aspect >= 1, "min_area must be in (0, 1], aspect at least 1."),
            (0 <= self.ema < 1 and self.patience > 0, "ema must be in [0, 1), patience at least 1."),
            (self.mixup >= 0 and self.cutmix >= 0, "mixup and cutmix must be 0 or above."),
            (self.without in ("", "conv3", "conv4", "conv5"), "without must be conv3, conv4 or conv5."),
        ):
            if not right:
                raise ValueError(sentence)

    def architecture(self, outputs: int, size: int) -> Architecture:
        """The network this recipe trains, at one picture size."""
        norm = {"none": None, "text": LocalResponseNorm(), "program": LocalResponseNorm(alpha=1e-4 / 5)}[self.lrn]
        return Architecture(
            outputs=outputs, input_size=size, activation=self.activation, columns=self.columns, lrn=norm,
            lrn_before_activation=self.lrn == "program", overlapping_pooling=self.overlapping_pooling,
            batch_norm=self.batch_norm, dropout=self.dropout, dropout_at_test=self.dropout_at_test,
            without=self.without,
        )  # fmt: skip

    def size_at(self, step: int, steps: int) -> int:
        """Picture size at a step of ``steps``."""
        end = 0.0
        for stage in self.stages:
            end += stage.share
            if step < round(end * steps):
                return stage.size
        return self.stages[-1].size


def override(recipe: Recipe, settings: dict[str, str]) -> Recipe:
    """The recipe with fields set from text (``--set lr=0.05``; ``stages=99:0.8,227:0.2``).

    Raises ValueError with the field's name for an unknown field or a value of the wrong kind.
    """
    types = {field.name: type(getattr(recipe, field.name)) for field in fields(recipe)}
    values: dict[str, Any] = {}
    for name, text in settings.items():
        if name not in types:
            raise ValueError(f"A recipe has no field {name!r}; it has {', '.join(sorted(types))}.")
        try:
            values[name] = _parse(text, types[name])
        except ValueError as error:
            raise ValueError(f"{name}={text!r} is not a {types[name].__name__}.") from error
    return replace(recipe, **values)


def _parse(text: str, kind: type) -> Any:
    if kind is tuple:
        pairs = (part.split(":") for part in text.split(","))
        return tuple(Stage(size=int(size), share=float(share)) for size, share in pairs)
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(text)
        return text.lower() in ("true", "1")
    return kind(text)

"""What a run is: a frozen recipe, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from model.architecture import Architecture

Optimiser = Literal["sgd", "muon"]
Precision = Literal["f32", "bf16"]


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
    epochs: float = 5.0
    """Passes over the largest set."""
    batch_size: int = 256
    optimiser: Optimiser = "sgd"
    lr: float = 0.1
    """Peak learning rate: of SGD, or of AdamW where Muon has the convolutions."""
    muon_lr: float = 0.03
    """Peak learning rate of Muon, in spectral norm per step."""
    momentum: float = 0.9
    weight_decay: float = 5e-4
    """Not applied to biases and batch norms."""
    warmup: float = 0.05
    """Share of all steps over which the rate rises; then it falls to 0 as a cosine."""
    initialisation: Literal["paper", "source_2012", "fan_in"] = "fan_in"
    batch_norm: bool = True
    lrn: bool = False
    dropout: float = 0.0
    label_smoothing: float = 0.0
    word_weight: float = 0.2
    """Weight of one word's binary cross-entropy against a picture's cross-entropy."""
    absence_weight: float = 0.25
    """What an object or scene picture counts in the words, against a caption picture."""
    min_area: float = 0.4
    """Smallest share of the picture's area that a training crop keeps."""
    aspect: float = 4 / 3
    """Crops are stretched by up to this factor, either way."""
    shrink: float = 0.5
    """Share of the larger pictures first shrunk to 56 to 112 px, so that sharpness does not tell the sets apart."""
    stages: tuple[Stage, ...] = (Stage(size=227, share=1.0),)
    precision: Precision = "bf16"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs <= 0 or self.batch_size < 1 or self.lr <= 0:
            raise ValueError("epochs, batch_size and lr must be above 0.")
        if not self.stages or abs(sum(stage.share for stage in self.stages) - 1) > 1e-6:
            raise ValueError("The shares of the stages must add up to 1.")
        if not 0 < self.min_area <= 1 or self.aspect < 1:
            raise ValueError("min_area must be in (0, 1], aspect at least 1.")
        if self.optimiser not in ("sgd", "muon") or self.precision not in ("f32", "bf16"):
            raise ValueError("optimiser is sgd or muon, precision f32 or bf16.")

    def architecture(self, outputs: int, size: int) -> Architecture:
        """The network this recipe trains, at one picture size."""
        norm = Architecture().lrn if self.lrn else None
        return Architecture(
            outputs=outputs, input_size=size, lrn=norm, batch_norm=self.batch_norm, dropout=self.dropout
        )

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

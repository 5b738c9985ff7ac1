"""The worked answer of the first view: one sample, what is said of it and why, what each convolution saw in it."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from app.errors import GlassbotError
from app.http import answers, schemas
from app.http.site_files import Sample, samples, web_root
from app.inference.predictor import Predictor
from app.inference.results import ForwardResult
from model import drawing


@dataclass(frozen=True, kw_only=True)
class LayerView:
    """One convolution, by its channels that answer the photo most strongly."""

    name: str
    channels: int
    """How many channels the layer has."""
    picture: str
    """Its four strongest channels, as a WebP inside a ``data:`` URI."""


@dataclass(frozen=True, kw_only=True)
class WorkedExample:
    """A sample photo with the answer of the network that is served."""

    sample: Sample
    answer: schemas.Prediction
    layers: tuple[LayerView, ...]


_made: WeakKeyDictionary[Predictor, WorkedExample] = WeakKeyDictionary()


async def worked_example(predictor: Predictor) -> WorkedExample | None:
    """The answer for the first of the samples, made once; None where there are no samples, or no answer just now."""
    if predictor in _made or not samples():
        return _made.get(predictor)
    sample = samples()[0]
    body = (web_root() / "static" / "samples" / sample["file"]).read_bytes()
    names = tuple(layer.name for layer in predictor.checkpoint.architecture.layers if layer.operation == "conv")
    try:
        result = await predictor.activations(body, predictor.checkpoint.architecture.activation_names)
        described = await predictor.describe(body)
    except GlassbotError:  # too busy, or not ready yet: the page does without
        return None
    layers = await predictor.offload(lambda: _layer_views(result, names))
    _made[predictor] = WorkedExample(
        sample=sample, answer=answers.prediction(described, predictor.checkpoint), layers=layers
    )
    return _made[predictor]


def _layer_views(result: ForwardResult, names: tuple[str, ...]) -> tuple[LayerView, ...]:
    maps = {name: result.output.maps[name][0] for name in names}
    return tuple(
        LayerView(name=name, channels=len(maps_CHW), picture=drawing.strongest_channels(maps_CHW))
        for name, maps_CHW in maps.items()
    )

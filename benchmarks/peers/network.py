"""The parts that the peers share: decoding a picture, the torch module of a checkpoint, and its labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import IO, Any

import torch
from PIL import Image
from torch import Tensor

from model import checkpoint as checkpoints
from model.describe import probabilities
from model.engines.torch_engine import build, standardise
from model.preprocess import least_side, prepare


class Network:
    """A checkpoint in torch, which decodes pictures and names labels as Glassbot does."""

    def __init__(self, path: Path) -> None:
        self._checkpoint = checkpoints.load(path)
        self.module = build(self._checkpoint)
        self.takes = self._checkpoint.architecture

    def pixels(self, file: IO[bytes]) -> Tensor:
        """Decode a picture to (3, S, S) uint8 pixels."""
        picture = Image.open(file)
        picture.draft(None, (least_side(self.takes),) * 2)  # decodes a large JPEG smaller, as Glassbot does
        pixels, _, _ = prepare(picture, self.takes)
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1)

    def inputs(self, pixels_NCHW: Tensor) -> Tensor:
        """Standardise (N, 3, S, S) uint8 pixels for the module."""
        return standardise(pixels_NCHW, self._checkpoint.preprocessing)

    def labels(self, logits: Tensor) -> dict[str, Any]:
        """Return the five best labels of (K,) logits, with their probabilities within their vocabularies."""
        scored: list[tuple[float, str, str]] = []
        slices = self._checkpoint.slices()
        for vocabulary in self._checkpoint.vocabularies:
            if vocabulary.activation == "softmax":
                raw = logits[slices[vocabulary.name]].float().cpu().numpy()
                top = torch.from_numpy(probabilities(raw, vocabulary)).topk(min(5, len(vocabulary)))
                for score, row in zip(top.values.tolist(), top.indices.tolist(), strict=True):
                    scored.append((score, vocabulary.labels[row].name, vocabulary.name))
        best = sorted(scored, reverse=True)[:5]
        return {"labels": [{"label": label, "vocabulary": name, "score": score} for score, label, name in best]}


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that all peers have: the port and the checkpoint."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    return parser

"""The units of a network, on cards: what each looks for, its name, what it argues for. One file beside the weights.

``glassbot.units.zip`` holds ``units.json`` (which network, how it was made, figures, layers), and for each layer
``conv3.json``, a list of cards, and ``conv3.webp``, a sheet with the synthetic picture of every unit, :data:`ACROSS` to
a row without gaps. ``python -m training microscope`` makes it (docs/microscope.md); no photograph is in it.

It belongs to the network whose weights it names: calibration changes what a checkpoint says and not its weights, and
keeps it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from model import checkpoint
from model.checkpoint import Checkpoint
from model.files import atomically

FORMAT = "glassbot-units-1"
"""Version of the file format, which ``units.json`` names."""
ACROSS = 16
"""Pictures in a row of a sheet."""
_MOST_BYTES = 8_000_000  # of the file, and of any member
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every member, so that the same cards are the same bytes


class UnitCardsError(ValueError):
    """Raised for a file that holds no whole unit cards, or those of another network; one sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class LayerCards:
    """The units of one layer."""

    name: str
    """``conv1`` … ``conv5``, or ``fc8`` for the labels."""
    units: int
    """How many units the layer has."""
    side: int
    """Side of a picture on the sheet, in pixels."""
    seen: int
    """Side of the square of the photo that the picture stands for, in pixels of the network's input."""


@dataclass(frozen=True, kw_only=True)
class UnitCards:
    """All cards of one network, as they lie in their file."""

    file: bytes
    """The bytes of the whole file."""
    layers: Mapping[str, LayerCards]
    """Name of a layer -> what there is of it, in the order of the network."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Layer -> what was measured of all its units together."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """How the pictures were made, and on what the names rest."""

    def sheet(self, layer: str) -> bytes:
        """The WebP with the pictures of a layer. Raises KeyError."""
        return self._member(f"{self.layers[layer].name}.webp")

    def card(self, layer: str, unit: int) -> Mapping[str, Any]:
        """The card of one unit. Raises KeyError, or IndexError."""
        if unit < 0:
            raise IndexError(unit)
        card: Mapping[str, Any] = _cards(self.file, self.layers[layer].name)[unit]
        return card

    def _member(self, name: str) -> bytes:
        with zipfile.ZipFile(BytesIO(self.file)) as archive:
            return archive.read(name)


@cache
def _cards(file: bytes, layer: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(BytesIO(file)) as archive:
        cards: list[dict[str, Any]] = json.loads(archive.read(f"{layer}.json"))
    return cards


def path_beside(weights: Path) -> Path:
    """Where the cards of a checkpoint's file lie: ``glassbot.units.zip`` beside ``glassbot.safetensors``."""
    return weights.with_name(f"{weights.stem}.units.zip")


def write(
    path: Path,
    *,
    weights: str,
    layers: Sequence[tuple[LayerCards, Sequence[Mapping[str, Any]], bytes]],
    figures: Mapping[str, Any],
    made: Mapping[str, Any],
) -> None:
    """Write cards and sheet of each layer, whole or not at all. Raises OSError.

    ``weights``: the digest of the network's weights, by :func:`model.checkpoint.weights_digest`.
    """
    header = {
        "format": FORMAT,
        "weights": weights,
        "made": dict(made),
        "figures": dict(figures),
        "layers": [asdict(layer) for layer, _, _ in layers],
    }
    with atomically(path) as file, zipfile.ZipFile(file, "w") as archive:
        _add(archive, "units.json", json.dumps(header, indent=1).encode())
        for layer, cards, sheet in layers:
            _add(archive, f"{layer.name}.json", json.dumps(list(cards), separators=(",", ":")).encode())
            _add(archive, f"{layer.name}.webp", sheet, packed=False)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, packed: bool = True) -> None:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = 0o644 << 16
    archive.writestr(member, content, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED, 9 if packed else None)


def read(path: Path) -> tuple[UnitCards, str]:
    """The cards in a file, and the digest of the weights that they belong to. Raises UnitCardsError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnitCardsError(f"{path} is larger than unit cards are: make it again with `training microscope`.")
        content = path.read_bytes()
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if max(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                raise ValueError("a member is too large")
            header = json.loads(archive.read("units.json"))
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']!r}, this program reads {FORMAT!r}")
            layers = {record["name"]: LayerCards(**record) for record in header["layers"]}
            missing = {f"{name}.{kind}" for name in layers for kind in ("json", "webp")} - set(archive.namelist())
        if missing:
            raise ValueError(f"it lacks {sorted(missing)[0]}")
    except UnitCardsError:
        raise
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise UnitCardsError(f"{path} holds no whole unit cards ({error}): make them again.") from error
    cards = UnitCards(file=content, layers=layers, figures=header["figures"], made=header["made"])
    return cards, str(header["weights"])


def read_beside(weights: Path, network: Checkpoint) -> UnitCards | None:
    """The cards beside the file that ``network`` was read from; None where there are none, or it is from no file.

    Raises UnitCardsError where they are broken, or another network's.
    """
    path = path_beside(weights)
    if not network.version or not path.is_file():
        return None
    cards, belongs_to = read(path)
    if belongs_to != checkpoint.weights_digest(weights):
        raise UnitCardsError(
            f"{path} belongs to another network than {weights.name} beside it, and is passed over: "
            "`python -m training microscope` makes the cards of this one."
        )
    return cards

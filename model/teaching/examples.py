"""What people gave to teach by: for each name the embeddings of its photos, and the file that holds them.

The file is safetensors: numbers and JSON, nothing that is ever executed. Browser, service and command line write and
read the same one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from model.language.phrases import plain_name

FORMAT = "glassbot-examples-1"
"""Version of the file format, which the header names."""
METADATA = "glassbot-examples"
"""Key of the header that makes a safetensors file one of examples."""
MOST_NAMES = 500
"""Largest number of names that can be taught."""
_LONGEST_NAME = 100
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ExamplesError(ValueError):
    """Raised for examples that cannot be taught; its message is one sentence for the person who gave them."""


class OtherNetworkError(ExamplesError):
    """Raised for examples of another network."""


@dataclass(frozen=True)
class Photos:
    """The photos of one name. Raises ExamplesError unless each has a finite embedding."""

    names: tuple[str, ...]
    """SHA-256 of each photo's file, in hexadecimal digits."""
    embeddings: NDArray[np.float16]
    """(photos, size) numbers of half precision."""

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 2 or len(self.names) != len(self.embeddings):
            raise ExamplesError("A name has more photos than embeddings, or fewer: read the photos again.")
        if not np.isfinite(self.embeddings).all():
            raise ExamplesError("An embedding holds a number that is not finite: read the photos again.")

    def __len__(self) -> int:
        return len(self.names)

    def with_further(self, others: Photos) -> Photos:
        """Return these photos and those of ``others`` that are not among them, each once."""
        names = (*self.names, *others.names)
        first = {name: number for number, name in reversed(list(enumerate(names)))}
        chosen = sorted(first.values())
        embeddings = np.concatenate([self.embeddings, others.embeddings])[chosen]
        return Photos(tuple(names[i] for i in chosen), embeddings)

    def without(self, names: Iterable[str]) -> Photos:
        """Return the photos that are not called so."""
        unwanted = set(names)
        chosen = [number for number, name in enumerate(self.names) if name not in unwanted]
        return Photos(tuple(self.names[i] for i in chosen), self.embeddings[chosen])


def no_photos(size: int) -> Photos:
    """Return photos of which there are none, of ``size`` numbers each."""
    return Photos((), np.zeros((0, size), np.float16))


@dataclass(frozen=True)
class Examples:
    """Photos by name. Raises ExamplesError where a name cannot be used or a photo stands under two names."""

    network: str
    """Name of the network that the embeddings are of, by :func:`model.teaching.embedding.network_name`."""
    size: int
    """How many numbers an embedding has."""
    things: Mapping[str, Photos]
    """Name, as people gave it -> its photos."""
    outside: Photos = field(default_factory=lambda: no_photos(0))
    """Photos of other things that people gave, too."""

    def __post_init__(self) -> None:
        if len(self.things) > MOST_NAMES:
            raise ExamplesError(f"There are {len(self.things):,} names; at most {MOST_NAMES:,} can be taught.")
        owner: dict[str, str] = {}
        spelt: dict[str, str] = {}
        for name, photos in self.things.items():
            check_name(name)
            if (first := spelt.setdefault(_key(name), name)) != name:
                raise ExamplesError(f"{first!r} and {name!r} are the same name: put their photos together.")
            _check_photos(name, photos, self.size)
            for photo in photos.names:
                if owner.setdefault(photo, name) != name:
                    raise ExamplesError(f"{owner[photo]!r} and {name!r} share a photo: leave it in one of the two.")
        if len(self.outside) and self.outside.embeddings.shape[1] != self.size:
            raise ExamplesError("The photos of other things have embeddings of another size: read them again.")

    def __len__(self) -> int:
        return sum(map(len, self.things.values()))

    def with_further(self, others: Examples) -> Examples:
        """Return both, photos of one name together, however it is spelt.

        Raises OtherNetworkError, or ExamplesError.
        """
        others.check_network(self.network)
        others.check_size(self.size)
        things = dict(self.things)
        spelt = {_key(name): name for name in things}
        for given, photos in others.things.items():
            name = spelt.get(_key(given), given)
            things[name] = things[name].with_further(photos) if name in things else photos
        outside = others.outside
        if len(self.outside):
            outside = self.outside.with_further(others.outside) if len(others.outside) else self.outside
        return replace(self, things=things, outside=outside)

    def check_network(self, network: str) -> None:
        """Raise OtherNetworkError unless the embeddings are of this network."""
        if self.network != network:
            theirs = self.network[:_LONGEST_NAME]
            raise OtherNetworkError(
                f"These examples are of the network {theirs}, and this one is {network}: give the photos again."
            )

    def check_size(self, size: int) -> None:
        """Raise ExamplesError unless the embeddings have so many numbers."""
        if self.size != size:
            raise ExamplesError(f"These embeddings have {self.size} numbers instead of {size}: give the photos again.")

    def header(self) -> dict[str, Any]:
        """Return all but the embeddings, as JSON values."""
        things = [{"name": name, "photos": list(photos.names)} for name, photos in self.things.items()]
        outside = list(self.outside.names)
        return {"format": FORMAT, "network": self.network, "size": self.size, "things": things, "outside": outside}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the embeddings: ``0``, ``1``, … for the things in their order, and ``outside`` where there are any."""
        tensors = {str(i): photos.embeddings for i, photos in enumerate(self.things.values())}
        if len(self.outside):
            tensors["outside"] = self.outside.embeddings
        return {name: np.ascontiguousarray(embeddings) for name, embeddings in tensors.items()}

    def to_bytes(self) -> bytes:
        """Return the file that :func:`read` reads."""
        return bytes(save_tensors(self.tensors(), metadata={METADATA: json.dumps(self.header())}))


def from_parts(header: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Examples:
    """Return the examples of :meth:`Examples.header` and :meth:`Examples.tensors`.

    Raises ExamplesError, or KeyError, TypeError, ValueError or AttributeError for what is neither.
    """
    if header["format"] != FORMAT:
        raise ExamplesError(f"Its format is {str(header['format'])[:40]!r}; this program reads {FORMAT!r}.")
    things: dict[str, Photos] = {}
    for number, thing in enumerate(header["things"]):
        if thing["name"] in things:
            raise ExamplesError(f"It holds the name {thing['name']!r} twice.")
        things[thing["name"]] = _photos(thing["photos"], tensors[str(number)])
    size = int(header["size"])
    outside = _photos(header["outside"], tensors["outside"]) if header["outside"] else no_photos(size)
    return Examples(str(header["network"]), size, things, outside)


def read(file: bytes) -> Examples:
    """Return the examples of a file. Raises ExamplesError with one sentence for anything else."""
    try:
        length = int.from_bytes(file[:8], "little")
        metadata = json.loads(file[8 : 8 + length])["__metadata__"]
        return from_parts(json.loads(metadata[METADATA]), load_tensors(file))
    except ExamplesError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ExamplesError("This is not a whole file of examples, as Glassbot saves them: choose another.") from error


def _photos(names: Iterable[Any], embeddings: NDArray[Any]) -> Photos:
    names = tuple(names)
    if not all(isinstance(name, str) and _SHA256.fullmatch(name) for name in names):
        raise ExamplesError("It names a photo by something else than its SHA-256.")
    if embeddings.dtype != np.float16:
        raise ExamplesError(f"Its embeddings are {embeddings.dtype}, not float16.")
    return Photos(names, embeddings)


def _key(name: str) -> str:
    """Return what two spellings of one name have in common."""
    return plain_name(name).casefold()


def check_name(name: object) -> None:
    """Raise ExamplesError for a name that cannot be taught."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ExamplesError(f"A name needs letters that can be read; {name!r} has none, or has others, too.")
    if len(name) > _LONGEST_NAME:
        raise ExamplesError(f"A name has at most {_LONGEST_NAME} letters; {name[:20]!r}… has {len(name)}.")


def _check_photos(name: str, photos: Photos, size: int) -> None:
    if not len(photos):
        raise ExamplesError(f"{name!r} has no photo: give it some, or leave it out.")
    if len(set(photos.names)) != len(photos):
        raise ExamplesError(f"{name!r} holds a photo twice.")
    if photos.embeddings.shape[1] != size:
        raise ExamplesError(f"{name!r} has embeddings of {photos.embeddings.shape[1]} numbers instead of {size}.")

"""The small shipped form of the weights, and back. numpy.

After Deep Compression (Han et al., ICLR 2016). Convolutions: 8 bits, one scale for each output row. Linear layers, most
of whose weights are zero after pruning (`training.release.prune`): one bit for each weight says whether it is kept, and
4 bits for each kept weight are an index into a codebook of 16 values for each block of 16 rows, fitted by Lloyd's
algorithm (k-means in one dimension). The values are whole numbers of 8 bits times one scale, so that both are the
same in memory. Then zlib, Huffman coding alone: neither bits nor indices repeat, but they are not evenly likely. Biases
stay as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.weights import Floats, Quantised, Weights

_BINS = 2048
_ROWS = 16
_LEVELS = 16
_TOP = 127


def encode(weights: Mapping[str, Floats]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Tensors to store, and how each compressed weight is encoded (``int8`` or ``sparse4``)."""
    tensors: dict[str, NDArray[Any]] = {}
    encodings: dict[str, str] = {}
    for name, weight in weights.items():
        if weight.ndim == 1:
            tensors[name] = weight
            continue
        encodings[name], parts = ("sparse4", _sparse(weight)) if weight.ndim == 2 else ("int8", _whole(weight))
        tensors |= {f"{name}.{part}": value for part, value in parts.items()}
    return tensors, encodings


def decode(
    stored: Mapping[str, NDArray[Any]], encodings: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> Weights:
    """Float32 weights from what :func:`encode` (or a plain save) stored; what was compressed stays whole numbers.

    Raises ValueError, KeyError or zlib.error where the parts do not fit together; no stream is inflated past the size
    that ``shapes`` asks for.
    """
    parts = {f"{name}.{part}" for name in encodings for part in _PARTS}
    weights: dict[str, Floats | Quantised] = {
        name: np.asarray(value, np.float32) for name, value in stored.items() if name not in parts
    }
    for name, encoding in encodings.items():
        if encoding not in _DECODERS:
            raise ValueError(f"{name} is encoded as {encoding!r}, which this program does not know")
        mine = {part: stored[f"{name}.{part}"] for part in _PARTS if f"{name}.{part}" in stored}
        weights[name] = _DECODERS[encoding](mine, shapes[name])
    return Weights(weights)


def stored_bytes(stored: Mapping[str, NDArray[Any]], name: str) -> int:
    """How many bytes of a file one tensor takes, of those that :func:`encode` made."""
    return sum(stored[key].nbytes for key in (name, *(f"{name}.{part}" for part in _PARTS)) if key in stored)


def levels(weight: Floats) -> Floats:
    """(rows, 16): the values that those weights of each row of a linear layer can have which are not zero."""
    books, scale = _codebooks(_kept(weight))
    return np.repeat(books * scale[:, None], _ROWS, axis=0)[: len(weight)]


def _kept(weight: Floats) -> list[Floats]:
    """The weights of each sixteen rows that are not zero."""
    return [block[block != 0] for block in np.split(weight, range(_ROWS, len(weight), _ROWS))]


def _codebooks(kept: list[Floats]) -> tuple[NDArray[np.int8], Floats]:
    """(blocks, 16) and (blocks,): sixteen whole numbers for each block, and what they are multiplied by."""
    values = np.stack([_lloyd(block) for block in kept])
    scale = (np.maximum(np.abs(values).max(1), 1e-12) / _TOP).astype(np.float32)
    return np.round(values / scale[:, None]).astype(np.int8), scale


def _whole(weight: Floats) -> dict[str, NDArray[Any]]:
    rows = weight.reshape(len(weight), -1)
    scale = (np.maximum(np.abs(rows).max(1), 1e-12) / _TOP).astype(np.float32)
    return {"zlib": _deflate(np.round(rows / scale[:, None]).astype(np.int8).view(np.uint8)), "scale": scale}


def _from_whole(parts: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Quantised:
    codes = _inflate(parts["zlib"], int(np.prod(shape))).view(np.int8).reshape(shape)
    return Quantised(codes, np.asarray(parts["scale"], np.float32))


def _sparse(weight: Floats) -> dict[str, NDArray[Any]]:
    """``kept``: a bit for each weight. ``zlib``: two indices a byte. ``books``: (blocks, 16). ``scale``: (blocks,)."""
    kept = _kept(weight)
    books, scale = _codebooks(kept)
    middles = (books[:, 1:] + books[:, :-1].astype(np.float32)) / 2 * scale[:, None]
    codes = [np.searchsorted(cuts, block).astype(np.uint8) for cuts, block in zip(middles, kept, strict=True)]
    pairs = np.concatenate([*codes, np.zeros(sum(map(len, codes)) % 2, np.uint8)])
    return {
        "kept": _deflate(np.packbits(weight != 0)), "zlib": _deflate((pairs[0::2] << 4) | pairs[1::2]),
        "books": books, "scale": scale,
    }  # fmt: skip


def _from_sparse(parts: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Quantised:
    books, size, blocks = np.asarray(parts["books"]), int(np.prod(shape)), -(-shape[0] // _ROWS)
    if books.shape != (blocks, _LEVELS) or books.dtype != np.int8:
        raise ValueError(f"codebooks are {books.dtype} {books.shape}, not int8 {(blocks, _LEVELS)}")
    kept = np.unpackbits(_inflate(parts["kept"], -(-size // 8)), count=size).view(np.bool_)
    number = int(np.count_nonzero(kept))
    packed = _inflate(parts["zlib"], -(-number // 2))
    indices = np.stack([packed >> 4, packed & 15], axis=1).reshape(-1)[:number]
    codes, done, step = np.zeros(size, np.int8), 0, _ROWS * (size // shape[0])
    for start, book in zip(range(0, size, step), books, strict=True):
        places = np.flatnonzero(kept[start : start + step])
        codes[start : start + step][places] = book[indices[done : done + len(places)]]
        done += len(places)
    codes = codes.reshape(shape)
    return Quantised(codes, np.repeat(np.asarray(parts["scale"], np.float32), _ROWS)[: shape[0]])


_PARTS = ("zlib", "kept", "books", "scale")
_DECODERS = {"int8": _from_whole, "sparse4": _from_sparse}


def _deflate(values: NDArray[Any]) -> NDArray[np.uint8]:
    coder = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return np.frombuffer(coder.compress(np.ascontiguousarray(values).tobytes()) + coder.flush(), np.uint8)


def _inflate(stream: NDArray[Any], size: int) -> NDArray[np.uint8]:
    decoder = zlib.decompressobj()
    raw = decoder.decompress(np.asarray(stream, np.uint8).tobytes(), size)
    if len(raw) != size or decoder.decompress(decoder.unconsumed_tail, 1):
        raise ValueError(f"a compressed tensor does not hold the {size} bytes it should")
    return np.frombuffer(raw, np.uint8)


def _lloyd(values: Floats, rounds: int = 60) -> Floats:
    """The 16 values that stand for ``values`` with the least squared error, sorted; on a histogram of 2,048 bins.

    Where they are at most 16 already, these.
    """
    distinct = np.unique(values)
    if len(distinct) <= _LEVELS:
        return np.pad(
            distinct.astype(np.float32), (0, _LEVELS - len(distinct)), "edge" if len(distinct) else "constant"
        )
    low, high = float(distinct[0]), float(distinct[-1])
    counts, edges = np.histogram(values, _BINS, (low, high))
    middles = (edges[1:] + edges[:-1]) / 2
    count = np.concatenate([[0.0], np.cumsum(counts)])
    total = np.concatenate([[0.0], np.cumsum(counts * middles)])
    book = np.quantile(values, (np.arange(_LEVELS) + 0.5) / _LEVELS)
    for _ in range(rounds):
        cut = np.concatenate([[0], np.searchsorted(middles, (book[1:] + book[:-1]) / 2), [_BINS]])
        mass = np.diff(count[cut])
        book = np.where(mass > 0, np.diff(total[cut]) / np.maximum(mass, 1), book)
    return np.sort(book).astype(np.float32)

"""Encodes weights in the small form that is shipped, and decodes it. numpy.

After Deep Compression (Han et al., ICLR 2016). Convolutions: 8 bits, one scale for each output row. Linear layers, most
of whose weights are zero after pruning (`training.release.prune`): one bit for each weight says whether it is zero, and
4 bits for each of the others are an index into a codebook of 16 values for each block of 16 rows, fitted by Lloyd's
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

_BINS = 2048  # of the histogram that a codebook is fitted to
_ROWS = 16  # that share a codebook and a scale
_LEVELS = 16  # values in a codebook
_TOP = 127  # the largest int8


def encode(weights: Mapping[str, Floats]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors to store, and how each compressed weight is encoded: ``int8`` or ``sparse4``."""
    tensors: dict[str, NDArray[Any]] = {}
    encodings: dict[str, str] = {}
    for name, weight in weights.items():
        if weight.ndim == 1:
            tensors[name] = weight
            continue
        encodings[name] = "sparse4" if weight.ndim == 2 else "int8"
        parts = _encode_sparse4(weight) if weight.ndim == 2 else _encode_int8(weight)
        tensors |= {f"{name}.{part}": value for part, value in parts.items()}
    return tensors, encodings


def decode(
    stored: Mapping[str, NDArray[Any]], encodings: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> Weights:
    """Return the weights that :func:`encode` stored; compressed ones stay quantised, others are dense float32.

    ``shapes`` has the shape of every weight; no stream is inflated past it. Raises ValueError, KeyError or zlib.error
    where the stored tensors do not fit together.
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
    """Return how many bytes the tensors that :func:`encode` made of one weight take together."""
    return sum(stored[key].nbytes for key in (name, *(f"{name}.{part}" for part in _PARTS)) if key in stored)


def levels(weight: Floats) -> Floats:
    """Return (rows, 16) the values that weights of each row of a linear layer can have, besides zero."""
    books, scale = _codebooks(_nonzero_blocks(weight))
    return np.repeat(books * scale[:, None], _ROWS, axis=0)[: len(weight)]


def _nonzero_blocks(weight: Floats) -> list[Floats]:
    """Return for each block of sixteen rows its weights that are not zero."""
    return [block[block != 0] for block in np.split(weight, range(_ROWS, len(weight), _ROWS))]


def _codebooks(blocks: list[Floats]) -> tuple[NDArray[np.int8], Floats]:
    """Return (blocks, 16) codebooks of whole numbers, and (blocks,) the factors that make values of them."""
    values = np.stack([_lloyd(block) for block in blocks])
    scale = (np.maximum(np.abs(values).max(1), 1e-12) / _TOP).astype(np.float32)
    return np.round(values / scale[:, None]).astype(np.int8), scale


def _encode_int8(weight: Floats) -> dict[str, NDArray[Any]]:
    rows = weight.reshape(len(weight), -1)
    scale = (np.maximum(np.abs(rows).max(1), 1e-12) / _TOP).astype(np.float32)
    return {"zlib": _deflate(np.round(rows / scale[:, None]).astype(np.int8).view(np.uint8)), "scale": scale}


def _decode_int8(parts: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Quantised:
    codes = _inflate(parts["zlib"], int(np.prod(shape))).view(np.int8).reshape(shape)
    return Quantised(codes, np.asarray(parts["scale"], np.float32))


def _encode_sparse4(weight: Floats) -> dict[str, NDArray[Any]]:
    """Return what is stored of a linear layer.

    ``kept``: a bit for each weight, 0 for zero. ``zlib``: two indices a byte. ``books``: (blocks, 16) codebooks.
    ``scale``: (blocks,) their factors.
    """
    blocks = _nonzero_blocks(weight)
    books, scale = _codebooks(blocks)
    middles = (books[:, 1:] + books[:, :-1].astype(np.float32)) / 2 * scale[:, None]
    codes = [np.searchsorted(cuts, block).astype(np.uint8) for cuts, block in zip(middles, blocks, strict=True)]
    pairs = np.concatenate([*codes, np.zeros(sum(map(len, codes)) % 2, np.uint8)])
    return {
        "kept": _deflate(np.packbits(weight != 0)),
        "zlib": _deflate((pairs[0::2] << 4) | pairs[1::2]),
        "books": books,
        "scale": scale,
    }


def _decode_sparse4(parts: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Quantised:
    books = np.asarray(parts["books"])
    size = int(np.prod(shape))
    blocks = -(-shape[0] // _ROWS)
    if books.shape != (blocks, _LEVELS) or books.dtype != np.int8:
        raise ValueError(f"codebooks are {books.dtype} {books.shape}, not int8 {(blocks, _LEVELS)}")
    nonzero = np.unpackbits(_inflate(parts["kept"], -(-size // 8)), count=size).view(np.bool_)
    number = int(np.count_nonzero(nonzero))
    packed = _inflate(parts["zlib"], -(-number // 2))
    indices = np.stack([packed >> 4, packed & 15], axis=1).reshape(-1)[:number]
    codes = nonzero.view(np.int8)  # in its place: each block is read before it is written
    done = 0
    step = _ROWS * (size // shape[0])
    for start, book in zip(range(0, size, step), books, strict=True):
        places = np.flatnonzero(nonzero[start : start + step])
        codes[start : start + step][places] = book[indices[done : done + len(places)]]
        done += len(places)
    codes = codes.reshape(shape)
    return Quantised(codes, np.repeat(np.asarray(parts["scale"], np.float32), _ROWS)[: shape[0]])


_PARTS = ("zlib", "kept", "books", "scale")
_DECODERS = {"int8": _decode_int8, "sparse4": _decode_sparse4}


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
    """Return 16 values, sorted, that stand for ``values`` with the least squared error, by Lloyd's algorithm.

    It works on a histogram of 2,048 bins. Where there are at most 16 distinct values, it returns those.
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

"""The small shipped form of the weights, and back. numpy.

Convolutions and fc8: 8 bits, one scale for each output row. fc6 and fc7: 4 bits, indices into a codebook of 16 values
for each block of rows, fitted by Lloyd's algorithm (k-means in one dimension; Han et al., ICLR 2016); the values are
whole numbers of 8 bits times one scale, so that both kinds are the same in memory. Then zlib, Huffman coding alone:
indices do not repeat, but they are not evenly likely. Biases stay as they are.
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
    """Tensors to store, and how each compressed weight is encoded (``int8`` or ``codebook4``)."""
    tensors: dict[str, NDArray[Any]] = {}
    encodings: dict[str, str] = {}
    for name, weight in weights.items():
        if name in ("fc6.weight", "fc7.weight"):
            codes, books, scale = _quantise_blocks(weight)
            packed = (codes[:, 0::2] << 4) | codes[:, 1::2]
            encodings[name] = "codebook4"
            tensors[f"{name}.books"], tensors[f"{name}.scale"] = books, scale
        elif weight.ndim > 1:
            rows = weight.reshape(len(weight), -1)
            scale = np.maximum(np.abs(rows).max(1), 1e-12) / _TOP
            packed = np.round(rows / scale[:, None]).astype(np.int8).view(np.uint8)
            encodings[name] = "int8"
            tensors[f"{name}.scale"] = scale.astype(np.float32)
        else:
            tensors[name] = weight
            continue
        tensors[f"{name}.zlib"] = _deflate(packed)
    return tensors, encodings


def decode(
    stored: Mapping[str, NDArray[Any]], encodings: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> Weights:
    """Float32 weights from what :func:`encode` (or a plain save) stored; what was compressed stays whole numbers.

    Raises ValueError, KeyError or zlib.error where the parts do not fit together; no stream is inflated past the size
    that ``shapes`` asks for.
    """
    parts = {f"{name}.{part}" for name in encodings for part in ("zlib", "books", "scale")}
    weights: dict[str, Floats | Quantised] = {
        name: np.asarray(value, np.float32) for name, value in stored.items() if name not in parts
    }
    for name, encoding in encodings.items():
        shape = shapes[name]
        size = int(np.prod(shape)) // (2 if encoding == "codebook4" else 1)
        packed = _inflate(stored[f"{name}.zlib"], size)
        scale = np.asarray(stored[f"{name}.scale"], np.float32)
        if encoding == "codebook4":
            codes = _look_up(packed, np.asarray(stored[f"{name}.books"]), shape)
            weights[name] = Quantised(codes, np.repeat(scale, _ROWS))
        elif encoding == "int8":
            weights[name] = Quantised(packed.view(np.int8).reshape(shape), scale)
        else:
            raise ValueError(f"{name} is encoded as {encoding!r}, which this program does not know")
    return Weights(weights)


def _deflate(values: NDArray[Any]) -> NDArray[np.uint8]:
    coder = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return np.frombuffer(coder.compress(np.ascontiguousarray(values).tobytes()) + coder.flush(), np.uint8)


def _inflate(stream: NDArray[Any], size: int) -> NDArray[np.uint8]:
    decoder = zlib.decompressobj()
    raw = decoder.decompress(np.asarray(stream, np.uint8).tobytes(), size)
    if len(raw) != size or decoder.decompress(decoder.unconsumed_tail, 1):
        raise ValueError(f"a compressed tensor does not hold the {size} bytes it should")
    return np.frombuffer(raw, np.uint8)


def _quantise_blocks(weight: Floats) -> tuple[NDArray[np.uint8], NDArray[np.int8], Floats]:
    """(rows, columns) -> codes of the same shape; for each 16 rows a sorted codebook (blocks, 16) and its scale."""
    blocks = np.ascontiguousarray(weight).reshape(len(weight) // _ROWS, -1)
    values = np.stack([_lloyd(block) for block in blocks])
    scale = (np.maximum(np.abs(values).max(1), 1e-12) / _TOP).astype(np.float32)
    books = np.round(values / scale[:, None]).astype(np.int8)
    codes = np.empty(blocks.shape, np.uint8)
    for block, book, out in zip(blocks, books * scale[:, None], codes, strict=True):
        out[:] = np.searchsorted((book[1:] + book[:-1]) / 2, block)
    return codes.reshape(weight.shape), books, scale


def _lloyd(values: Floats, rounds: int = 60) -> Floats:
    """The 16 values that stand for ``values`` with the least squared error, sorted; on a histogram of 2,048 bins."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.full(_LEVELS, low, np.float32)
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


def _look_up(packed: NDArray[np.uint8], books: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int8]:
    if books.shape != (shape[0] // _ROWS, _LEVELS) or books.dtype != np.int8:
        raise ValueError(f"codebooks are {books.dtype} {books.shape}, not int8 {(shape[0] // _ROWS, _LEVELS)}")
    rows = packed.reshape(len(books), -1)
    # A pair of codes is one byte, so a table of 256 pairs for each block decodes two weights at a look-up.
    pairs = np.stack([np.repeat(books, _LEVELS, 1), np.tile(books, (1, _LEVELS))], axis=-1).view(np.uint16)[..., 0]
    codes = np.empty(rows.shape, np.uint16)
    for block, table, out in zip(rows, pairs, codes, strict=True):
        np.take(table, block, out=out)
    return codes.view(np.int8).reshape(shape)

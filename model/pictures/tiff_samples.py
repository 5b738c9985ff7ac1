"""The samples of a TIFF page as numbers, and these as a picture of 8 bits."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.pictures.depth import Range, to_bytes, value_range
from model.pictures.errors import DamagedError, UnreadKindError

Bytes = NDArray[np.uint8]
_WITH_PREDICTOR = (5, 8, 32946, 34925, 50000)
_INK, _WHITE_IS_ZERO = 5, 0
_BROKEN = "The directory of this TIFF picture is damaged."
_ROWS = 256  # unpacked at a time where samples are not whole bytes
_MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA", (4, False): "CMYK"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the samples of one page lie in its file."""

    width: int
    height: int
    bits: int
    """Bits of each sample in the file."""
    format: Literal["u", "i", "f"] | str
    """NumPy's kind of number: unsigned, signed or floating point."""
    order: str
    """Byte order, as in NumPy: ``<`` or ``>``."""
    samples: int
    """Samples of each pixel, alpha included."""
    planar: bool
    """Whether each channel is a plane of its own."""
    photometric: int
    compression: int
    predictor: int
    extra: int
    """What the first sample beyond the colours is: 1 and 2 are alpha."""
    tile: tuple[int, int] | None
    """(width, height) of a tile; None where there are strips."""
    rows_per_strip: int
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    fill_order: int
    stated: Range | None
    """The values that the file names as black and white."""
    ignored: float | None
    """The value that marks pixels where nothing was measured."""

    @property
    def colours(self) -> int:
        """Channels of colour: 1 for grey, 3 for RGB, 4 for inks."""
        return {2: 3, _INK: 4}.get(self.photometric, 1)

    @property
    def has_alpha(self) -> bool:
        """Whether a channel of alpha follows the colours."""
        return self.samples > self.colours and self.extra in (1, 2) and self.colours != 4

    @property
    def mode(self) -> str:
        """Pillow's mode of the decoded picture."""
        return _MODES[self.colours, self.has_alpha]

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes that the samples of a pixel take as numbers."""
        return self.samples * max(1, self.dtype.itemsize)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of the samples, in the byte order of the file."""
        size = next(size for size in (8, 16, 32, 64) if size >= self.bits) // 8
        return np.dtype(f"{self.order}{self.format}{size}")

    @property
    def is_packed(self) -> bool:
        """Whether samples are no whole bytes and lie one after the other, bit by bit."""
        return self.bits not in (8, 16, 32, 64)

    def check(self) -> None:
        """Raise UnreadKindError for a layout that is not read, and DamagedError for one that cannot be."""
        floats = self.format == "f"
        if not 1 <= self.bits <= 64:
            raise DamagedError(_BROKEN)
        if (floats and self.bits not in (16, 32, 64)) or (self.is_packed and self.bits > 32):
            raise UnreadKindError(f"TIFF of {self.bits}-bit {'floating-point ' if floats else ''}samples")
        if self.is_packed and (self.format == "i" or self.tile or self.predictor != 1):
            raise UnreadKindError(f"TIFF of {self.bits}-bit samples, signed, in tiles or predicted")
        sides = (self.width, self.height, self.samples, self.rows_per_strip, *(self.tile or ()))
        parts = len(self.offsets)
        if not parts or parts != len(self.lengths) or min(sides) < 1 or self.samples < self.colours:
            raise DamagedError(_BROKEN)
        if self.planar and parts % self.samples:
            raise DamagedError(_BROKEN)


def decode(layout: Layout, body: bytes) -> Image.Image:
    """The page as a picture of 8 bits, in ``layout.mode``. Raises OSError or ValueError for broken data."""
    if layout.planar:
        count = len(layout.offsets) // layout.samples
        needed = range(layout.colours + layout.has_alpha)
        planes = [_plane(layout, body, slice(n * count, (n + 1) * count)) for n in needed]
        return _picture(layout, planes)
    whole = _values(layout, body)
    return _picture(layout, [whole[:, :, n] for n in range(layout.samples)])


def _plane(layout: Layout, body: bytes, part: slice) -> NDArray[Any]:
    offsets, lengths = layout.offsets[part], layout.lengths[part]
    alone = replace(layout, planar=False, samples=1, photometric=1, offsets=offsets, lengths=lengths)
    return _values(alone, body)[:, :, 0]


def _picture(layout: Layout, channels: list[NDArray[Any]]) -> Image.Image:
    colours = channels[: layout.colours]
    if layout.is_packed or layout.dtype == np.uint8:
        ranges: Range = layout.stated or (0, 2**layout.bits - 1)
    else:
        ranges = _range(layout, colours)
    scaled = [to_bytes(channel, ranges) for channel in colours]
    if layout.photometric == _WHITE_IS_ZERO:
        scaled = [255 - channel for channel in scaled]
    if layout.has_alpha:
        alpha = channels[layout.colours]
        scaled.append(to_bytes(alpha, (0, 2**layout.bits - 1) if layout.format == "u" else value_range(alpha)))
    picture = Image.merge(layout.mode, [Image.fromarray(np.ascontiguousarray(channel)) for channel in scaled])
    return _separated(picture) if layout.has_alpha and layout.extra == 1 else picture


def _range(layout: Layout, colours: list[NDArray[Any]]) -> Range:
    """One range for all channels, so that colours stay what they are."""
    found = [value_range(channel, layout.stated, layout.ignored) for channel in colours]
    return min(low for low, _ in found), max(high for _, high in found)


def _separated(picture: Image.Image) -> Image.Image:
    """A picture whose colours are multiplied by alpha, without that."""
    rgba = picture.convert("RGBA")
    associated = Image.frombytes("RGBa", rgba.size, rgba.tobytes())
    return associated.convert("RGBA").convert(picture.mode)


def _values(layout: Layout, body: bytes) -> NDArray[Any]:
    """(H, W, samples) of an interleaved page."""
    across = -(-layout.width // layout.tile[0]) if layout.tile else 1
    columns = layout.tile[0] if layout.tile else layout.width
    row_bytes = -(-columns * layout.samples * layout.bits // 8)
    rows = _unpacked(layout, body, row_bytes, across)
    if layout.is_packed:
        return _from_bits(rows, layout).reshape(layout.height, layout.width, layout.samples)
    numbers = _unpredicted(rows.reshape(layout.height, across, row_bytes), layout, columns)
    return numbers.reshape(layout.height, across * columns, layout.samples)[:, : layout.width]


def _unpacked(layout: Layout, body: bytes, row_bytes: int, across: int) -> Bytes:
    """(H, bytes of a row) as they are after decompression: libtiff is told that they are grey of 8 bits."""
    columns = row_bytes * across
    tags: dict[int, Sequence[int]] = {256: (columns,), 257: (layout.height,), 258: (8,), 259: (layout.compression,)}
    tags |= {262: (1,), 266: (layout.fill_order,)}
    if layout.tile:
        tags |= {322: (row_bytes,), 323: layout.tile[1:], 324: layout.offsets, 325: layout.lengths}
    else:
        tags |= {273: layout.offsets, 278: (layout.rows_per_strip,), 279: layout.lengths}
    at = len(body) + len(body) % 2
    head = struct.pack(f"{layout.order}2sHI", b"II" if layout.order == "<" else b"MM", 42, at)
    file = BytesIO(
        b"".join((head, body[8:].ljust(at - 8, b"\0"), _directory(dict(sorted(tags.items())), layout.order, at)))
    )
    with Image.open(file, formats=("TIFF",)) as grey:
        return np.asarray(grey)


def _directory(tags: Mapping[int, Sequence[int]], order: str, at: int) -> bytes:
    """A directory of whole numbers of 32 bits, to lie ``at`` bytes from the start of a file (TIFF 6.0, section 2)."""
    beside = at + 2 + 12 * len(tags) + 4
    entries, values = [struct.pack(f"{order}H", len(tags))], b""
    for tag, numbers in tags.items():
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        place = packed if len(packed) == 4 else struct.pack(f"{order}I", beside + len(values))
        entries.append(struct.pack(f"{order}HHI4s", tag, 4, len(numbers), place))
        values += packed if len(packed) != 4 else b""
    return b"".join((*entries, bytes(4), values))


def _unpredicted(rows: Bytes, layout: Layout, columns: int) -> NDArray[Any]:
    """(H, tiles across, columns * samples) of bytes as numbers, with the predictor undone."""
    height, across, _ = rows.shape
    shape = (height, across, columns, layout.samples)
    predictor = layout.predictor if layout.compression in _WITH_PREDICTOR else 1
    if predictor == 1:
        return np.ascontiguousarray(rows).view(layout.dtype).reshape(shape)
    if predictor == 2:
        size = layout.dtype.itemsize
        differences = np.ascontiguousarray(rows).view(f"{layout.order}u{size}").reshape(shape)
        return np.cumsum(differences, axis=2, dtype=f"u{size}").view(f"{layout.format}{size}")
    if predictor == 3 and layout.format == "f":
        size = layout.dtype.itemsize
        interleaved = rows.reshape(height, across, columns * size, layout.samples)
        planes = np.cumsum(interleaved, axis=2, dtype=np.uint8).reshape(height, across, size, -1)
        return np.ascontiguousarray(planes.swapaxes(2, 3)).view(f">f{size}").reshape(shape)
    raise UnreadKindError(f"TIFF with the predictor {predictor}")


def _from_bits(rows: Bytes, layout: Layout) -> NDArray[Any]:
    """(H, samples of a row) of numbers that are packed bit by bit, the highest first."""
    count = layout.width * layout.samples
    result = np.empty((len(rows), count), layout.dtype.newbyteorder("="))
    weights = 1 << np.arange(layout.bits - 1, -1, -1, dtype=np.uint64)
    for top in range(0, len(rows), _ROWS):
        bits = np.unpackbits(rows[top : top + _ROWS], axis=1, count=count * layout.bits)
        result[top : top + _ROWS] = bits.reshape(-1, count, layout.bits) @ weights
    return result

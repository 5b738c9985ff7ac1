"""TIFF: which page is the picture, and the pages that Pillow reads wrongly or not at all.

Those are pages of samples in other than 8 bits, where Pillow drops low bits or refuses, and of separate planes. Their
bytes are unpacked by Pillow's libtiff, as grey of 8 bits; what they mean is worked out here (TIFF 6.0, June 1992).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import COMPRESSION_INFO, ImageFileDirectory_v2

from model.pictures import tiff_samples
from model.pictures.errors import DamagedError, UnreadKindError
from model.pictures.tiff_samples import Layout

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

_MAX_PAGES = 100
_MAX_PADDING = 1 << 26  # bytes that are unpacked for nothing; a tile of 4096 x 4096 holds fewer in RGB
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_COLOUR_FILTER, _LINEAR_RAW = 32803, 34892
_PHOTOMETRIC = {
    **{_COLOUR_FILTER: "a camera's raw file", _LINEAR_RAW: "a camera's raw file"},
    **{3: "a palette", 4: "a mask", 6: "YCbCr"},
    **{8: "Lab", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv", 51177: "a depth map"},
}
_COMPRESSIONS = {
    **{6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000", 33003: "JPEG 2000", 33005: "JPEG 2000", 34892: "lossy JPEG"},
    **{
        34887: "LERC",
        50002: "JPEG XL",
        52546: "JPEG XL",
        22610: "JPEG XR",
        34934: "JPEG XR",
        50001: "WebP",
        34933: "PNG",
    },
}
"""Compressions whose bytes are no plain samples."""
_LACKING = frozenset(_COMPRESSIONS) - {6, 7}
"""Those that Pillow's libtiff lacks, too; pages of 8 bits in the other ones are left to it."""


class RawFileError(UnreadKindError):
    """The file is a camera's raw file in TIFF's form: what can be seen in it without developing it is a preview."""


class _Directory(ImageFileDirectory_v2):
    """Pillow's directory, which also knows how BigTIFF refers to the directories below it (type 18)."""

    _load_dispatch = ImageFileDirectory_v2._load_dispatch | {18: ImageFileDirectory_v2._load_dispatch[16]}


@dataclass(frozen=True)
class Page:
    """One directory of a TIFF file: a picture, a thumbnail, a mask or a raw mosaic."""

    offset: int
    tags: ImageFileDirectory_v2

    def number(self, tag: int, default: int) -> int:
        """The first value of a tag as a whole number. Raises DamagedError where it is none."""
        return self.numbers(tag, (default,))[0]

    def numbers(self, tag: int, default: Sequence[int] = ()) -> tuple[int, ...]:
        """All values of a tag as whole numbers. Raises DamagedError where one is none."""
        try:
            value: Any = self.tags.get(tag, default)
            values = value if isinstance(value, (tuple, list, bytes)) else (value,)
            return tuple(map(int, values)) or tuple(default)
        except (ValueError, TypeError, OverflowError, ZeroDivisionError) as error:
            raise DamagedError("The directory of this TIFF picture is damaged.") from error

    @property
    def padding(self) -> int:
        """How many unpacked bytes of its tiles lie beyond the picture."""
        width, height = self.number(256, 0), self.number(257, 0)
        across, down = (max(1, self.number(tag, 1)) for tag in (322, 323))
        pixels = -(-width // across) * across * -(-height // down) * down - width * height
        return pixels * self.number(277, 1) * self.number(258, 1) // 8

    @property
    def is_full(self) -> bool:
        """Whether it is a picture at its full size, and neither a thumbnail nor a mask."""
        if self.number(255, 1) == 2:  # SubfileType, of before TIFF 6.0
            return False
        return not self.number(254, 0) & (_REDUCED | _MASK) and self.number(256, 0) > 0

    @property
    def is_raw(self) -> bool:
        """Whether a camera wrote it for a program that develops photos."""
        return 50706 in self.tags or self.number(262, 1) in (_COLOUR_FILTER, _LINEAR_RAW)


def open_tiff(body: bytes) -> Image.Image:
    """Open the first full page, without decoding it.

    Raises RawFileError, UnreadKindError, DamagedError, or what Pillow raises for a broken header.
    """
    pages = list(_pages(body))
    if body[8:10] == b"CR" or any(page.is_raw for page in pages):
        raise RawFileError("a camera's raw file")
    if not pages:
        raise DamagedError("This begins like TIFF, but its header is damaged or cut off.")
    page = next((page for page in pages if page.is_full), pages[0])
    compression = page.number(259, 1)
    if compression in _LACKING or compression not in COMPRESSION_INFO:
        raise UnreadKindError(f"TIFF with compression of the kind {_COMPRESSIONS.get(compression, compression)}")
    if page.padding > _MAX_PADDING:
        raise UnreadKindError("TIFF of tiles far larger than the picture")
    if _is_plain(page) and body[3] != 43:  # Pillow does not open big-endian BigTIFF
        with suppress(UnidentifiedImageError):  # nor channels of other numbers or bits than it has modes for
            return Image.open(BytesIO(_led_by(page, body)), formats=("TIFF",))
    return UnusualTiff(page, body)


def _pages(body: bytes) -> Iterator[Page]:
    """The pages of the file, each followed by those below it (SubIFDs)."""
    big = 43 in body[2:4]
    offset = _number(body, body[8:16] if big else body[4:8])
    waiting, seen = [offset], set[int]()
    while waiting and len(seen) < _MAX_PAGES:
        offset = waiting.pop(0)
        if offset in seen or not 0 < offset < len(body):
            continue
        seen.add(offset)
        tags = _Directory(body[: 16 if body[2] == 43 else 8])
        tags._bigtiff = big  # Pillow itself looks for it in little-endian files only
        file = BytesIO(body)
        file.seek(offset)
        tags.load(file)
        page = Page(offset, tags)
        yield page
        waiting[:0] = [*page.numbers(330), getattr(tags, "next", 0) or 0]


def _number(body: bytes, packed: bytes) -> int:
    return int.from_bytes(packed, "little" if body[:2] == b"II" else "big")


def _led_by(page: Page, body: bytes) -> bytes:
    """The file with that page as its first one, which is the one that Pillow opens."""
    big = 43 in body[2:4]
    order = "little" if body[:2] == b"II" else "big"
    at, size = (8, 8) if big else (4, 4)
    if _number(body, body[at : at + size]) == page.offset:
        return body
    return body[:at] + page.offset.to_bytes(size, order) + body[at + size :]  # type: ignore[arg-type]


def _is_plain(page: Page) -> bool:
    """Whether Pillow reads its samples right: unsigned, of at most 8 bits, or compressed as pictures are."""
    bits = page.numbers(258, (1,))
    plain = max(bits) <= 8 and set(page.numbers(339, (1,))) <= {1, 4}
    return plain and (page.number(284, 1) == 1 or min(bits) == 8)


class UnusualTiff(ImageFile.ImageFile):
    """One page of TIFF whose samples are worked out here; ``load`` raises OSError or ValueError for broken ones."""

    format = "TIFF"
    format_description = "Adobe TIFF of other than 8 bits"

    def __init__(self, page: Page, body: bytes) -> None:
        self._page = page
        self._body = body
        super().__init__(BytesIO(body))

    def _open(self) -> None:
        self.layout = layout_of(self._page)
        self._size = (self.layout.width, self.layout.height)
        self._mode = self.layout.mode
        profile = self._page.tags.get(34675)
        if isinstance(profile, bytes):
            self.info["icc_profile"] = profile
        exif = Image.Exif()
        exif[274] = self._page.number(274, 1)
        self.info["exif"] = exif.tobytes()

    @property
    def bytes_per_pixel(self) -> int:
        """How many bytes a pixel takes before it is scaled to 8 bits a sample."""
        return self.layout.bytes_per_pixel

    def load(self) -> PixelAccess | None:
        """Unpack the samples and scale them to 8 bits."""
        if self._im is None:
            self.im = tiff_samples.decode(self.layout, self._body).im
        return super().load()


def layout_of(page: Page) -> Layout:
    """How the samples of a page lie in the file. Raises UnreadKindError, naming what is not read, or DamagedError."""
    photometric = page.number(262, 1)
    compression = page.number(259, 1)
    sample_format = page.number(339, 1)
    bits = page.numbers(258, (1,))
    for number, names, what in ((photometric, _PHOTOMETRIC, "colours"), (compression, _COMPRESSIONS, "compression")):
        if number in names:
            raise UnreadKindError(f"TIFF of {bits[0]} bits with {what} of the kind {names[number]}")
    if sample_format in (5, 6):
        raise UnreadKindError("TIFF of complex numbers")
    if photometric not in (0, 1, 2, 5):
        raise UnreadKindError(f"TIFF of {bits[0]} bits with colours of the kind {photometric}")
    if len(set(bits)) > 1:
        raise UnreadKindError("TIFF whose channels differ in their number of bits")
    stated = _stated(page)
    tiled = 322 in page.tags
    width, height = page.number(256, 0), page.number(257, 0)
    layout = Layout(
        width=width,
        height=height,
        bits=bits[0],
        format={2: "i", 3: "f"}.get(sample_format, "u"),
        order="<" if page.tags.prefix == b"II" else ">",
        samples=page.number(277, 1),
        planar=page.number(284, 1) == 2,
        photometric=photometric,
        compression=compression,
        predictor=page.number(317, 1),
        extra=page.number(338, 0),
        tile=(page.number(322, 0), page.number(323, 0)) if tiled else None,
        rows_per_strip=min(page.number(278, height), height),
        offsets=page.numbers(324 if tiled else 273),
        lengths=page.numbers(325 if tiled else 279),
        fill_order=page.number(266, 1),
        stated=stated,
        ignored=_ignored(page),
    )
    layout.check()
    return layout


def _stated(page: Page) -> tuple[float, float] | None:
    """The values that the file names as its lowest and highest: SMin- and SMaxSampleValue, or the older tags."""
    for lowest, highest in ((340, 341), (280, 281)):
        if highest in page.tags:
            try:
                return float(_least(page.tags.get(lowest, 0), min)), float(_least(page.tags[highest], max))
            except (ValueError, TypeError, ZeroDivisionError):
                return None
    return None


def _least(value: Any, choose: Any) -> Any:
    return choose(value) if isinstance(value, tuple) else value


def _ignored(page: Page) -> float | None:
    """The value that geographers' programs write where nothing was measured (GDAL_NODATA)."""
    try:
        return float(str(page.tags[42113]).strip("\0 "))
    except (KeyError, ValueError):
        return None

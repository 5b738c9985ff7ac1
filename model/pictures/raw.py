"""A camera's raw file, developed by LibRaw where the optional package rawpy is installed."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile

from model.pictures.errors import DamagedError, UnreadKindError

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess


def open_raw(body: bytes) -> Image.Image:
    """Open a raw file, without developing it. Raises UnreadKindError where rawpy or LibRaw cannot, or DamagedError."""
    try:
        rawpy = import_module("rawpy")
    except ImportError as error:
        raise UnreadKindError("a camera's raw file") from error
    try:
        return RawPicture(rawpy.imread(BytesIO(body)), body)
    except rawpy.LibRawFileUnsupportedError as error:
        raise UnreadKindError("a raw file of a camera that LibRaw does not know") from error
    except rawpy.LibRawError as error:
        raise DamagedError("This camera raw picture is damaged or cut off.") from error


class RawPicture(ImageFile.ImageFile):
    """A raw file; ``load`` develops it at half its size, upright, with the camera's white balance."""

    format = "RAW"
    format_description = "Camera raw"
    bytes_per_pixel = 8  # LibRaw holds four samples of 16 bits

    def __init__(self, raw: Any, body: bytes) -> None:
        self._raw = raw
        super().__init__(BytesIO(body))

    def _open(self) -> None:
        sizes = self._raw.sizes
        self._size = (sizes.height, sizes.width) if sizes.flip in (5, 6) else (sizes.width, sizes.height)
        self._mode = "RGB"

    def load(self) -> PixelAccess | None:
        """Develop the photo. Raises what LibRaw raises for broken data."""
        if self._im is None:
            with self._raw as raw:
                pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
            developed = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).convert("RGB")
            self._size = developed.size
            self.im = developed.im
        return super().load()

"""Opens the bytes of a picture: the one door to Pillow for serving, ``glassbot caption`` and training."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import pi_heif
from PIL import Image, UnidentifiedImageError
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from model.pictures import jpeg, kinds, png
from model.pictures.errors import DamagedError, PictureError, UnreadKindError, explained
from model.pictures.raw import open_raw
from model.pictures.tiff import RawFileError, open_tiff


def open_picture(body: bytes) -> Image.Image:
    """Open a picture by its content, without decoding it; its ``size`` is that of its header.

    Where the file holds several, it is the first full one. What lies beside the pixels, such as texts, never keeps them
    from being seen. Raises NotAPictureError, UnreadKindError or DamagedError.
    """
    formats = kinds.formats_of(body)
    configure_pillow()
    name = kinds.name_of(formats[0])
    try:
        return _open(body, formats)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise _why_not_identified(body, formats[0], name) from error
    except Exception as error:  # decoders raise whatever hostile bytes lead them to
        raise explained(error, name) from error


def shrink(picture: Image.Image, least: tuple[int, int]) -> None:
    """Let the decoder itself halve a picture, as often as no side falls below ``least`` (width, height).

    JPEG and JPEG 2000 can; the ``size`` of the latter changes when it is loaded. Any other picture stays as it is.
    """
    picture.draft(None, least)
    if isinstance(picture, Jpeg2KImageFile):
        scale = min(picture.width // least[0], picture.height // least[1])
        halvings = max(0, min(scale.bit_length() - 1, picture.info["levels"]))
        while halvings and not _whole_after(picture.size, halvings):
            halvings -= 1
        picture.reduce = halvings


def _whole_after(size: tuple[int, int], halvings: int) -> bool:
    """Whether Pillow expects as many pixels as are decoded: it rounds a side that was halved, the decoder rounds up."""
    return all((side + (1 << halvings) // 2) >> halvings == -(-side >> halvings) for side in size)


def held_pixels(picture: Image.Image) -> int:
    """How many pixels of 4 bytes take the memory that decoding takes, for a picture that :func:`shrink` has seen."""
    pixels = picture.width * picture.height
    return pixels * max(4, getattr(picture, "bytes_per_pixel", 4)) // 4


def _open(body: bytes, formats: tuple[str, ...]) -> Image.Image:
    match formats[0]:
        case "JPEG":
            return jpeg.open_jpeg(body)
        case "PNG":
            body = png.only_pixels(body)
        case "TIFF":
            try:
                return open_tiff(body)
            except RawFileError:
                return open_raw(body)
        case "RAW":
            return open_raw(body)
        case "JPEG2000":
            picture = Image.open(BytesIO(body), formats=formats)
            picture.info["levels"] = _wavelet_levels(body)
            picture.info["icc_profile"] = _boxed_profile(body)
            return picture
        case "AVIF" | "HEIF":
            body = kinds.with_major_brand(body)
    return Image.open(BytesIO(body), formats=formats)


def _wavelet_levels(body: bytes) -> int:
    """How often a JPEG 2000 picture can be halved: by its first COD marker (ITU T.800, A.6.1)."""
    at = body.find(b"\xff\x52", 0, 65_536)
    return body[at + 9] if 0 <= at < len(body) - 9 else 0


def _boxed_profile(body: bytes) -> bytes:
    """The ICC profile in the colour box of a JPEG 2000 file (ITU T.800, I.5.3.3); empty where there is none."""
    at = body.find(b"colr", 0, 65_536)
    by_profile = at >= 4 and body[at + 4 : at + 5] in (b"\2", b"\3")
    return body[at + 7 : at - 4 + int.from_bytes(body[at - 4 : at], "big")] if by_profile else b""


def _why_not_identified(body: bytes, pillow: str, name: str) -> PictureError:
    """What to say of a file that begins like a format and whose decoder refuses it without a reason."""
    kind = jpeg.unread_kind(body) if pillow == "JPEG" else None
    if kind:
        return UnreadKindError(kind)
    return DamagedError(f"This begins like {name}, but its header is damaged or cut off.")


@cache
def configure_pillow() -> None:
    """Once in a process: teach Pillow HEIC, and lift its limit of pixels; who serves has limits of their own."""
    pi_heif.register_heif_opener(thumbnails=False, aux_images=False, depth_images=False, decode_threads=1)
    Image.MAX_IMAGE_PIXELS = None

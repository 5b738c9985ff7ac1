"""Makes of an opened picture what it looks like: upright, in sRGB of 8 bits, on white where it is transparent."""

from __future__ import annotations

from contextlib import suppress

from PIL import ExifTags, Image, ImageOps

from model.pictures.colour import srgb
from model.pictures.depth import DEEP_MODES, eight_bits

_BROKEN_EXIF = (OSError, SyntaxError, TypeError, ValueError, KeyError, OverflowError, ZeroDivisionError)
_BAND = 1 << 20  # pixels that are laid on white at a time: whole, a large picture would be held four times over
_ALPHA_MODES = ("LA", "La")


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Return the picture in sRGB, turned as its EXIF orientation asks, and on white where it is transparent.

    Broken EXIF and broken colour profiles are ignored. Raises what Pillow raises for broken pixels.
    """
    picture.load()  # PNG may bring its tags after its pixels
    profile = picture.info.get("icc_profile")
    with suppress(*_BROKEN_EXIF):  # the tags are the sender's; the pixels are still good
        if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            picture = ImageOps.exif_transpose(picture)
    if picture.mode in DEEP_MODES:
        picture = eight_bits(picture)
    if picture.has_transparency_data:
        picture = _on_white(picture)
    elif picture.mode not in ("L", "CMYK", "RGB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    return srgb(picture, profile)


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture on white, in L where it is grey with alpha, else in RGB."""
    mode = "L" if picture.mode in _ALPHA_MODES else "RGB"
    rows = max(1, _BAND // picture.width)
    if rows >= picture.height:
        return _band_on_white(picture, mode)
    whole = Image.new(mode, picture.size)
    for top in range(0, picture.height, rows):
        band = picture.crop((0, top, picture.width, min(top + rows, picture.height)))
        whole.paste(_band_on_white(band, mode), (0, top))
    return whole


def _band_on_white(picture: Image.Image, mode: str) -> Image.Image:
    layered = picture.convert("RGBA")
    ground = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(ground, layered).convert(mode)

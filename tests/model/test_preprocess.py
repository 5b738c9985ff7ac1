"""Pictures of every mode and turn become the same upright square."""

import numpy as np
import pytest
from PIL import Image

from model.preprocess import Crop, prepare, upright_rgb


def quarters() -> Image.Image:
    """Red, green / blue, white, 64 px each."""
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[:64, :64, 0] = pixels[:64, 64:, 1] = pixels[64:, :64, 2] = 255
    pixels[64:, 64:] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = quarters().transpose(turns[orientation]) if orientation > 1 else quarters()
    stored.getexif()[0x0112] = orientation
    assert np.array_equal(np.asarray(upright_rgb(stored)), np.asarray(quarters()))


def test_the_crop_is_the_centred_square_in_upright_pixels() -> None:
    pixels, crop, size = prepare(Image.new("RGB", (400, 300), "red"), 227)
    assert pixels.dtype == np.uint8
    assert (pixels.shape, size) == ((227, 227, 3), (400, 300))
    assert crop == Crop(50, 0, 300, 300)


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 500), (3, 7)])
def test_extreme_shapes_still_answer(size: tuple[int, int]) -> None:
    pixels, crop, _ = prepare(Image.new("RGB", size, "navy"), 227)
    assert pixels.shape == (227, 227, 3)
    assert crop.width == min(size)


def test_transparency_lies_on_white() -> None:
    pixels, _, _ = prepare(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), 67)
    assert (pixels == 255).all()
    palette = Image.new("P", (50, 50))
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.info["transparency"] = 0
    assert (prepare(palette, 67)[0] == 255).all()


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    deep = Image.fromarray(np.full((40, 40), 32_896, np.uint16))
    assert np.unique(np.asarray(upright_rgb(deep))).tolist() == [128]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "I", "F", "RGBa"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    pixels, _, _ = prepare(Image.new(mode, (30, 20)), 67)
    assert pixels.shape == (67, 67, 3)

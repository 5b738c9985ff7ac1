"""Pictures of every mode and turn become the same upright square."""

import numpy as np
import pytest
from PIL import Image

from model.architecture import Architecture
from model.preprocess import Crop, least_side, prepare, prepare_all, square, upright_rgb

SMALL = Architecture(input_size=67)


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
    pixels, crop, size = prepare(Image.new("RGB", (400, 300), "red"), Architecture())
    assert pixels.dtype == np.uint8
    assert (pixels.shape, size) == ((227, 227, 3), (400, 300))
    assert crop == Crop(50, 0, 300, 300)


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 500), (3, 7)])
@pytest.mark.parametrize("detail", [0, 128])
def test_extreme_shapes_still_answer(size: tuple[int, int], detail: int) -> None:
    pixels, crop, _ = prepare(Image.new("RGB", size, "navy"), Architecture(input_detail=detail))
    assert pixels.shape == (227, 227, 3)
    assert crop.width == min(size)


def test_transparency_lies_on_white() -> None:
    pixels, _, _ = prepare(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), SMALL)
    assert (pixels == 255).all()
    palette = Image.new("P", (50, 50))
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.info["transparency"] = 0
    assert (prepare(palette, SMALL)[0] == 255).all()


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    deep = Image.fromarray(np.full((40, 40), 32_896, np.uint16))
    assert np.unique(np.asarray(upright_rgb(deep))).tolist() == [128]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "I", "F", "RGBa"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    pixels, _, _ = prepare(Image.new(mode, (30, 20)), SMALL)
    assert pixels.shape == (67, 67, 3)


@pytest.mark.parametrize(("side", "detail"), [(400, 0), (128, 128), (64, 128), (400, 227), (400, 300)])
def test_a_picture_without_more_detail_is_resized_once(side: int, detail: int) -> None:
    picture = Image.effect_noise((side, side), 60).convert("RGB")
    pixels, _, _ = prepare(picture, Architecture(input_detail=detail))
    np.testing.assert_array_equal(pixels, np.asarray(square(picture, 227)))


def test_more_detail_than_a_network_takes_is_gone() -> None:
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::3] = 255  # three pixels apart, four where the square of 480 becomes one of 128
    fine, _, _ = prepare(Image.fromarray(stripes), Architecture(input_detail=128))
    assert fine.std() < 8
    coarse, crop, size = prepare(Image.fromarray(stripes), Architecture(input_detail=0))
    assert coarse.std() > 2 * fine.std()
    assert (crop, size) == (Crop(80, 0, 480, 480), (640, 480))


def test_a_decoder_may_leave_a_little_less_than_is_looked_at() -> None:
    sides = [least_side(Architecture(input_detail=detail)) for detail in (0, 128, 500)]
    assert sides == [227, 120, 227]


def test_many_pictures_are_prepared_as_one_is() -> None:
    pictures = [np.asarray(Image.effect_noise((side, 90), 60).convert("RGB")) for side in (200, 80)]
    seen = prepare_all(pictures, SMALL)
    assert seen.shape == (2, 67, 67, 3)
    for picture, pixels in zip(pictures, seen, strict=True):
        np.testing.assert_array_equal(pixels, prepare(Image.fromarray(picture), SMALL)[0])

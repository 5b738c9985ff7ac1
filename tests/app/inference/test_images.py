from __future__ import annotations

import hashlib
import threading
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from app.errors import BrokenImageError, EmptyBodyError, GlassbotError, NotAnImageError, TooManyPixelsError
from app.inference.images import DecodedImage, Limits, PixelBudget, decode_image, open_picture
from model.pictures import opening
from model.preprocess import Crop
from tests.app.inference import corpus


class Takes(NamedTuple):
    """Pictures that some network takes."""

    input_size: int
    input_detail: int = 0


GOOD = corpus.good_pictures()


def decoded(body: bytes, size: int = 64, detail: int = 0) -> DecodedImage:
    return decode_image(body, Takes(size, detail), limits=Limits(), budget=PixelBudget(40_000_000))


@pytest.mark.parametrize("name", GOOD)
def test_every_awkward_picture_is_seen(name: str) -> None:
    image = decoded(GOOD[name])
    assert image.pixels.shape == (64, 64, 3)
    assert image.pixels.dtype == np.uint8
    assert image.format in "JPEG PNG WebP GIF BMP TIFF AVIF HEIC"  # and no name of Pillow's own
    assert image.crop.width == image.crop.height == min(image.width, image.height)
    assert image.sha256 == hashlib.sha256(GOOD[name]).hexdigest()


def test_the_first_frame_of_a_gif_is_seen() -> None:
    red, green, blue = decoded(corpus.animated_gif()).pixels[32, 32]
    assert red > 250
    assert max(green, blue) < 5


def test_what_is_transparent_lies_on_white() -> None:
    assert decoded(corpus.alpha_png()).pixels.min() == 255


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    pixels = decoded(corpus.deep_png()).pixels
    assert pixels[0].mean() < 40
    assert pixels[-1].mean() > 215


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_exif_asks(orientation: int) -> None:
    image = decoded(corpus.jpeg(300, 200, orientation=orientation))
    on_its_side = orientation >= 5
    assert (image.width, image.height) == ((200, 300) if on_its_side else (300, 200))
    red_first = {1: True, 2: False, 3: False, 4: True, 5: True, 6: True, 7: False, 8: False}[orientation]
    first = image.pixels[:8].mean((0, 1)) if on_its_side else image.pixels[:, :8].mean((0, 1))
    assert bool(first[0] > first[2]) is red_first


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_scaled_and_its_crop_is_in_whole_pixels(orientation: int) -> None:
    image = decoded(corpus.jpeg(1203, 801, orientation=orientation), size=64)
    if orientation == 1:
        assert (image.width, image.height, image.crop) == (1203, 801, Crop(201, 0, 801, 801))
    else:
        assert (image.width, image.height, image.crop) == (801, 1203, Crop(0, 201, 801, 801))


@pytest.mark.parametrize(("size", "detail"), [(100, 0), (227, 128)])
def test_scaled_decoding_sees_nearly_the_same(size: int, detail: int) -> None:
    large = corpus.photo(300, 300).resize((2400, 2400))
    scaled = decoded(corpus.encode(large, "JPEG", quality=95), size, detail).pixels
    whole = decoded(corpus.encode(large, "PNG"), size, detail).pixels
    assert np.abs(scaled.astype(int) - whole).mean() < 3


@pytest.mark.parametrize("side", [128, 239, 240, 241, 480])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_is_decoded_to_the_detail_that_is_taken(
    side: int, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrunk: list[tuple[int, int]] = []
    shrink = opening.shrink

    def record(picture: Image.Image, least: tuple[int, int]) -> None:
        shrink(picture, least)
        shrunk.append(picture.size)

    monkeypatch.setattr("app.inference.images.pictures.shrink", record)
    image = decoded(corpus.jpeg(side + 80, side, orientation=orientation), 227, 128)
    assert (image.crop.width, image.crop.height) == (side, side)
    assert {image.width, image.height} == {side, side + 80}
    assert shrunk[0][1] == {128: 128, 239: 239, 240: 120, 241: 121, 480: 120}[side]


def test_broken_exif_is_ignored() -> None:
    body = corpus.jpeg(64, 48, orientation=6)
    at = body.index(b"Exif\0\0") + 6
    image = decoded(body[:at] + b"\xff" * 8 + body[at + 8 :])
    assert (image.width, image.height) == (64, 48)


@pytest.mark.parametrize("body", [corpus.bomb_png(), corpus.bomb_jpeg(), corpus.bomb_png(8000, 6300)])
def test_too_many_pixels_are_refused_from_the_header(body: bytes) -> None:
    with pytest.raises(TooManyPixelsError, match="million"):
        decoded(body)


def test_a_jpeg_may_be_larger_than_other_pictures() -> None:
    limits = Limits(jpeg_pixels=10_000, pixels=5_000)
    open_picture(corpus.jpeg(90, 90), limits).close()
    with pytest.raises(TooManyPixelsError):
        open_picture(corpus.encode(corpus.photo(90, 90), "PNG"), limits)


@pytest.mark.parametrize("body", [b"hello", b"BMW is a car, not a bitmap", b"<svg/>", b"%PDF-1.7", b"\0" * 64, b"II"])
def test_what_is_no_picture_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotAnImageError):
        decoded(body)


def test_no_bytes_are_no_picture() -> None:
    with pytest.raises(EmptyBodyError):
        decoded(b"")


WHOLE_EARLY = {"animated GIF", "1 x 1"}  # their first frame, or their only pixel, ends before the file does


@pytest.mark.parametrize("name", sorted(GOOD.keys() - WHOLE_EARLY))
def test_a_picture_cut_off_anywhere_is_damaged(name: str) -> None:
    body = GOOD[name]
    for percent in range(5, 100, 5):
        with pytest.raises(BrokenImageError, match="damaged"):
            decoded(body[: len(body) * percent // 100])


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_flipped_bytes_are_a_picture_or_a_problem_and_nothing_else(seed: int) -> None:
    random = np.random.default_rng(seed)
    small = corpus.photo(40, 30)
    format = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"][seed % 7]
    body = bytearray(corpus.encode(small, format))
    for at in random.integers(0, len(body), 5):
        body[at] = random.integers(256)
    try:
        shape, status = decoded(bytes(body)).pixels.shape, 200
    except GlassbotError as error:
        shape, status = (64, 64, 3), error.status
    assert shape == (64, 64, 3)
    assert status in (200, 413, 415, 422)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "JPEG2000"])
@pytest.mark.slow
def test_a_photo_of_48_megapixels_is_seen_in_any_format(kind: str) -> None:
    large = Image.new("RGB", (8064, 6048), (120, 160, 90))
    options = {"WEBP": {"quality": 10, "method": 0}, "AVIF": {"quality": 10, "speed": 10}}.get(kind, {})
    image = decoded(corpus.encode(large, kind, **options))
    assert (image.width, image.height, image.crop) == (8064, 6048, Crop(1008, 0, 6048, 6048))
    assert np.abs(image.pixels.astype(int) - (120, 160, 90)).max() <= 4


@pytest.mark.slow
def test_a_jpeg_of_200_megapixels_is_seen_and_a_progressive_one_is_not() -> None:
    image = decoded(corpus.encode(Image.new("L", (16320, 12240), 90), "JPEG"))
    assert (image.width, image.height) == (16320, 12240)
    progressive = corpus.encode(Image.new("L", (160, 120), 90), "JPEG", progressive=True)
    at = progressive.index(b"\xff\xc2") + 5
    with pytest.raises(TooManyPixelsError, match="at most 105 million"):
        decoded(progressive[:at] + (12240).to_bytes(2, "big") + (16320).to_bytes(2, "big") + progressive[at + 4 :])


def test_a_deep_picture_counts_by_its_bytes() -> None:
    body = corpus.encode(Image.new("F", (90, 90)), "TIFF")
    decode_image(body, Takes(64), limits=Limits(pixels=8_200), budget=PixelBudget(10_000))
    double = corpus.encode(Image.new("F", (90, 90)), "TIFF").replace(
        b"\x02\x01\x03\0\x01\0\0\0\x20", b"\x02\x01\x03\0\x01\0\0\0\x40"
    )
    with pytest.raises(TooManyPixelsError):
        decode_image(double, Takes(64), limits=Limits(pixels=8_200), budget=PixelBudget(10_000))


def test_decoders_share_one_budget() -> None:
    budget, entered = PixelBudget(100), threading.Event()

    def second() -> None:
        with budget.hold(60):
            entered.set()

    thread = threading.Thread(target=second)
    with budget.hold(1_000):  # more than there is takes all there is
        thread.start()
        assert not entered.wait(0.05)
    thread.join(60)
    assert entered.is_set()

"""Each kind of picture is seen as it is, or refused by its name."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from model.pictures.errors import DamagedError, NotAPictureError, PictureError, UnreadKindError
from model.pictures.opening import held_pixels, open_picture, shrink
from model.pictures.upright import upright_rgb
from tests.model.pictures import drawn

SIDE_DATA = dict(drawn.side_data())
DEEP = dict(drawn.deep())
LAYOUTS = dict(drawn.layouts())
PAGES = dict(drawn.pages())
PROFILED = dict(drawn.profiled())
BRANDED = dict(drawn.branded())


def seen(body: bytes) -> drawn.Pixels:
    with open_picture(body) as picture:
        return np.asarray(upright_rgb(picture))


def distance(body: bytes, right: drawn.Pixels) -> float:
    """Mean difference in levels, the first rows left out, in which some drawings have holes."""
    pixels = seen(body)
    assert pixels.shape == right.shape
    return float(np.abs(pixels[4:].astype(int) - right[4:]).mean())


@pytest.mark.parametrize("name", SIDE_DATA)
def test_what_is_beside_the_pixels_of_a_png_never_condemns_them(name: str) -> None:
    assert np.array_equal(seen(SIDE_DATA[name]), drawn.RGB)


@pytest.mark.parametrize("name", DEEP)
def test_samples_of_other_than_8_bits_are_scaled(name: str) -> None:
    assert distance(*DEEP[name]) < 1


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_of_tiff_is_read_right(name: str) -> None:
    assert distance(*LAYOUTS[name]) < 0.5


@pytest.mark.parametrize("low", [0.0, -0.001])
def test_values_far_from_any_usual_scale_span_their_own(low: float) -> None:
    share = drawn.GREY.astype(np.float32) / 255
    pixels = seen(drawn.tiff(low + share / 1000))
    assert (pixels.min(), pixels.max()) == (0, 255)


@pytest.mark.parametrize("name", PAGES)
def test_the_first_full_page_is_the_picture(name: str) -> None:
    assert distance(*PAGES[name]) < 0.5


@pytest.mark.parametrize("name", PROFILED)
def test_an_embedded_profile_is_honoured(name: str) -> None:
    body, right = PROFILED[name]
    assert distance(body, right) < 3


@pytest.mark.parametrize("icc", [drawn.SRGB, b"", b"no profile", drawn.DISPLAY_P3[:200], drawn.SRGB[:128]])
def test_a_profile_that_is_srgb_or_broken_changes_nothing(icc: bytes) -> None:
    assert np.array_equal(seen(drawn.encode(drawn.SCENE, "PNG", icc_profile=icc)), drawn.RGB)


def test_a_profile_of_another_kind_of_picture_is_ignored() -> None:
    grey = drawn.encode(drawn.SCENE.convert("L"), "PNG", icc_profile=drawn.DISPLAY_P3)
    assert np.array_equal(seen(grey), drawn.IN_RGB)


@pytest.mark.parametrize("name", BRANDED)
def test_the_compatible_brands_count(name: str) -> None:
    with open_picture(BRANDED[name]) as picture:
        assert picture.format == {"AVIF": "AVIF", "HEIC": "HEIF"}[name[:4]]
        assert upright_rgb(picture).size in ((160, 120), (64, 48))


def test_one_transparent_value_means_the_same_in_8_and_16_bits() -> None:
    grey = np.where(drawn.GREY < 100, np.uint8(10), drawn.GREY)
    shallow = drawn.encode(Image.fromarray(grey), "PNG", transparency=10)
    deep = drawn.encode(Image.fromarray(grey.astype(np.uint16) * 257), "PNG", transparency=10 * 257)
    assert (seen(shallow)[grey == 10] == 255).all()
    assert np.array_equal(seen(shallow), seen(deep))


def test_one_transparent_colour_means_the_same_in_8_and_16_bits() -> None:
    pixels = np.where(drawn.GREY[..., None] < 100, np.uint8(10), drawn.RGB)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(">u2") * 257)
    header = struct.pack(">IIBBBBB", 160, 120, 16, 2, 0, 0, 0)
    colour = struct.pack(">HHH", 2570, 2570, 2570)
    chunks = ((b"IHDR", header), (b"tRNS", colour), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"\x89PNG\r\n\x1a\n" + b"".join(drawn.chunk(name, content) for name, content in chunks)
    transparent = (pixels == 10).all(axis=2, keepdims=True)
    assert np.array_equal(seen(body), np.where(transparent, 255, pixels))


ENDLESS = [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}, {"quality": 30}]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", ENDLESS, ids=str)
def test_a_jpeg_without_its_end_is_seen_and_one_without_pixels_is_not(mode: str, options: dict[str, int]) -> None:
    body = drawn.encode(drawn.SCENE.convert(mode), "JPEG", **options)
    for missing in (1, 2):
        assert np.array_equal(seen(body[:-missing]), seen(body))
    for missing in (10, 50, 200, len(body) // 2):
        with pytest.raises(OSError, match=r"truncated|broken"):
            seen(body[:-missing])


def test_a_progressive_jpeg_without_its_last_scans_is_damaged() -> None:
    body = drawn.encode(drawn.SCENE, "JPEG", progressive=True)
    at = body.rindex(b"\xff\xda")
    with pytest.raises(OSError, match="truncated"):
        seen(body[:at])


@pytest.mark.parametrize("options", ENDLESS, ids=str)
def test_a_jpeg_whose_rest_is_zeros_is_damaged_unless_they_are_padding(options: dict[str, int]) -> None:
    body = drawn.encode(drawn.SCENE, "JPEG", **options)
    assert np.array_equal(seen(body[:-2] + bytes(5000)), seen(body))
    with pytest.raises(OSError, match=r"truncated|broken"):
        seen(body[: len(body) * 4 // 5] + bytes(5000))


@pytest.mark.parametrize("stump", [b"\xff\xe0\0\7JFIF\0", b"\xff\xee\0\7Adobe", b"\xff\xee\0\x0aAdobe\0d\0"])
def test_a_segment_too_short_for_its_name_never_condemns_a_jpeg(stump: bytes) -> None:
    body = drawn.encode(drawn.SCENE, "JPEG")
    for missing in (0, 2):
        assert np.array_equal(seen(body[:2] + 2 * stump + body[2 : len(body) - missing]), seen(body))


def test_a_jpeg_of_scans_without_number_is_not_decoded() -> None:
    body = drawn.encode(drawn.SCENE, "JPEG", progressive=True)
    scan = body[body.rindex(b"\xff\xda") : -2]
    for end in (b"", b"\xff\xd9"):
        with pytest.raises(UnreadKindError, match="scans"):
            seen(body[:-2] + 100 * scan + end)
    behind = body + 100 * scan  # as in a film that a phone hides there
    assert np.array_equal(seen(behind + b"\xff\xd9"), seen(body))


UNREAD = {
    "raw file": drawn.raw_like(),
    "camera's raw": b"FUJIFILMCCD-RAW 0201" + bytes(100),
    "a camera's": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(100),
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100),
    "JPEG XR": b"II\xbc\x01" + bytes(100),
    "PDF": b"%PDF-1.7" + bytes(100),
    "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "Photoshop": b"8BPS\0\1" + bytes(100),
    "video": b"\0\0\0\x18ftypisom\0\0\2\0isommp42" + bytes(100),
    "DICOM": bytes(128) + b"DICM" + bytes(100),
    "QuickTime": b"\0\0\0\x08wide\0\0\1\0mdat" + bytes(100),
    "TGA": b"\0\0\2\0\0\0\0\0\0\0\0\0\xa0\0\x78\0\x18\0" + bytes(100),
    "cursor": b"\0\0\2\0\1\0\x20\x20" + bytes(100),
    "compression of the kind PNG": drawn.tiff(drawn.GREY).replace(
        struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, 34933)
    ),
    "complex numbers": drawn.tiff(drawn.GREY.astype(np.complex64)),
    "JPEG of 12 bits": drawn.encode(drawn.SCENE, "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"),
    "lossless JPEG": drawn.encode(drawn.SCENE, "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc3\0\x11\x10"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_called_by_its_name_and_never_damaged(name: str) -> None:
    with pytest.raises(UnreadKindError, match=name):
        seen(UNREAD[name])


def test_a_raw_file_cut_short_is_not_taken_for_its_preview() -> None:
    body = drawn.raw_like()
    for percent in range(10, 100, 10):
        with pytest.raises(PictureError):
            seen(body[: len(body) * percent // 100])


@pytest.mark.parametrize("name", [name for name in LAYOUTS if "uint16" in name])
def test_a_deep_tiff_cut_short_is_damaged(name: str) -> None:
    body, _ = LAYOUTS[name]
    for percent in (3, 30, 60, 90):
        with pytest.raises((DamagedError, OSError, ValueError)):
            seen(body[: len(body) * percent // 100])


def test_noise_is_no_picture() -> None:
    with pytest.raises(NotAPictureError):
        seen(b"Dear Glassbot, what is this?")


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "I;16"])
@pytest.mark.parametrize("boxed", [True, False])
def test_jpeg_2000_is_read(mode: str, boxed: bool) -> None:
    whole = Image.fromarray(drawn.GREY.astype(np.uint16) * 257)
    picture = whole if mode == "I;16" else drawn.SCENE.convert(mode)
    body = drawn.encode(picture, "JPEG2000", no_jp2=not boxed)
    assert distance(body, drawn.RGB if "RGB" in mode else drawn.IN_RGB) < 1


def test_a_large_jpeg_2000_is_decoded_smaller() -> None:
    body = drawn.encode(drawn.scene(640, 480), "JPEG2000")
    with open_picture(body) as picture:
        shrink(picture, (100, 100))
        assert upright_rgb(picture).size == (160, 120)


@pytest.mark.parametrize(
    ("size", "seen"), [((481, 640), (241, 320)), ((601, 601), (301, 301)), ((1002, 1504), (251, 376))]
)
def test_a_jpeg_2000_whose_sides_do_not_halve_evenly_is_read(size: tuple[int, int], seen: tuple[int, int]) -> None:
    with open_picture(drawn.encode(drawn.scene(*size), "JPEG2000")) as picture:
        shrink(picture, (120, 120))
        assert upright_rgb(picture).size == seen


@pytest.mark.parametrize("resolutions", [1, 2])
def test_a_jpeg_2000_of_few_resolutions_is_read(resolutions: int) -> None:
    body = drawn.encode(drawn.scene(640, 480), "JPEG2000", num_resolutions=resolutions)
    with open_picture(body) as picture:
        shrink(picture, (50, 50))
        assert upright_rgb(picture).width == 640 // 2 ** (resolutions - 1)


@pytest.mark.parametrize("bits", [8, 16])
def test_tiles_far_larger_than_the_picture_are_not_unpacked(bits: int) -> None:
    body = drawn.tiff(drawn.GREY.astype(f"u{bits // 8}"), tile=(64, 64), compression="zlib")
    for tag, side in ((322, 1 << 20), (323, 1 << 10)):
        body = body.replace(struct.pack("<HHII", tag, 4, 1, 64), struct.pack("<HHII", tag, 4, 1, side))
    with pytest.raises(UnreadKindError, match="tiles far larger"):
        seen(body)


def test_a_plane_that_is_not_needed_may_be_missing() -> None:
    samples = np.stack([drawn.GREY, drawn.GREY]).astype(np.uint16) * 257
    body = drawn.tiff(samples, planarconfig="separate", extrasamples=["unspecified"])
    assert distance(body[: -samples[0].nbytes], drawn.IN_RGB) < 0.5


def test_a_deep_picture_counts_for_what_it_takes() -> None:
    with open_picture(drawn.tiff(drawn.RGB.astype(np.float64), photometric="rgb")) as picture:
        assert held_pixels(picture) == 160 * 120 * 24 // 4

"""Pictures of kinds that are easily seen wrongly, each with the pixels that are right, all of one drawing."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]
Case = tuple[bytes, Pixels]


def scene(width: int = 160, height: int = 120) -> Image.Image:
    """Sky over grass, with a red ball and a brown box."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        share = y / height
        sky, grass = (int(90 + 90 * share), int(150 + 60 * share), 230), (int(60 + 40 * share), 140, 50)
        draw.line([(0, y), (width, y)], fill=sky if share < 0.55 else grass)
    draw.ellipse([width * 0.4, height * 0.45, width * 0.65, height * 0.78], fill=(220, 40, 30))
    draw.rectangle([width * 0.05, height * 0.3, width * 0.2, height * 0.75], fill=(40, 20, 10))
    return picture.filter(ImageFilter.GaussianBlur(1))


SCENE = scene()
RGB: Pixels = np.asarray(SCENE)
GREY: Pixels = np.asarray(SCENE.convert("L"))
IN_RGB: Pixels = np.repeat(GREY[..., None], 3, axis=2)
"""The grey drawing as RGB, as it is right for every grey twin of it."""
FULL, REDUCED = 0, 1  # values of NewSubfileType


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def tiff(samples: NDArray[Any], *, photometric: str = "minisblack", **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, samples, photometric=photometric, **options)
    return file.getvalue()


def chunk(name: bytes, content: bytes, crc: int | None = None) -> bytes:
    """A chunk of PNG, with a wrong CRC where one is given."""
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def with_chunk(added: bytes) -> bytes:
    png = encode(SCENE, "PNG")
    return png[:33] + added + png[33:]


def side_data() -> Iterator[tuple[str, bytes]]:
    """PNG whose pixels are sound, with something beside them that is not."""
    for name in (
        b"tEXt",
        b"zTXt",
        b"iTXt",
        b"iCCP",
        b"eXIf",
        b"pHYs",
        b"gAMA",
        b"cHRM",
        b"sBIT",
        b"tRNS",
        b"acTL",
        b"cICP",
    ):
        yield f"{name.decode()}, wrong CRC", with_chunk(chunk(name, b"Comment\0hello", 12345))
        yield f"{name.decode()}, too short", with_chunk(chunk(name, b"\0"))
        yield f"{name.decode()}, empty", with_chunk(chunk(name, b""))
    yield "a text of 3 MB", with_chunk(chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b'{"node": 1} ' * 250_000)))
    yield "a text that unpacks to 50 MB", with_chunk(chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(50_000_000))))
    yield "a profile that unpacks to 50 MB", with_chunk(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000))))
    yield "a hundred texts of 0.9 MB", with_chunk(100 * chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))))
    png = encode(SCENE, "PNG")
    yield "a broken text behind the pixels", png[:-12] + chunk(b"tEXt", b"a\0b", 1) + png[-12:]
    at = png.index(b"IDAT")
    length = int.from_bytes(png[at - 4 : at], "big")
    data, rest = png[at + 4 : at + 4 + length], png[at + 8 + length :]
    halves = chunk(b"IDAT", data[:500]) + chunk(b"tEXt", b"a\0b", 1) + chunk(b"IDAT", data[500:])
    yield "a broken text between the pixels", png[: at - 4] + halves + rest


def deep() -> Iterator[tuple[str, Case]]:
    """Grey and RGB of other than 8 bits."""
    whole, share = GREY.astype(np.uint16) * 257, GREY.astype(np.float32) / 255
    yield "float, 0 to 1", (tiff(share), IN_RGB)
    yield "float, 0 to 255", (tiff(share * 255), IN_RGB)
    yield "half floats", (tiff(share.astype(np.float16)), IN_RGB)
    yield "doubles, white is zero", (tiff(1 - share.astype(np.float64), photometric="miniswhite"), IN_RGB)
    yield "16 bits", (tiff(whole), IN_RGB)
    yield "12 bits in 16", (tiff(GREY.astype(np.uint16) * 16), IN_RGB)
    yield "10 bits in 16, RGB", (tiff(RGB.astype(np.uint16) * 4, photometric="rgb"), RGB)
    yield "16 bits, white is zero", (tiff(65535 - whole, photometric="miniswhite"), IN_RGB)
    yield "12 bits in 16, white is zero", (tiff(4095 - GREY.astype(np.uint16) * 16, photometric="miniswhite"), IN_RGB)
    yield "32 bits", (tiff(GREY.astype(np.uint32) * 16843009), IN_RGB)
    yield "signed 32 bits", (tiff(GREY.astype(np.int32) * 257), IN_RGB)
    yield "signed 16 bits from 0", (tiff(GREY.astype(np.int16) * 128), IN_RGB)
    yield "signed 32 bits from 0", (tiff(GREY.astype(np.int32) * 8421504), IN_RGB)
    yield "signed 16 bits around 0", (tiff((GREY.astype(np.int32) * 257 - 32768).astype(np.int16)), IN_RGB)
    yield "signed 8 bits", (tiff((GREY.astype(np.int16) - 128).astype(np.int8)), IN_RGB)
    tags = [(340, "f", 1, -100.0, True), (341, "f", 1, 2450.0, True)]
    yield "a range that is stated", (tiff(share * 2550 - 100, extratags=tags), IN_RGB)
    tags = [(340, "H", 1, 0, True), (341, "H", 1, 510, True)]
    yield "a white that is stated", (tiff(GREY.astype(np.uint16) * 2, extratags=tags), IN_RGB)
    holes = share.copy()
    holes[:2, :2], holes[3, 3] = np.nan, np.inf
    yield "float with holes", (tiff(holes), IN_RGB)
    marked = share.copy()
    marked[:2] = -9999
    yield "a value that marks no measurement", (tiff(marked, extratags=[(42113, "s", 0, "-9999", True)]), IN_RGB)
    alpha = np.full(GREY.shape, 65535, np.uint16)
    yield (
        "16 bits with alpha",
        (
            tiff(np.dstack([RGB.astype(np.uint16) * 257, alpha]), photometric="rgb", extrasamples=["unassalpha"]),
            RGB,
        ),
    )
    yield "PNG of 16 bits", (encode(Image.fromarray(whole), "PNG"), IN_RGB)
    yield "PNG of 12 bits in 16", (encode(Image.fromarray(GREY.astype(np.uint16) * 16), "PNG"), IN_RGB)
    dark = (GREY // 8).astype(np.uint16) * 257
    yield "a dark PNG of 16 bits", (encode(Image.fromarray(dark), "PNG"), IN_RGB // 8)


def layouts() -> Iterator[tuple[str, Case]]:
    """Every way in which TIFF lays down samples."""
    samples: dict[str, NDArray[Any]] = {
        "uint16": RGB.astype(np.uint16) * 257,
        "uint32": RGB.astype(np.uint32) * 16843009,
        "float32": RGB.astype(np.float32) / 255,
    }
    for type_, array in samples.items():
        for planes in ("contig", "separate"):
            ordered = np.moveaxis(array, 2, 0).copy() if planes == "separate" else array
            for name, options in (
                ("strips", {"rowsperstrip": 37}),
                ("tiles", {"tile": (32, 48)}),
                ("deflated", {"compression": "zlib"}),
                ("big-endian BigTIFF", {"byteorder": ">", "bigtiff": True}),
            ):
                yield (
                    f"{type_}, {planes}, {name}",
                    (
                        tiff(ordered, photometric="rgb", planarconfig=planes, **options),
                        RGB,
                    ),
                )
    for bands in (3, 5):  # Pillow has no mode for them
        many = np.dstack([GREY] * bands)
        yield f"uint8, grey of {bands} channels", (tiff(many, planarconfig="contig"), IN_RGB)
    inks = np.dstack([np.asarray(SCENE.convert("CMYK")), GREY])
    yield "uint8, inks and alpha", (tiff(inks, photometric="separated", extrasamples=["unassalpha"]), RGB)
    share = Image.fromarray(GREY.astype(np.float32) / 255)
    whole = Image.fromarray(GREY.astype(np.uint16) * 257)
    for picture, predictors in ((share, (1, 2, 3)), (whole, (1, 2))):
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
            for predictor in predictors:
                body = encode(picture, "TIFF", compression=compression, tiffinfo={317: predictor})
                yield f"{picture.mode}, {compression}, predictor {predictor}", (body, IN_RGB)


def pages() -> Iterator[tuple[str, Case]]:
    """TIFF of several pages, one of which is the picture."""
    small = np.ascontiguousarray(RGB[::4, ::4])
    upside_down = small[::-1].copy()
    for name, written in (
        ("a thumbnail first", ((upside_down, REDUCED, 0), (RGB, FULL, 0))),
        ("two thumbnails first", ((upside_down, REDUCED, 0), (small, REDUCED, 0), (RGB, FULL, 0))),
        ("the picture below the thumbnail", ((upside_down, REDUCED, 1), (RGB, FULL, 0))),
        ("a thumbnail below the picture", ((RGB, FULL, 1), (upside_down, REDUCED, 0))),
        ("a float page behind a thumbnail", ((upside_down, REDUCED, 0), (RGB.astype(np.float32) / 255, FULL, 0))),
    ):
        for big in (False, True):
            file = io.BytesIO()
            with tifffile.TiffWriter(file, bigtiff=big) as writer:
                for samples, subfile, below in written:
                    writer.write(samples, photometric="rgb", subfiletype=subfile, subifds=below or None)
            yield f"{name}{', BigTIFF' if big else ''}", (file.getvalue(), RGB)


def raw_like() -> bytes:
    """A file like a camera's: a preview, and below it a mosaic."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        version = [(50706, 1, 4, b"\1\4\0\0", True)]
        writer.write(RGB[::2, ::2].copy(), photometric="rgb", subfiletype=REDUCED, subifds=1, extratags=version)
        writer.write(GREY.astype(np.uint16) * 16, photometric=32803, subfiletype=FULL)
    return file.getvalue()


def profile(columns: tuple[tuple[float, float, float], ...], gamma: float) -> bytes:
    """A small ICC profile of RGB: the XYZ of its primaries, and the exponent of its curves."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    white = (0.9642, 1.0, 0.8249)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, int(gamma * 256)) + b"\0\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"a\0" + b"\0" * 79, b"cprt": b"text\0\0\0\0-\0"}
    for name, xyz in ((b"wtpt", white), *zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)):
        tags[name] = b"XYZ \0\0\0\0" + b"".join(map(fixed, xyz))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4s4s4s4s4s", start + len(body), b"\0" * 4, b"\x02\x10\0\0", b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + b"".join(map(fixed, white))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


DISPLAY_P3 = profile(((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)), 2.2)
ADOBE_RGB = profile(((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)), 2.2)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def in_space(icc: bytes) -> Image.Image:
    """The drawing in the numbers of another colour space."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    converted = ImageCms.profileToProfile(SCENE, ImageCms.createProfile("sRGB"), target, outputMode="RGB")
    assert converted is not None
    return converted


def profiled() -> Iterator[tuple[str, Case]]:
    """The drawing in other colour spaces, in every format that carries a profile."""
    for name, icc in (("Display P3", DISPLAY_P3), ("Adobe RGB", ADOBE_RGB)):
        picture = in_space(icc)
        yield f"{name}, JPEG", (encode(picture, "JPEG", quality=97, subsampling=0, icc_profile=icc), RGB)
        yield f"{name}, WebP", (encode(picture, "WEBP", lossless=True, icc_profile=icc), RGB)
        yield f"{name}, AVIF", (encode(picture, "AVIF", quality=95, subsampling="4:4:4", icc_profile=icc), RGB)
        for kind in ("PNG", "TIFF"):
            yield f"{name}, {kind}", (encode(picture, kind, icc_profile=icc), RGB)
            yield f"{name}, {kind} with alpha", (encode(picture.convert("RGBA"), kind, icc_profile=icc), RGB)
        deep_numbers = np.asarray(picture).astype(np.uint16) * 257
        yield f"{name}, JPEG 2000", (_boxed(encode(picture, "JPEG2000"), icc), RGB)
        yield f"{name}, TIFF of 16 bits", (tiff(deep_numbers, photometric="rgb", iccprofile=icc), RGB)


def _boxed(jp2: bytes, icc: bytes) -> bytes:
    """The JPEG 2000 file with a profile in its colour box, which is the last one in its header."""
    header, at = jp2.index(b"jp2h") - 4, jp2.index(b"colr") - 4
    length = int.from_bytes(jp2[at : at + 4], "big")
    box = struct.pack(">I", 11 + len(icc)) + b"colr\2\0\0" + icc
    longer = int.from_bytes(jp2[header : header + 4], "big") + len(box) - length
    return jp2[:header] + struct.pack(">I", longer) + jp2[header + 4 : at] + box + jp2[at + length :]


def branded() -> Iterator[tuple[str, bytes]]:
    """AVIF and HEIC whose major brand is that of a container."""
    from tests.app.inference import corpus

    for name, body in (("AVIF", encode(SCENE, "AVIF")), ("HEIC", corpus.heic())):
        for brand in (b"mif1", b"miaf", b"msf1", b"MiHB", b"1234"):
            yield f"{name} as {brand.decode()}", body[:8] + brand + body[12:]
        end = int.from_bytes(body[:4], "big")
        yield f"{name} as mif1 and nothing else", body[:8] + b"mif1\0\0\0\0" + b"mif1" * (end // 4 - 4) + body[end:]

"""Tells the kind of a file from its first bytes, never from its name."""

from __future__ import annotations

from model.pictures.errors import FORMATS, NotAPictureError, UnreadKindError

READ_FORMATS = frozenset({"AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PNG", "TIFF", "WEBP"})
"""Pillow's names of the formats that are read."""
_NAMES = {"WEBP": "WebP", "MPO": "JPEG", "HEIF": "HEIC", "JPEG2000": "JPEG 2000", "RAW": "camera raw"}
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
_CONTAINER_BRANDS = frozenset((b"mif1", b"mif2", b"msf1", b"miaf", b"MiHE", b"MiHB", b"MA1A", b"MA1B"))
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_MAX_BRANDS = 64
_AV1_ITEM, _MAX_META = b"av01", 65_536
"""How a picture in AV1 is called among the items of a container, and where that is looked for."""
_RIFF_KINDS = {b"AVI ": "a video (AVI)", b"WAVE": "a sound (WAV)"}
_READ = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
)
_RAW = (
    b"FUJIFILMCCD-RAW",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\x00",
    b"\x00MRM",
    b"FOVb",
    b"II\x1a\x00\x00\x00HEAPCCDR",
)
_UNREAD = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"II\xbc", "JPEG XR"),
    (b"\xff\xd8\xf7", "JPEG-LS"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"gimp xcf ", "a GIMP file (XCF)"),
    (b"%PDF-", "a PDF file"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"<svg", "a drawing (SVG)"),
    *((b"\x00\x00%c\x00\x00\x00\x00\x00" % kind, "a TGA picture") for kind in (2, 3, 10, 11)),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\x00\x00\x02\x00", "a cursor (CUR)"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"DDS ", "DirectDraw (DDS)"),
    (b"SIMPLE  =", "FITS"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"\x8aMNG", "an animation (MNG)"),
    (b"qoif", "QOI"),
    (b"farbfeld", "farbfeld"),
    (b"BPG\xfb", "BPG"),
    (b"icns", "an icon (ICNS)"),
    (b"\x0a\x05\x01\x08", "a PCX picture"),
    (b"\x01\xda\x01\x01", "an SGI picture"),
    (b"AT&TFORM", "DjVu"),
    (b"\xd7\xcd\xc6\x9a", "a drawing (WMF)"),
    (b"FLV\x01", "a video (FLV)"),
    (b"\x00\x00\x01\xba", "a video (MPEG)"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    *((b"P%d%s" % (n, space), "a portable anymap (PNM)") for n in range(1, 8) for space in (b"\n", b" ", b"\r", b"\t")),
)


def name_of(pillow: str | None) -> str:
    """The name of a format for people, from Pillow's."""
    return _NAMES.get(pillow or "", pillow or "?")


def formats_of(body: bytes) -> tuple[str, ...]:
    """Pillow's names of the formats that the first bytes can belong to, RAW for a camera's raw file.

    Raises UnreadKindError for a known kind that is not read, and NotAPictureError for any other.
    """
    if body[4:8] == b"ftyp":
        return _iso_formats(body)
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return ("WEBP",)
    if body.startswith(b"BM") and int.from_bytes(body[14:18], "little") in _BMP_HEADER_SIZES:
        return ("BMP",)
    if body.startswith(_RAW):
        return ("RAW",)
    for start, name in _READ:
        if body.startswith(start):
            return (name,)
    raise _refusal(body)


def brands(body: bytes) -> list[bytes]:
    """The brands of an ISO file (AVIF, HEIC, video), the major one first."""
    end = min(int.from_bytes(body[:4], "big"), 16 + 4 * _MAX_BRANDS)
    return [body[8:12], *(body[at : at + 4] for at in range(16, end - 3, 4))]


def with_major_brand(body: bytes) -> bytes:
    """The same file, led by a brand that its decoder knows: decoders look at the major brand only."""
    formats, found = _iso_formats(body), brands(body)
    known = _HEIC_BRANDS if formats == ("HEIF",) else _AVIF_BRANDS
    named = [one for one in found if one in known]
    if named and found[0] in (*named, b"mif1", b"msf1"):
        return body
    brand = named[0] if named else b"avif" if formats == ("AVIF",) else b"mif1"
    return body[:8] + brand + body[12:]


def _iso_formats(body: bytes) -> tuple[str, ...]:
    found = brands(body)
    if _AVIF_BRANDS.intersection(found):
        return ("AVIF", "HEIF") if _HEIC_BRANDS.intersection(found) else ("AVIF",)
    if _HEIC_BRANDS.intersection(found):
        return ("HEIF",)
    if _CONTAINER_BRANDS.intersection(found):
        return ("AVIF",) if _AV1_ITEM in body[:_MAX_META] else ("HEIF",)
    if found[0] == b"crx ":
        return ("RAW",)
    raise UnreadKindError("a video or another file in MP4's container")


def _refusal(body: bytes) -> NotAPictureError | UnreadKindError:
    start = body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, kind in _UNREAD:
        if body.startswith(magic):
            return UnreadKindError(kind)
    if body.startswith(b"RIFF") and body[8:12] in _RIFF_KINDS:
        return UnreadKindError(_RIFF_KINDS[body[8:12]])
    if body[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return UnreadKindError("a video (QuickTime)")
    if body[128:132] == b"DICM":
        return UnreadKindError("a medical picture (DICOM)")
    if start.startswith(b"<") and b"<svg" in start:
        return UnreadKindError("a drawing (SVG)")
    if start[:9].lower() == b"<!doctype" or start[:5].lower() == b"<html":
        return UnreadKindError("a web page (HTML)")
    return NotAPictureError(f"We cannot open this file as a picture: send {FORMATS}.")

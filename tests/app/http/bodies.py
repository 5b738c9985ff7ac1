"""Hypothesis strategies for request bodies that nobody would send in good faith."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.app.inference import corpus

# Not the ones of 20,000 pixels: they take long to decode, and teach no more than the small ones.
GOOD = [picture for name, picture in corpus.good_pictures().items() if "20000" not in name]
SIGNATURES = sorted({picture[:12] for picture in GOOD})
PATHS = ("/predict", "/predict/batch", "/explain?label=dog", "/activations?layers=conv1,conv5", "/square")
TYPES = (
    "",
    "image/jpeg",
    "image/heic",
    "image/",
    "image",
    "application/octet-stream",
    "application/json",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=b",
    'multipart/form-data; boundary="b"; boundary=c',
    "multipart/mixed; boundary=b",
    "application/x-www-form-urlencoded",
    ";",
    "a/b/c",
    "MULTIPART/FORM-DATA; BOUNDARY=b",
)


@dataclass(frozen=True)
class Hostile:
    """One request."""

    path: str
    content_type: str
    body: bytes = field(repr=False)
    chunked: bool

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": self.content_type} if self.content_type else {}


def _cut(picture: bytes, share: float) -> bytes:
    return picture[: int(share * len(picture))]


def _spliced(head: bytes, tail: bytes, share: float) -> bytes:
    return _cut(head, share) + tail[int(share * len(tail)) :]


def _overwritten(picture: bytes, at: float, new: bytes) -> bytes:
    place = int(at * len(picture))
    return picture[:place] + new + picture[place + len(new) :]


shares = st.floats(0, 1)
# Small, or refused from the header: what lies between takes long, and memory that hides what others would leak.
sizes = st.one_of(*(st.tuples(sides, sides) for sides in (st.integers(1, 2000), st.integers(12_000, 60_000))))
near_the_start = shares.map(lambda share: share**4)  # where headers are, which say how large a picture is
noise = st.binary(max_size=2000)
good = st.sampled_from(GOOD)
pictures = st.one_of(
    good,
    st.builds(_cut, good, shares),
    st.builds(_spliced, good, good, shares),
    st.builds(_overwritten, good, near_the_start, st.binary(min_size=1, max_size=4)),
    st.builds(_overwritten, good, shares, st.binary(min_size=1, max_size=64)),
    st.builds(bytes.__add__, st.sampled_from(SIGNATURES), noise),
    st.builds(bytes.__add__, good, noise),
    sizes.map(lambda size: corpus.bomb_png(*size)),
    sizes.map(lambda size: corpus.bomb_jpeg(*size)),
    noise,
)

values = st.one_of(
    pictures.map(lambda picture: b64encode(picture).decode()),
    st.builds(lambda text, cut: text[:cut], pictures.map(lambda p: b64encode(p).decode()), st.integers(0, 200)),
    st.text(max_size=50),
    st.none(),
    st.integers(),
    st.lists(st.booleans(), max_size=3),
)
documents = st.one_of(
    st.builds(lambda key, value: json.dumps({key: value}).encode(), st.sampled_from(("image", "picture")), values),
    st.builds(lambda value, cut: json.dumps({"image": value}).encode()[:cut], values, st.integers(0, 100)),
    st.integers(1, 3000).map(lambda depth: b"[" * depth),
    st.integers(1, 3000).map(lambda depth: b'{"image":' * depth),
    st.just(b'{"image": "\xff\xfe"}'),
    noise,
)

names = st.sampled_from(("file", "file", "file", "file", "File", "", "other", 'fi"le', "file\\", "f\u00efle"))
dispositions = st.one_of(
    st.builds('form-data; name="{}"'.format, names),
    st.builds('form-data; name="{}"; filename="{}"'.format, names, st.sampled_from(("a.jpg", "", "../../a", "\x7f"))),
    st.builds("form-data; name={}; filename*=UTF-8''{}".format, names, st.sampled_from(("%41", "%ff", "%"))),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30),
)
closings = st.sampled_from((*[b"--b--\r\n"] * 4, b"--b--", b"--b", b"", b"--b--\r\nepilogue", b"--c--\r\n"))
ends = st.sampled_from((*[b"\r\n"] * 6, b"\n", b""))


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Parts, mostly whole, with what can be wrong in a multipart body."""
    end = draw(ends)
    others = (b"", b"", b"Content-Type: image/png" + end, b"X" * 3000 + b": y" + end, b":" + end)
    body = draw(st.sampled_from((b"", b"", b"preamble\r\n")))
    for _ in range(draw(st.integers(0, 4))):
        header = b"Content-Disposition: " + draw(dispositions).encode("utf-8", "replace")
        body += b"--b" + end + header + end + draw(st.sampled_from(others)) + end + draw(pictures) + end
    return body + draw(closings)


@st.composite
def requests(draw: st.DrawFn) -> Hostile:
    """Mostly what its content type promises, so that it gets past the door."""
    path, chunked = draw(st.sampled_from(PATHS)), draw(st.booleans())
    kind, body = draw(
        st.one_of(
            st.tuples(st.sampled_from(("image/png", "application/octet-stream", "")), pictures),
            st.tuples(st.just("application/json"), documents),
            st.tuples(st.just("multipart/form-data; boundary=b"), forms()),
            st.tuples(st.sampled_from(TYPES), st.one_of(pictures, documents, forms())),
        )
    )
    return Hostile(path, kind, body, chunked)

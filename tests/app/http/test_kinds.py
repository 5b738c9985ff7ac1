"""Pictures of every kind, through the real server and ``glassbot caption``: seen as they are, or named."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from model.checkpoint import PRETRAINED, load
from model.preprocess import prepare
from tests.app.server import ROOT, Running
from tests.model.pictures import drawn


def seen() -> dict[str, drawn.Case]:
    """One picture of each kind, or several, with the pixels that are right."""
    layouts = dict(drawn.layouts())
    jpeg = drawn.encode(drawn.SCENE, "JPEG", quality=97, subsampling=0)
    return {
        **{f"PNG with {name}": (body, drawn.RGB) for name, body in drawn.side_data() if "MB" in name or "tEXt" in name},
        **dict(drawn.deep()),
        **{name: layouts[name] for name in layouts if "separate" in name and "strips" in name},
        **dict(drawn.pages()),
        **{name: case for name, case in drawn.profiled() if "P3" in name},
        **{name: (body, drawn.RGB) for name, body in drawn.branded() if "AVIF" in name},
        "JPEG without its end": (jpeg[:-2], drawn.RGB),
        "JPEG 2000": (drawn.encode(drawn.SCENE, "JPEG2000"), drawn.RGB),
    }


SEEN = seen()
UNREAD = {
    "a camera's raw file": drawn.raw_like(),
    "JPEG XL": b"\xff\x0a" + bytes(100),
    "a PDF file": b"%PDF-1.7\n" + bytes(100),
    "TIFF of complex numbers": drawn.tiff(drawn.GREY.astype(np.complex64)),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_picture_is_seen_as_it_is(running_server: Running, name: str) -> None:
    body, right = SEEN[name]
    answer = httpx.post(f"{running_server.address}/square", content=body, timeout=60)
    assert answer.status_code == 200, answer.text
    with Image.open(BytesIO(answer.content)) as square:
        pixels = np.asarray(square)
    wanted, _, _ = prepare(Image.fromarray(right), load(PRETRAINED).architecture)
    assert np.abs(pixels[12:].astype(int) - wanted[12:]).mean() < 3


@pytest.mark.parametrize("name", UNREAD)
def test_a_kind_that_is_not_read_is_named(running_server: Running, name: str) -> None:
    answer = httpx.post(f"{running_server.address}/predict", content=UNREAD[name], timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "urn:glassbot:problem:unread-kind"
    assert problem["detail"].startswith(f"This is {name}, which we cannot open")


def test_captions_are_made_of_the_same_pictures(checkpoint_file: Path, tmp_path: Path) -> None:
    for number, (body, _) in enumerate(SEEN.values()):
        (tmp_path / f"{number:03}.tif").write_bytes(body)
    (tmp_path / "raw.tif").write_bytes(drawn.raw_like())
    command = [sys.executable, "-m", "app", "caption", str(tmp_path), "--checkpoint", str(checkpoint_file), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == len(SEEN), done.stderr
    assert "raw.tif: This is a camera's raw file, which we cannot open" in done.stderr

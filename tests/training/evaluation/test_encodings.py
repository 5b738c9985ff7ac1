"""The same pictures in six encodings, before a network that sees only how bright they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import checkpoint
from model.engines import create_engine
from tests.tiny import tiny_network
from tests.training.made import encoded
from training.__main__ import main
from training.data import InMemory, PictureSet
from training.evaluation.encodings import ENCODINGS, encodings_report


def test_the_encodings_change_files_and_not_what_they_show() -> None:
    ramp = np.add.outer(np.arange(96), np.arange(96))[..., None].repeat(3, 2).astype(np.uint8)
    picture = Image.fromarray(ramp)
    for name, encode in ENCODINGS.items():
        made = encode(picture)
        assert made.mode == "RGB"
        assert made.size == ((48, 48) if name.startswith("half") else (96, 96))
        difference = np.abs(np.asarray(made.resize((96, 96))).astype(int) - ramp)
        assert difference.mean() < 6, name
        assert (difference.max() > 0) == (name != "as it is"), name


def test_the_report_holds_each_encoding_against_the_picture_as_it_is() -> None:
    network = tiny_network(67)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 80, 80, 3), np.uint8)
    vocabulary = next(v for v in network.vocabularies if v.activation == "softmax")
    pictures = PictureSet(
        name="noise", vocabulary=vocabulary, pictures=InMemory.of(pixels), targets=np.zeros(7, np.int64)
    )
    report = encodings_report(create_engine(network), network, pictures)
    assert set(report) == set(ENCODINGS)
    assert report["as it is"]["same_label"] == report["as it is"]["same_sentence"] == 1
    assert all(0 <= row[key] <= 1 for row in report.values() for key in ("same_label", "same_sentence", "person"))
    assert {row["n"] for row in report.values()} == {7}


def test_evaluate_prints_and_stores_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tiny_network(67)
    checkpoint.save(tmp_path / "tiny.safetensors", network)
    names = next(v for v in network.vocabularies if v.activation == "softmax").ids
    for number, name in enumerate(names):
        folder = tmp_path / "photos" / "validation" / name
        folder.mkdir(parents=True)
        (folder / "one.png").write_bytes(encoded(number))
        (tmp_path / "photos" / "train" / name).mkdir(parents=True)
        (tmp_path / "photos" / "train" / name / "one.png").write_bytes(encoded(100 + number))
    arguments = ["--data", str(tmp_path / "photos"), "--encodings", "--json", str(tmp_path / "out.json")]
    assert main(["evaluate", str(tmp_path / "tiny.safetensors"), *arguments]) == 0
    assert "WebP 50" in capsys.readouterr().out
    stored = json.loads((tmp_path / "out.json").read_text())
    assert stored["encodings"]["photos"]["JPEG 50"]["n"] == len(names)

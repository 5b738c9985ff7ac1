"""Which photos make fair samples: what is said of each, and how that turned out for held-out pictures of its kind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.language.beliefs import Belief
from model.language.phrases import label_for
from model.language.sentence import caption
from model.vocabulary import Vocabulary
from tests.tiny import tiny_checkpoint
from tests.training.made import folders
from training import __main__ as cli
from training.release.sample_choice import is_right

SCENES = Vocabulary(
    name="scene", activation="softmax", labels=tuple(label_for("scene", i) for i in ("beach", "kitchen", "bedroom"))
)
WORDS = Vocabulary(name="word", activation="sigmoid", labels=tuple(label_for("word", i) for i in ("man", "dog")))


def test_a_sentence_is_judged_by_the_truth_of_its_picture() -> None:
    of_kitchen = caption([Belief(SCENES, np.array([0.02, 0.9, 0.08], np.float32))])
    assert is_right(of_kitchen, SCENES, np.array(1)) is True
    assert is_right(of_kitchen, SCENES, np.array(2)) is False
    of_dog = caption([Belief(WORDS, np.array([0.01, 0.95], np.float32))])
    assert is_right(of_dog, WORDS, np.array([0.0, 0.6])) is True
    assert is_right(of_dog, WORDS, np.array([0.6, 0.0])) is False
    assert is_right(of_dog, SCENES, np.array(1)) is False  # a place is no animal
    silent = caption([Belief(SCENES, np.array([0.5, 0.25, 0.25], np.float32))])
    assert is_right(silent, SCENES, np.array(0)) is None


def test_the_command_prints_each_photo_with_its_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for half in ("train", "val"):
        folders(tmp_path / "scene" / half, {"kitchen": 9, "street": 9})
    Image.new("RGB", (80, 80), "teal").save(tmp_path / "teal.png")
    photo = {"file": "teal.png", "shows": "teal", "by": "chance", "licence": "CC0", "source": "https://example.org"}
    (tmp_path / "photos.json").write_text(json.dumps([photo | {"right": ["kitchen"]}]))
    path = tiny_checkpoint(tmp_path / "tiny.safetensors", input_size=67)
    flags = ["--photos", str(tmp_path), "--data", f"scene={tmp_path / 'scene'}"]
    assert cli.main(["samples", str(path), *flags]) == 0
    said = capsys.readouterr().out
    assert "teal.png: teal" in said
    assert "scene kitchen: right" in said
    assert "street" not in said.partition("scene kitchen")[2]

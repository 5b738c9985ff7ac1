"""What pixels and class maps show besides the thing itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from model.describe import describe
from model.engines import create_engine
from model.evidence import frame, tone
from model.explain import needed_activations
from model.language.sentence import Tone
from model.preprocess import square
from tests.tiny import tiny_network


def seen(name: str) -> np.ndarray:
    return np.asarray(square(Image.fromarray(getattr(data, name)()).convert("RGB"), 227))


@pytest.mark.parametrize(
    ("name", "expected"), [("camera", "grey"), ("astronaut", "plain"), ("coffee", "plain"), ("moon", "grey")]
)
def test_photos_without_colour_are_known(name: str, expected: Tone) -> None:
    assert tone(seen(name)) == expected


def test_a_photo_in_little_light_is_dark() -> None:
    assert tone(seen("coffee") // 8) == "dark"
    assert tone(seen("coffee") // 2) == "plain"


def test_a_picture_of_one_colour_is_blank_and_a_speck_or_a_sky_is_not() -> None:
    sand = np.full((227, 227, 3), (210, 180, 140), np.uint8)
    noise = np.random.default_rng(0).integers(-4, 5, sand.shape)
    assert [tone(p) for p in (sand, sand * 0, sand * 0 + 255, (sand + noise).astype(np.uint8))] == ["blank"] * 4
    speck, sky = sand.copy(), sand.copy()
    speck[100:108, 100:108] = 0
    sky[..., 2] = np.linspace(180, 240, 227, dtype=np.uint8)[:, None]
    assert "blank" not in (tone(speck), tone(sky))


def test_where_a_map_lies() -> None:
    empty = np.zeros((13, 13), np.float32)
    corner, middle = empty.copy(), empty.copy()
    corner[4:7, 1:3], middle[5:8, 5:8] = 1, 1
    assert frame(empty) == frame(middle) == "whole"
    assert (frame(corner), frame(corner[:, ::-1])) == ("left", "right")
    assert frame(np.ones((13, 13), np.float32)) == "close"
    corner[:, 6] = 0.5  # now barely half of it is at the left
    assert frame(corner) == "whole"


def test_describing_looks_at_the_map_of_what_is_said_and_at_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network()
    pixels = seen("camera")
    output = create_engine(network, precision="f32").run(pixels[None], maps=needed_activations(network.architecture))
    best = int(output.logits[0, :6].argmax())
    sure = np.full_like(output.logits[0], -30)
    sure[best] = 30
    calibrated = tuple(replace(v, thresholds={"sure": 0.9, "hedge": 0.6}) for v in network.vocabularies)
    network = replace(network, vocabularies=calibrated)
    monkeypatch.setattr("model.evidence.frame", lambda evidence: "left" if evidence.any() else "whole")
    said = describe(sure, network, pixels=pixels, output=output).caption
    phrase = network.vocabularies[0].labels[best].phrase
    assert said.phrase == f"a black and white photo of {phrase} on the left"
    assert describe(sure, network).caption.phrase == phrase

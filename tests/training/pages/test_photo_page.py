"""The page of photos that belong to no set: claims are held against what each photo shows."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import checkpoint
from model.checkpoint import PRETRAINED
from model.describe import Description
from model.engines import create_engine
from model.language.beliefs import Claim, Guess
from model.language.hedging import Tier
from model.language.sentence import Caption
from model.vocabulary import Label
from tests.tiny import tiny_checkpoint
from training import __main__ as cli
from training.pages.photo_page import DescribedPhoto, Photo, read_photos, write_page

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "photos"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(3)
    lines = []
    for name in ("first", "second"):
        Image.fromarray(random.integers(0, 256, (80, 120, 3), np.uint8)).save(tmp_path / f"{name}.png")
        lines.append(
            {
                "file": f"{name}.png",
                "shows": f"the {name} noise",
                "right": [],
                "by": "chance",
                "licence": "CC0",
                "source": "https://example.org",
            }
        )
    (tmp_path / "photos.json").write_text(json.dumps(lines))
    return tmp_path


def test_what_is_claimed_and_not_so_is_named(folder: Path, tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "tiny.safetensors", input_size=67)
    network = checkpoint.load(path)
    photos = write_page(network, create_engine(network), folder)
    claimed = [tuple(claim.node for claim in photo.description.caption.claims) for photo in photos]
    assert [photo.wrong or photo.silent for photo in photos] == [
        photo.silent or nodes for photo, nodes in zip(photos, claimed, strict=True)
    ]
    assert not any(photo.has_label for photo in photos)
    lines = json.loads((folder / "photos.json").read_text())
    for line, nodes in zip(lines, claimed, strict=True):
        line["right"] = [*nodes, network.vocabularies[0].labels[0].name]
    (folder / "photos.json").write_text(json.dumps(lines))
    assert cli.main(["gallery", str(path), "--photos", str(folder)]) == 0
    photos = write_page(network, create_engine(network), folder)
    assert not any(photo.wrong for photo in photos)
    assert all(photo.has_label for photo in photos)
    page = (folder / "README.md").read_text()
    for described in photos:
        assert described.description.caption.text in page
        assert described.photo.shows in page
        with Image.open(folder / described.photo.map) as picture:
            assert picture.size == (67, 67)


def described(phrase: str, *members: str, tier: Tier = "hedge") -> DescribedPhoto:
    labels = [Label(id=name, name=name, phrase=f"a {name}") for name in members]
    guesses = tuple(Guess(label, 0.4, "object") for label in labels)
    said = Caption(f"It's {phrase}.", phrase, 0.8, tier, (Claim("dog", "object", "thing", 0.8, guesses),), phrase, 0.6)
    photo = Photo(file="dog.webp", shows="a dog", right=("dog", "beagle"), by="", licence="CC0", source="")
    return DescribedPhoto(photo, Description((), (), said, {}), has_label=True)


def test_a_label_after_a_kind_is_a_guess_and_no_claim() -> None:
    poodle = described("some kind of dog, maybe a poodle", "poodle", "beagle")
    assert poodle.guess is not None
    assert (poodle.guess.name, poodle.wrong) == ("poodle", ())
    for none in (described("some kind of dog", "poodle", "beagle"), described("a beagle, maybe running", "beagle")):
        assert none.guess is None
    assert described("a poodle", "poodle", "beagle", tier="pass").guess is None


def test_a_folder_that_lists_no_photos_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny_checkpoint(tmp_path / "tiny.safetensors", input_size=67)
    assert cli.main(["gallery", str(path), "--photos", str(tmp_path)]) == 2
    assert "lists the photos" in capsys.readouterr().err


def test_the_page_in_the_documentation_is_of_the_shipped_network() -> None:
    page = (PAGE / "README.md").read_text()
    assert f"`{checkpoint.load(PRETRAINED).version}`" in page
    photos = read_photos(PAGE)
    assert len(photos) == 40
    files = [PAGE / photo.file for photo in photos]
    assert {file.resolve() for file in files} >= set(PAGE.glob("*.webp"))
    assert all(file.stat().st_size <= 100_000 for file in files)
    for photo in photos:
        assert photo.licence in ("CC0", "public domain")
        assert f"({photo.source})" in page

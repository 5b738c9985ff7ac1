"""The command: what is interrupted ends with the same bytes; the cards belong to their network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model import checkpoint, unit_cards
from model.architecture import Architecture
from model.language.phrases import label_for
from model.vocabulary import Vocabulary
from tests.tiny import tiny_network
from tests.training.made import folders
from training import __main__ as cli
from training.evaluation.microscope import ascent
from training.evaluation.microscope import run as microscope


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network, and a set of its classes with a few pictures."""
    folder = tmp_path_factory.mktemp("microscope")
    names = ("blue mug", "green mug", "red mug")
    folders(folder / "mugs", dict.fromkeys(names, 40))
    vocabulary = Vocabulary(name="mugs", activation="softmax", labels=tuple(label_for("mugs", name) for name in names))
    made = tiny_network(architecture=Architecture(outputs=18, input_size=67, channels=(8, 8, 8, 8, 8), lrn=None))
    weights = {**made.weights, "fc8.weight": made.weights["fc8.weight"][:3], "fc8.bias": made.weights["fc8.bias"][:3]}
    dead = weights["conv2.bias"].copy()
    dead[3] = -1e6
    made = replace(
        made,
        vocabularies=(vocabulary,),
        architecture=replace(made.architecture, outputs=3),
        weights={**weights, "conv2.bias": dead},
    )
    checkpoint.save(folder / "tiny.safetensors", made)
    return folder


def run(world: Path, out: Path, *more: str) -> int:
    arguments = ["microscope", str(world / "tiny.safetensors"), "--data", str(world / "mugs"), "--out", str(out)]
    return cli.main([*arguments, "--steps", "12", "--label-steps", "6", *more])


@pytest.fixture(scope="module")
def whole(world: Path) -> Path:
    """The cards of a run that nothing interrupted."""
    out = world / "whole" / "tiny.units.zip"
    assert run(world, out) == 0
    return out


def test_every_unit_and_label_has_a_card_and_figures_are_honest(world: Path, whole: Path) -> None:
    cards, weights = unit_cards.read(whole)
    assert weights == checkpoint.weights_digest(world / "tiny.safetensors")
    assert {name: layer.units for name, layer in cards.layers.items()} == {
        **{f"conv{n}": 8 for n in range(1, 6)},
        "fc8": 3,
    }
    assert cards.card("conv2", 3)["dead"]
    assert cards.figures["conv2"]["dead"] == 1
    for name, layer in cards.layers.items():
        found = [cards.card(name, unit) for unit in range(layer.units)]
        assert cards.figures[name]["beaten"] == sum(card["synthetic"] > card["real"] for card in found)
        assert cards.sheet(name)[8:12] == b"WEBP"
    card = cards.card("conv3", 0)
    assert {"for", "against", "fed_by", "name", "active"} <= set(card)
    assert all(value > 0 for _, value in card["for"])
    assert all(value < 0 for _, value in card["against"])
    assert cards.card("conv1", 0)["tuning"]["period"] >= 0
    assert cards.figures["conv1"]["real_pictures"] == 12
    assert not list(whole.parent.glob("*.unfinished"))
    with pytest.raises(IndexError):
        cards.card("fc8", 3)


@pytest.mark.parametrize("stop", [1, 4])
def test_a_run_that_was_interrupted_ends_with_the_same_bytes(
    world: Path,
    whole: Path,
    tmp_path: Path,
    stop: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "tiny.units.zip"
    calls = 0

    def ascend(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > stop:
            raise KeyboardInterrupt
        return original(*arguments)

    original = ascent.ascend
    with monkeypatch.context() as patch:
        patch.setattr(microscope, "ascend", ascend)
        assert run(world, out) == 130
    assert not out.exists()
    assert run(world, out) == 2
    assert "holds an unfinished run already: add --resume" in capsys.readouterr().err
    assert run(world, out, "--resume", "--steps", "13") == 2
    assert "is of another network, other pictures or settings: delete it." in capsys.readouterr().err
    assert run(world, out, "--resume") == 0
    assert out.read_bytes() == whole.read_bytes()


def test_without_pictures_it_draws_and_names_nothing(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "alone.zip"
    arguments = ["microscope", str(world / "tiny.safetensors"), "--out", str(out), "--steps", "2", "--label-steps", "1"]
    assert cli.main(arguments) == 0
    cards, _ = unit_cards.read(out)
    assert set(cards.card("conv3", 0)) == {"synthetic"}
    assert cards.figures["conv3"] == {"units": 8}


def test_cards_are_those_of_their_weights_whatever_calibration_says(world: Path, whole: Path, tmp_path: Path) -> None:
    weights = tmp_path / "tiny.safetensors"
    weights.write_bytes((world / "tiny.safetensors").read_bytes())
    assert unit_cards.read_beside(weights, checkpoint.load(weights)) is None
    beside = unit_cards.path_beside(weights)
    beside.write_bytes(whole.read_bytes())
    checkpoint.note_measured(weights, {"mugs": {"top1": 0.5}})
    assert unit_cards.read_beside(weights, checkpoint.load(weights)) is not None
    network = checkpoint.load(weights)
    bias = network.weights["conv1.bias"] + 1
    checkpoint.save(weights, replace(network, weights={**network.weights, "conv1.bias": bias}))
    with pytest.raises(unit_cards.UnitCardsError, match="belongs to another network"):
        unit_cards.read_beside(weights, checkpoint.load(weights))
    for broken in (b"", whole.read_bytes()[:-100], b"PK" * 50):
        beside.write_bytes(broken)
        with pytest.raises(unit_cards.UnitCardsError, match="no whole unit cards"):
            unit_cards.read_beside(weights, checkpoint.load(weights))


def test_a_network_compared_with_itself_matches_every_live_unit(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "compared.zip"
    assert run(world, out, "--steps", "1", "--label-steps", "1", "--compare", str(world / "tiny.safetensors")) == 0
    figures = unit_cards.read(out)[0].figures
    assert figures["conv2"]["pairs"] == 7
    assert "pairs with the other network" in capsys.readouterr().out
    assert cli.main(["microscope", str(world / "tiny.safetensors"), "--compare", str(world / "tiny.safetensors")]) == 2
    assert "add --data" in capsys.readouterr().err

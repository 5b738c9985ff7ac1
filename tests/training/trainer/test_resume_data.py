"""A run goes on only with what it began with: other classes or pictures are refused, and ignored flags are named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training import made
from training.__main__ import main
from training.trainer.state import read_state, write_state

Out = pytest.CaptureFixture[str]


def command(out: Path, *specs: object) -> list[str]:
    words = ["train", "--recipe", "smoke", "--device", "cpu", "--epochs", "1", "--out", str(out)]
    return [*words, *(word for spec in specs for word in ("--data", str(spec)))]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set, ``data``, and a run on it, ``run``, whose last step is still to be done."""
    folder = tmp_path_factory.mktemp("begun")
    made.folders(folder / "data", {"cat": 10, "dog": 10})
    assert main(command(folder / "run", f"pet={folder / 'data'}")) == 0
    state = read_state(folder / "run/state.pt")
    write_state(folder / "run/state.pt", {**state, "step": state["step"] - 1})
    return folder


@pytest.fixture
def place(begun: Path, tmp_path: Path) -> Path:
    """A copy of ``begun`` of the test's own."""
    shutil.copytree(begun, tmp_path / "place")
    return tmp_path / "place"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def renamed(data: Path) -> None:
    (data / "cat").rename(data / "lion")


def added(data: Path) -> None:
    made.folders(data, {"emu": 10})


def removed(data: Path) -> None:
    shutil.rmtree(data / "dog")


def swapped(data: Path) -> None:
    (data / "cat").rename(data / "x")
    (data / "dog").rename(data / "cat")
    (data / "x").rename(data / "dog")


def replaced(data: Path) -> None:
    (data / "cat/003.png").write_bytes(made.encoded(77))


def fewer(data: Path) -> None:
    (data / "cat/003.png").unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed, "learned other labels of pet ('cat' is gone, 'lion' is new)"),
        (added, "learned other labels of pet ('emu' is new)"),
        (removed, "learned other labels of pet ('dog' is gone)"),
        (swapped, "At least 20 of the pictures of pet"),
        (replaced, "At least 1 of the pictures of pet"),
        (fewer, "At least 1 of the pictures of pet"),
    ],
)
def test_a_run_does_not_go_on_with_other_data(
    change: Callable[[Path], None], said: str, place: Path, capsys: Out
) -> None:
    before = contents(place / "run")
    change(place / "data")
    assert main([*command(place / "run", f"pet={place / 'data'}"), "--resume"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "give the sets it began with, or another --out" in error
    assert error.count("\n") == 1
    assert contents(place / "run") == before


def test_nor_with_other_sets_or_those_of_an_older_release_with_other_classes(place: Path, capsys: Out) -> None:
    assert main([*command(place / "run", f"beast={place / 'data'}"), "--resume"]) == 2
    assert "learns from pet, not from beast" in capsys.readouterr().err
    config = json.loads((place / "run/config.json").read_text())
    del config["data"]
    (place / "run/config.json").write_text(json.dumps(config))
    renamed(place / "data")
    assert main([*command(place / "run", f"pet={place / 'data'}"), "--resume"]) == 2
    assert "'cat' is gone, 'lion' is new" in capsys.readouterr().err
    (place / "run/last.safetensors").unlink()
    added(place / "data")
    assert main([*command(place / "run", f"pet={place / 'data'}"), "--resume"]) == 2
    assert "of a network with other layers or labels" in capsys.readouterr().err


def test_a_run_goes_on_with_more_pictures_and_names_the_flags_that_it_ignores(place: Path, capsys: Out) -> None:
    for number in range(2):
        (place / "data/cat" / f"more{number}.png").write_bytes(made.encoded(number + 60))
    flags = ["--resume", "--lr", "0.5", "--set", "dropout=0.4", "--seed", "0", "--minutes", "3"]
    assert main([*command(place / "run", f"pet={place / 'data'}"), *flags]) == 0
    said = capsys.readouterr().out
    assert "holds 22 pictures, 2 more than when the run began" in said
    assert "lr=0.5 is ignored: the run goes on with lr=0.01" in said
    assert "dropout=0.4 is ignored" in said
    assert "--minutes 3 is ignored" in said
    assert "seed" not in said
    assert "epochs" not in said
    assert main([*command(place / "run", f"pet={place / 'data'}"), "--resume", "--recipe", "paper"]) == 0
    said = capsys.readouterr().out
    assert "recipe=paper is ignored: the run goes on with recipe=smoke" in said
    assert "is finished" in said


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({"Training": 10, "Testing": 10}, "are called like splits (Testing, Training)"),
        ({"train": 10, "val": 10, "test": 10}, "are called like splits"),
        ({"mug": 10}, "holds one class, 'mug'"),
    ],
)
def test_a_set_that_looks_like_a_mistake_is_questioned_before_hours_are_spent(
    classes: dict[str, int], said: str, tmp_path: Path, capsys: Out
) -> None:
    made.folders(tmp_path / "data", classes)
    assert main(command(tmp_path / "run", tmp_path / "data")) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.endswith("; --anyway trains all the same.\n")
    assert main(["inspect", str(tmp_path / "data")]) == 0
    assert said in capsys.readouterr().out


def test_an_evaluation_says_how_many_pictures_it_measures_and_what_it_leaves_out(place: Path, capsys: Out) -> None:
    for split in ("train", "test"):
        made.folders(place / "split" / split, {"cat": 6, "dog": 6})
    checkpoint = str(place / "run/last.safetensors")
    for data, n, said in (
        (place / "split/test", 12, "all pictures of"),
        (place / "split", 12, "left out: train/"),
        (place / "data", 2, "2 of 20 pictures, a tenth of each class, are held out; the other 18 are the training"),
    ):
        assert main(["evaluate", checkpoint, "--data", str(data), "--json", str(place / "figures.json")]) == 0
        assert said in capsys.readouterr().out
        assert json.loads((place / "figures.json").read_text())["pet"]["n"] == n


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "but no config.json: bring it back"),
        ('{"recipe": {"name": "smo', "config.json is broken (Unterminated string"),
        ('{"recipe": {}}', "config.json lacks 'colours'"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--resume"]])
def test_a_run_whose_config_is_lost_or_cut_is_not_begun_anew(
    config: str | None, said: str, flags: list[str], place: Path, capsys: Out
) -> None:
    run = place / "run"
    (run / "config.json").unlink()
    if config is not None:
        (run / "config.json").write_text(config)
        flags = ["--resume"]
    before = contents(run)
    assert main([*command(run, f"pet={place / 'data'}"), *flags]) == 2
    assert said in capsys.readouterr().err
    assert contents(run) == before
